"""Times of operators and the places where they ran, parts of a profile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from studio.documents.dataclass_json import optional
from studio.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class NodeTime:
    """Time of a node of the user's graph, in microseconds an inference.

    Attributes:
        within: Names of the nodes whose blocks or functions hold it, from the outermost one.
        layout_us: The part of it that went into layouts of the runtime's own.
        share: Share of the kernels' time.
        kernels: Operators of its kernels.
        fused: Nodes that the same kernels computed besides.
        providers: Execution providers that ran them.
        start_us: Start of its first kernel within an inference; None where it is not known.
    """

    name: str
    operator: str = ""
    within: tuple[str, ...] = ()
    us: float = 0.0
    layout_us: float = 0.0
    share: float = 0.0
    kernels: tuple[str, ...] = ()
    fused: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    start_us: float | None = optional()


@dataclass(frozen=True, slots=True)
class UnknownKernel:
    """Kernels of one name whose node was not found."""

    kernel: str
    us: float


@dataclass(frozen=True, slots=True)
class CompiledPart:
    """Nodes that a provider has compiled to one kernel.

    Attributes:
        nodes: Names of its nodes; None where they are not known.
    """

    kernel: str
    provider: str
    us: float
    nodes: tuple[str, ...] | None = optional()


@dataclass(frozen=True, slots=True)
class OperatorTimes:
    """Kernel times of a candidate, given back to the nodes of its graph.

    Attributes:
        run: Label of the candidate.
        attributed: Share of the kernels' time that was given back to nodes.
        layout, added: Shares of layout changes and of other kernels that the runtime added.
        providers, types: Shares by execution provider, and by the type that was computed in.
        nodes: In falling order of time.
        plain_us: An inference without profiling.
        overhead: What profiling adds to it, as a share.
    """

    run: str
    total_us: float = 0.0
    attributed: float = 0.0
    layout: float = 0.0
    added: float = 0.0
    providers: Mapping[str, float] = field(default_factory=dict)
    types: Mapping[str, float] = field(default_factory=dict)
    nodes: tuple[NodeTime, ...] = ()
    unknown: tuple[UnknownKernel, ...] = ()
    compiled: tuple[CompiledPart, ...] = ()
    plain_us: float | None = optional()
    overhead: float | None = optional()


@dataclass(frozen=True, slots=True)
class PlacedKernel:
    """A node that did not run where it should have."""

    name: str
    operator: str
    provider: str
    us: float


@dataclass(frozen=True, slots=True)
class RunPlacement:
    """The execution provider in the options, and those that did the work.

    Attributes:
        providers: Shares of the time; empty where they are not known.
        fallback: Share of the time that was spent elsewhere; None where it is not known.
        kernels: Those that ran elsewhere, the slowest first.
        silent: Whether it fell back without the runtime saying so.
        text: One sentence.
    """

    id: str
    asked: str
    providers: Mapping[str, float] = field(default_factory=dict)
    fallback: float | None = None
    kernels: tuple[PlacedKernel, ...] = ()
    silent: bool = False
    text: str = ""


@dataclass(frozen=True, slots=True)
class Placement:
    """Placement of all runs.

    Attributes:
        fallback: The largest of the runs; None where that of one is not known. A pipeline's gate
            can limit it: ``${profile.placement.fallback}``.
    """

    fallback: float | None = None
    runs: tuple[RunPlacement, ...] = ()
