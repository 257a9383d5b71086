"""The step check: a model compiled for a chip."""

from __future__ import annotations

from pathlib import Path

from studio.api import Kind, Permission, TargetSpec
from studio.conversion.chips.results import ChipResult
from studio.jobs.options_form import option
from studio.jobs.step import Effect, Limits, Step, Use
from studio.lazy_dataclass import dataclass
from studio.registry import ModelRef


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """Options of the step ``check``."""

    model: ModelRef = option(
        kind=Kind.MODEL, positional=True, help="An ONNX model, or one in the chip's own format."
    )
    chip: str = option(
        key="for",
        title="Chip",
        help="Name of a chip (studio chips lists all), of a board type or of a target.",
    )
    out: Path | None = option(
        None, kind=Kind.OUTPUT, title="Copy to", help="File or folder for what runs on the device."
    )
    data: Path | None = option(
        None,
        kind=Kind.DATA,
        title="Data",
        help="Samples for the calibration and for the comparison of the outputs.",
        project=("calibration",),
    )
    input: tuple[str, ...] | None = option(
        None, title="Input shape", help="Fixed shape of an input with open sizes: x=1,3,48,320."
    )
    eval_data: Path | None = option(
        None,
        kind=Kind.DATA,
        title="Evaluation data",
        help="Labelled samples for the metric of the chip's outputs (default: the data, if it has "
        "labels).",
        project=("evaluation", "heldout"),
    )
    eval_samples: int = option(
        100,
        minimum=1,
        maximum=100_000,
        title="Evaluated samples",
        help="Maximum number of samples for the metric, spread evenly over the data.",
        advanced=True,
    )
    locate: bool = option(
        False,
        title="Locate the difference",
        help="Also name the first value inside of the model that the chip computes differently "
        "(slow; for models in the format of the chip).",
        advanced=True,
    )
    target: TargetSpec | None = option(
        None,
        kind=Kind.TARGET,
        title="Compare with a target",
        help="Target that runs the same samples with its own runtime, next to the chip's emulator "
        "or simulator.",
        advanced=True,
    )
    provider: str | None = option(
        None,
        title="Provider on the target",
        help="Execution provider of ONNX Runtime on the target (default: the processor).",
        advanced=True,
    )
    metric: str = option(
        "auto",
        title="Metric",
        help="Metric by its name (studio evaluate lists them); auto follows from the labels.",
        advanced=True,
        project=("metric",),
    )
    dictionary: Path | None = option(
        None,
        kind=Kind.FILE,
        help="Characters of a text recogniser, one per line.",
        advanced=True,
        project=("dictionary",),
    )


CHECK: Step[CheckOptions, ChipResult] = Step(
    name="check",
    title="Check for a chip",
    summary="Compile a model for a chip and name the nodes that it does not run.",
    options=CheckOptions,
    result=ChipResult,
    work="studio.conversion.chips.work:check",
    prepare="studio.conversion.chips.record:with_chip",
    record="studio.conversion.chips.record:checked",
    remote_needs=frozenset({Permission.NETWORK, Permission.HOME, Permission.SECRETS}),
    limits=Limits(memory_mb=16_384, seconds=3600.0),
    effect=Effect.PURE,
    use=Use.READ,
    texts="studio.conversion.chips.texts:checked",
    exit_code="studio.conversion.chips.texts:exit_code",
)
