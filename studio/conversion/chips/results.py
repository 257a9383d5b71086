"""Results of a check for a chip, as the window, the command line and pipelines read them."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import field

from studio.conversion.results import FirstDifference
from studio.documents.dataclass_json import optional
from studio.lazy_dataclass import dataclass

ARTEFACT = "artefact"
"""Folder of the file for the device, in that of the check."""


class Verdict(enum.Enum):
    """The verdict of a compiler on a model."""

    RUNS = "runs"
    PARTLY = "partly"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class NodeCounts:
    """Numbers of nodes of the compiled model, by the place where they run."""

    total: int = 0
    on_chip: int = 0
    fallback: int = 0


@dataclass(frozen=True, slots=True)
class RefusedNode:
    """A node that the processor next to the chip has to compute.

    Attributes:
        reason: In the compiler's words.
        remedy: A change that would bring it onto the chip; empty where nothing is known.
        preset: Name of the preset of that change, for the float model.
        edits: Edits of that change, as ``studio edit`` takes them.
        keep_float: Whether it may run on the chip where quantization leaves it in float.
    """

    node: str
    operator: str
    reason: str
    remedy: str = ""
    preset: str = ""
    edits: tuple[str, ...] = ()
    keep_float: bool = False


@dataclass(frozen=True, slots=True)
class ChipMetric:
    """The task metric on labelled samples: of the chip's outputs, and of the given model's.

    Attributes:
        lost: Number of samples that the chip gets wrong, or more wrong than the model.
        lost_samples: Names of the first of them.
    """

    name: str
    title: str
    value: float
    model_value: float
    samples: int
    lost: int = 0
    lost_samples: tuple[str, ...] = ()

    def __str__(self) -> str:
        count = f"{self.samples} sample{'s'[: self.samples != 1]}"
        text = f"{self.title} {self.value:.3f}, {self.model_value:.3f} before, on {count}"
        more = ", ..." if self.lost > len(self.lost_samples) else ""
        named = f". Lost {self.lost}: {', '.join(self.lost_samples)}{more}" if self.lost else ""
        return text + named


@dataclass(frozen=True, slots=True)
class SampleComparison:
    """Errors of the outputs for one sample, each relative to the largest value of its output.

    Attributes:
        chip: Of the chip's emulator or simulator, next to the given model.
        target: Of the target, next to the given model.
        difference: Of the target, next to the chip's emulator or simulator.
        classes: Of the given model, the chip and the target; empty without a row of scores.
    """

    name: str
    chip: float
    target: float
    difference: float
    classes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class TargetNumbers:
    """Outputs of a target for the samples that the chip was compared on.

    Attributes:
        runtime, version: Of the runtime that answered there.
        max_error: Largest error next to the given model, as in ``ChipNumbers``.
        chip_error: Largest error next to the chip's emulator or simulator.
        argmax_equal: Share of rows with the same class as in the emulator or simulator.
        metric: Of the target's outputs, next to the given model's; None without labels.
        worst: Samples with the largest error next to the emulator or simulator, largest first.
        first: The first value that differs from the emulator or simulator; None without the
            option locate.
    """

    name: str
    runtime: str
    version: str
    samples: int
    max_error: float
    chip_error: float
    argmax_equal: float | None = None
    metric: ChipMetric | None = None
    worst: tuple[SampleComparison, ...] = ()
    first: FirstDifference | None = optional()


@dataclass(frozen=True, slots=True)
class ChipNumbers:
    """The comparison of outputs with those of the given model, on the same samples.

    Attributes:
        against: Name and version of the runtime of that model.
        max_error: Largest absolute difference, divided by the largest absolute value of its output.
        argmax_equal: Share of rows whose largest value is at the same place; None without classes.
        metric: None without labels.
        first: The first value that differs from that of the given model; None without one, or
            without the option locate.
        target: The same samples on a target; None without the option.
    """

    against: str
    samples: int
    max_error: float
    argmax_equal: float | None = None
    metric: ChipMetric | None = None
    first: FirstDifference | None = optional()
    target: TargetNumbers | None = optional()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipResult:
    """A model that was compiled for a chip, with the verdict.

    Attributes:
        how: Basis of the verdict: compiled, emulated, simulated or rules.
        toolchain: Name and version.
        format, precision: Of the model that the compiler got.
        refused: Nodes that do not run on the chip; empty where the whole model is refused.
        reason: Why the whole model is refused.
        numbers: None where nothing here computes as the chip does.
        artefact: The file or folder for the device; empty without one.
        estimate: Figures of the compiler; none of them was measured.
        on_device: Whether a device took part: never so far.
        edits: Edits of the model that its reason or its warnings propose.
    """

    chip: str
    title: str
    verdict: str
    how: str
    toolchain: str = ""
    format: str = ""
    precision: str = ""
    nodes: NodeCounts = field(default_factory=NodeCounts)
    refused: tuple[RefusedNode, ...] = ()
    reason: str = ""
    numbers: ChipNumbers | None = None
    artefact: str = ""
    bytes: int = 0
    estimate: Mapping[str, float] = field(default_factory=dict)
    on_device: bool = False
    warnings: tuple[str, ...] = ()
    seconds: float = 0.0
    edits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChipLine:
    """A chip in a list.

    Attributes:
        family: Heading of its relatives; that of the compiler where it names none.
        boards: Names of the board types that have it.
        preset: Of the quantization whose models its compiler takes whole; empty for none.
    """

    id: str
    title: str
    summary: str
    compiler: str
    state: str
    family: str = ""
    boards: tuple[str, ...] = ()
    preset: str = ""
