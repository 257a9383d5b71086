"""The steps of the stage: quantize a model, and evaluate one on labelled data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from studio.api import Kind, Permission, TargetSpec
from studio.documents.dataclass_json import optional
from studio.evaluation.results import EvaluationResult
from studio.jobs.options_form import option
from studio.jobs.step import Effect, Step, Use
from studio.lazy_dataclass import dataclass
from studio.quantization import shared_options as shared
from studio.quantization.language import fields
from studio.quantization.results import (
    MachineTimings,
    PreflightResult,
    QuantizeResult,
    SensitivityResult,
)
from studio.registry import ModelRef

METHODS = ("static-int8", "dynamic-int8", "weight-only", "fp16", "bf16")
"""Identifiers of the transforms that make a model smaller."""


@dataclass(frozen=True, slots=True)
class QuantizeOptions:
    """Options of the step ``quantize``.

    Attributes:
        preset: A preset's name or file; its text once the step is prepared.
        preset_name: What messages call the preset.
        sensitivity: The costs of the layers, where they were measured before.
    """

    model: ModelRef = option(**shared.MODEL)
    data: Path | None = option(None, **shared.DATA)
    out: Path | None = option(
        None, kind=Kind.OUTPUT, title="Copy to", help="File or folder for a copy of the new model."
    )
    method: str = option(
        "static-int8",
        kind=Kind.CHOICE,
        choices=METHODS,
        plugins="transforms",
        choice_titles=("int8, calibrated", "int8, dynamic", "weights only", "fp16", "bf16"),
        help="Quantization method: static or dynamic int8, 8- or 4-bit weights, half "
        "precision, or a method of a plugin (nncf).",
    )
    calibration: str = option("activation-aware", **shared.CALIBRATION)
    samples: int = option(128, **shared.SAMPLES)
    recurrent: tuple[str, ...] = option(
        (),
        title="Recurrent states",
        advanced=True,
        help="Input that receives an output of the previous sample, as INPUT=OUTPUT. "
        "Samples must be in order.",
    )
    keep_float: tuple[str, ...] = option((), **shared.KEEP)
    eval_data: Path | None = option(None, **shared.EVAL_DATA)
    heldout_data: Path | None = option(
        None,
        **shared.HELDOUT_DATA,
        help="Held-out labelled samples for the reported metric. Default with --search: "
        "every second sample of the evaluation data.",
    )
    eval_samples: int = option(1000, **shared.EVAL_SAMPLES)
    metric: str = option("auto", **shared.METRIC)
    dictionary: Path | None = option(None, **shared.DICTIONARY)
    label_map: Path | None = option(None, **shared.LABEL_MAP)
    outputs: Path | None = option(None, **shared.OUTPUTS)
    max_drop: float | None = option(
        None,
        minimum=0,
        title="Maximum metric drop",
        help="Maximum metric drop, in the metric's unit (0.01 is one point).",
    )
    max_latency_ratio: float | None = option(
        None,
        minimum=0,
        title="Maximum latency ratio",
        help="Maximum latency relative to the float model (0.5 is twice as fast).",
    )
    float_nodes: tuple[str, ...] = option((), **shared.FLOAT_NODES)
    search: bool = option(
        False,
        title="Layer search",
        help="Search for layers to keep in float: as fast as --max-drop allows, or as "
        "accurate as --max-latency-ratio allows.",
    )
    name: str | None = option(
        None,
        title="Name of the variant",
        advanced=True,
        help="Name of the new variant (default: int8, fp16 ...).",
    )
    preset: str | None = option(None, **shared.PRESET)
    chip: str | None = option(
        None,
        key="for",
        title="Chip",
        help="Chip, board type or target that the variant is for: with the preset of the chip, "
        "and with its compiler's verdict. --search then keeps layers in float by that verdict.",
        advanced=True,
    )
    megabytes: float | None = option(
        None,
        minimum=0.001,
        maximum=1_000_000,
        title="Megabytes",
        advanced=True,
        help="Size of a language model at most, in millions of bytes. Types are chosen for groups "
        "of layers on the text of --data.",
    )
    kl: float | None = option(
        None,
        minimum=0.000001,
        maximum=100,
        title="KL divergence",
        advanced=True,
        help="Divergence of a language model from the float one at most, in nats of a token.",
    )
    tokens_per_second: float | None = option(
        None,
        minimum=0.001,
        maximum=1_000_000,
        title="Tokens a second",
        advanced=True,
        help="Tokens that a language model writes in a second on this machine, at least. Other "
        "programs slow the timing down.",
    )
    preset_name: str = optional("")
    sensitivity: SensitivityResult | None = optional()

    @property
    def labelled(self) -> Path | None:
        """The data that the metric is measured on."""
        return self.eval_data or self.data


QUANTIZE: Step[QuantizeOptions, QuantizeResult] = Step(
    name="quantize",
    spreads=True,
    title="Quantize",
    summary="Quantize a model and measure the metric drop.",
    options=QuantizeOptions,
    result=QuantizeResult,
    prepare="studio.quantization.sensitivity_store:offered",
    work="studio.quantization.language.smaller_variant:quantize",
    record="studio.quantization.record:quantized",
    effect=Effect.PURE,
    use=Use.QUANTIZE,
    texts="studio.quantization.texts:quantized",
)


@dataclass(frozen=True, slots=True)
class EvaluateOptions:
    """Options of the step ``evaluate``.

    Attributes:
        context: Tokens of context of a language model; 0 for other models.
    """

    model: ModelRef = option(kind=Kind.MODEL, positional=True, help="The model.")
    data: Path | None = option(
        None,
        kind=Kind.DATA,
        help="Labelled samples. For language models: a text, or a folder of texts.",
        project=("evaluation", "heldout"),
    )
    reference: ModelRef | None = option(None, **fields.REFERENCE)
    tasks: tuple[str, ...] = option((), **fields.TASKS)
    task_files: tuple[Path, ...] = option((), **fields.TASK_FILES)
    tokens: int = option(4096, **fields.TOKENS)
    window: int = option(512, **fields.WINDOW)
    temperature: float = option(0.0, **fields.TEMPERATURE)
    seed: int = option(0, **fields.SEED)
    heldout_data: Path | None = option(
        None,
        **shared.HELDOUT_DATA,
        help="Held-out labelled samples: a second value of the metric, on data that no search "
        "has used.",
    )
    target: TargetSpec | None = option(
        "local",
        kind=Kind.TARGET,
        help="Target that also evaluates the model, with its own runtime.",
    )
    samples: int = option(
        1000,
        minimum=1,
        maximum=1_000_000,
        help="Maximum number of evaluated samples, spread evenly over the data.",
    )
    metric: str = option("auto", **shared.METRIC)
    dictionary: Path | None = option(None, **shared.DICTIONARY)
    label_map: Path | None = option(None, **shared.LABEL_MAP)
    outputs: Path | None = option(None, **shared.OUTPUTS)
    context: int = optional(0)


EVALUATE: Step[EvaluateOptions, EvaluationResult] = Step(
    name="evaluate",
    spreads=True,
    title="Evaluate",
    summary="Evaluate a model on labelled data, a language model on texts and tasks.",
    options=EvaluateOptions,
    result=EvaluationResult,
    prepare="studio.quantization.language.options:prepared",
    work="studio.quantization.evaluation:evaluate",
    record="studio.quantization.record:evaluated",
    remote_needs=frozenset({Permission.NETWORK, Permission.HOME, Permission.SECRETS}),
    effect=Effect.PURE,
    use=Use.RUN,
    language=True,
    texts="studio.quantization.texts:evaluated",
)


@dataclass(frozen=True, slots=True)
class PreviewOptions:
    """Options of the step ``quantize-preview``.

    Attributes:
        preset_name: What messages call the preset.
        timings: What was timed on this machine before.
    """

    model: ModelRef = option(**shared.MODEL)
    data: Path | None = option(None, **shared.DATA)
    eval_data: Path | None = option(None, **shared.EVAL_DATA)
    label_map: Path | None = option(None, **shared.LABEL_MAP)
    outlook: bool = option(True, help="Time small layers in float and in int8.")
    trial: bool = option(
        False,
        help="Also quantize and time the whole model with one sample: slower, more accurate.",
    )
    preset: str | None = option(None, **shared.PRESET)
    preset_name: str = optional("")
    timings: Mapping[str, MachineTimings] | None = optional()


PREVIEW: Step[PreviewOptions, PreflightResult] = Step(
    name="quantize-preview",
    title="Preview",
    summary="Check the data and estimate the int8 speed-up on this machine.",
    options=PreviewOptions,
    result=PreflightResult,
    prepare="studio.quantization.outlook.timing_cache:offered",
    work="studio.quantization.preflight:preview",
    record="studio.quantization.outlook.timing_cache:record",
    effect=Effect.PURE,
    use=Use.QUANTIZE,
    in_history=False,
    texts="studio.quantization.texts:preflight",
)


@dataclass(frozen=True, slots=True)
class SensitivityOptions:
    """Options of the step ``sensitivity``.

    Attributes:
        preset_name: What messages call the preset.
        signature: Digest of all that the costs depend on.
    """

    model: ModelRef = option(**shared.MODEL)
    data: Path = option(**shared.DATA)
    calibration: str = option("activation-aware", **shared.CALIBRATION)
    samples: int = option(128, **shared.SAMPLES)
    keep_float: tuple[str, ...] = option((), **shared.KEEP)
    eval_data: Path | None = option(
        None,
        **shared.EVAL_DATA
        | {"help": "Labelled samples to measure the metric drop of the most sensitive layers."},
    )
    eval_samples: int = option(64, **shared.EVAL_SAMPLES)
    metric: str = option("auto", **shared.METRIC)
    dictionary: Path | None = option(None, **shared.DICTIONARY)
    float_nodes: tuple[str, ...] = option((), **shared.FLOAT_NODES)
    label_map: Path | None = option(None, **shared.LABEL_MAP)
    metric_layers: int = option(
        8,
        minimum=0,
        maximum=100_000,
        title="Layers by the metric",
        help="Number of layers, most sensitive first, whose metric drop is measured.",
    )
    preset: str | None = option(None, **shared.PRESET)
    preset_name: str = optional("")
    signature: str | None = optional()


SENSITIVITY: Step[SensitivityOptions, SensitivityResult] = Step(
    name="sensitivity",
    spreads=True,
    title="Sensitivity",
    summary="Measure the sensitivity of each layer: error, metric drop and time when it "
    "alone is quantized.",
    options=SensitivityOptions,
    work="studio.quantization.sensitivity:measure",
    result=SensitivityResult,
    record="studio.quantization.sensitivity_store:record",
    prepare="studio.quantization.sensitivity_store:signed",
    texts="studio.quantization.texts:sensitivity",
    effect=Effect.PURE,
    use=Use.QUANTIZE,
)
