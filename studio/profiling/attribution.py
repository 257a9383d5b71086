"""Kernel times given back to the nodes of the user's own graph, through fusion and renaming."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from studio.api import Graph
from studio.profiling.kernel_graph import LAYOUT, KernelGraph
from studio.profiling.operator_times import CompiledPart, NodeTime, OperatorTimes, UnknownKernel
from studio.profiling.owners import Owner, Owners
from studio.runtime.bench.facts import Kernel

_ADDED = re.compile(r"^(Transpose|Reshape|Squeeze|Unsqueeze)(_token_\d+)?$")
"""Kernels without a name of the model, which the runtime added while it moved others."""

_MADE_UP = re.compile(r"^(\w+?)_(\d+)$")
"""The name that onnxruntime gives to a node without one: operator and position."""

_COMPILED = re.compile(
    r"(-EP-subgraph_|^TRTKernel_graph_|^TensorrtExecution|^CoreML|^QNN|^DmlFused)"
)
"""Operators that are whole parts of a graph, compiled by a provider."""

_DECOMPOSED = {"HardSwish": ("HardSigmoid", "Mul")}
"""Operators that a runtime without a kernel for them replaces by nameless others."""


@dataclass(slots=True)
class Share:
    """Share of one node in the time.

    Attributes:
        us: Microseconds an inference, all kernels together.
        layout_us: The part of it that went into layouts of the runtime's own.
        kernels: The operators of the kernels.
        places: The execution providers that ran them.
        fused: Nodes that the same kernels computed besides.
        start_us: Start of the first kernel within an inference; None where it is not known.
    """

    owner: Owner
    us: float = 0.0
    layout_us: float = 0.0
    kernels: list[str] = field(default_factory=list)
    places: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    fused: dict[str, None] = field(default_factory=dict)
    start_us: float | None = None

    def row(self, total: float) -> NodeTime:
        """Return its row of the result."""
        return NodeTime(
            self.owner.name,
            self.owner.node.operator,
            self.owner.within,
            us=round(self.us, 3),
            layout_us=round(self.layout_us, 3),
            share=self.us / total if total else 0.0,
            kernels=tuple(self.kernels),
            fused=tuple(self.fused),
            providers=tuple(sorted(self.places)),
            start_us=self.start_us,
        )


@dataclass(slots=True)
class Attribution:
    """Times of a candidate by node.

    Attributes:
        shares: What each node took, by its place in the model.
        layout_us: Time of layout changes that the runtime added, whether given to a node or not.
        added_us: Time of other kernels that the runtime added, and that went to a neighbour.
        unknown_us: Time of kernels whose node was not found, by kernel.
        compiled: Parts of the graph that a provider made one kernel of; its nodes have no times.
        providers: Time by execution provider.
        types: Time by the type that was computed in.
    """

    total_us: float = 0.0
    shares: dict[tuple[str, ...], Share] = field(default_factory=dict)
    layout_us: float = 0.0
    added_us: float = 0.0
    unknown_us: dict[str, float] = field(default_factory=dict)
    compiled: list[CompiledPart] = field(default_factory=list)
    providers: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    types: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    @property
    def nodes(self) -> dict[str, float]:
        """Microseconds by the name of a node of the main graph, with what its blocks took."""
        times: dict[str, float] = defaultdict(float)
        for key, share in self.shares.items():
            times[key[0]] += share.us
        return dict(times)

    @property
    def share(self) -> float:
        """Share of the kernels' time that was given back to nodes."""
        return self.part(sum(share.us for share in self.shares.values()))

    def part(self, us: float) -> float:
        """Return the time as a share of the whole."""
        return us / self.total_us if self.total_us else 0.0

    def give(self, owner: Owner, kernel: Kernel) -> Share:
        """Count a kernel as a node's."""
        share = self.shares.setdefault(owner.key, Share(owner))
        share.us += kernel.us
        share.kernels.append(kernel.operator)
        share.places[_place(kernel)] += kernel.us
        starts = [each for each in (share.start_us, kernel.start_us) if each is not None]
        share.start_us = min(starts, default=None)
        return share

    def result(self, run: str) -> OperatorTimes:
        """Return its part of the result; nodes in falling order of time."""
        rows = sorted(self.shares.values(), key=lambda share: -share.us)
        return OperatorTimes(
            run,
            total_us=self.total_us,
            attributed=self.share,
            layout=self.part(self.layout_us),
            added=self.part(self.added_us),
            providers={name: self.part(us) for name, us in self.providers.items()},
            types={name: self.part(us) for name, us in self.types.items()},
            nodes=tuple(share.row(self.total_us) for share in rows),
            unknown=tuple(UnknownKernel(name, us) for name, us in self.unknown_us.items()),
            compiled=tuple(self.compiled),
        )


def _place(kernel: Kernel) -> str:
    """Return the execution provider that ran a kernel."""
    return kernel.provider or "unknown"


def attribute(
    kernels: Sequence[Kernel],
    graph: Graph,
    functions: Mapping[str, Graph] | None = None,
) -> Attribution:
    """Assign each kernel's time to the node that it came from.

    Where the runtime lists a kernel's outputs, those lead to the node; otherwise its name
    does, or its name without what runtimes append, or the longest part of it that names a node or
    a value; a nameless one by its position, or in the order of the operators that were replaced.
    What the runtime added for itself (changes of layout, casts) goes to the node that it was added
    for, where the values tell.

    Args:
        kernels: As a runner's ``operators`` gives them.
        graph: The graph of the file that was measured.
        functions: The model's own, by domain and name.
    """
    owners = Owners.of(graph, functions)
    owners.inlined(kernel.name for kernel in kernels)
    wiring = KernelGraph(kernels, owners, _nameless(kernels, owners))
    found = Attribution()
    for kernel in kernels:
        us = float(kernel.us)
        found.total_us += us
        found.providers[_place(kernel)] += us
        found.types[kernel.type or "unknown"] += us
        match = wiring.match(kernel)
        if kernel.operator in LAYOUT or (match is None and _ADDED.match(kernel.name)):
            found.layout_us += us
        if match is not None:
            share = found.give(match.owner, kernel)
            share.layout_us += us if kernel.operator in LAYOUT else 0.0
            share.fused.update(dict.fromkeys(match.fused))
            found.added_us += us if match.is_neighbour and kernel.operator not in LAYOUT else 0.0
        elif _COMPILED.search(kernel.operator):
            found.compiled.append(CompiledPart(kernel.name, _place(kernel), us))
        elif kernel.operator not in LAYOUT and not _ADDED.match(kernel.name):
            label = kernel.name or kernel.operator
            found.unknown_us[label] = found.unknown_us.get(label, 0.0) + us
    if len(found.compiled) == 1:  # of several it is unknown which nodes are in which
        known = {
            name for share in found.shares.values() for name in (share.owner.name, *share.fused)
        }
        inside = [owner.node for owner in owners.outer if owner.name not in known]
        nodes = tuple(each.name for each in inside if each.operator != "Constant")
        found.compiled = [replace(found.compiled[0], nodes=nodes)]
    return found


def _nameless(kernels: Sequence[Kernel], owners: Owners) -> dict[str, Owner]:
    """Return the node by the generated name of a kernel without one of its own.

    onnxruntime numbers the nodes of the file, without constants, and continues the numbers
    for those that it adds. It replaces operators in the order of the graph.
    """
    nodes = [owner for owner in owners.outer if owner.node.operator != "Constant"]
    found = {}
    made: dict[int, tuple[str, str]] = {}
    for kernel in kernels:
        match = _MADE_UP.match(kernel.name)
        if match is None or match.group(1) != kernel.operator:
            continue
        index = int(match.group(2))
        if index >= len(nodes):
            made[index] = (kernel.operator, kernel.name)
        elif nodes[index].node.operator == kernel.operator:
            found[kernel.name] = nodes[index]
    for operator, parts in _DECOMPOSED.items():
        replaced = [owner for owner in nodes if owner.node.operator == operator]
        starts = [start for start in sorted(made) if _matches(made, start, parts)]
        if len(starts) != len(replaced):
            continue  # some were fused with others: which ones is unknown
        for start, node in zip(starts, replaced, strict=True):
            found.update({made[start + step][1]: node for step in range(len(parts))})
    return found


def _matches(made: Mapping[int, tuple[str, str]], start: int, parts: Sequence[str]) -> bool:
    return all(made.get(start + step, ("",))[0] == part for step, part in enumerate(parts))
