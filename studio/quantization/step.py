"""The steps of the stage: quantize a model, and evaluate one on labelled data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studio.api import Kind, Permission, TargetSpec
from studio.documents.dataclass_json import optional
from studio.evaluation.results import EvaluationResult
from studio.jobs.options_form import option
from studio.jobs.step import Effect, Step, Use
from studio.lazy_dataclass import dataclass
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

_METRICS = {
    "auto": "automatic (from labels)",
    "top1": "top-1 accuracy",
    "top5": "top-5 accuracy",
    "f1": "F1",
    "auc": "ROC AUC",
    "exact": "exact match",
    "cer": "character error rate",
    "map": "mAP of boxes",
    "box-f1": "F1 of boxes",
    "cosine": "cosine, without labels",
    "sqnr": "SQNR, without labels",
    "none": "none",
}

_CALIBRATIONS = {
    "activation-aware": "least error",
    "mse": "least plain error",
    "percentile": "percentile",
    "percentile-symmetric": "even percentile",
    "minmax": "min and max",
    "entropy": "entropy",
}


def _described(**attributes: Any) -> dict[str, Any]:
    """Return the attributes of an option of several steps, each with its own default."""
    return attributes


_MODEL = _described(kind=Kind.MODEL, positional=True, help="The float model.")
_DATA = _described(
    kind=Kind.DATA,
    title="Calibration data",
    help="Representative samples for the activation ranges; labels are not needed.",
    project=("calibration",),
)
_CALIBRATION = _described(
    kind=Kind.CHOICE,
    choices=tuple(_CALIBRATIONS),
    choice_titles=tuple(_CALIBRATIONS.values()),
    help="Method that sets activation ranges. activation-aware usually has the smallest "
    "metric drop.",
)
_SAMPLES = _described(
    minimum=1,
    maximum=100_000,
    help="Maximum number of calibration samples, spread evenly over the data.",
)
_KEEP = _described(
    title="Keep in float",
    help="Nodes to keep in float: names (with * for any characters) or operators.",
    spelling="keep_float",
)
_FLOAT_NODES = _described(
    title="Nodes kept in float",
    help="Names of nodes to keep in float with those of the preset; names that the model lacks "
    "are ignored. Default: those of the project; none for no nodes.",
    advanced=True,
    project=("float_nodes",),
)
_EVAL_DATA = _described(
    kind=Kind.DATA,
    title="Evaluation data",
    help="Labelled samples for the metric (default: the calibration data, if it has labels).",
    project=("evaluation", "heldout"),
)
_HELDOUT_DATA = _described(
    kind=Kind.DATA, title="Held-out data", advanced=True, project=("heldout",)
)
_EVAL_SAMPLES = _described(
    minimum=1,
    maximum=1_000_000,
    advanced=True,
    help="Maximum number of evaluated samples, spread evenly over the data.",
)
_METRIC = _described(
    kind=Kind.CHOICE,
    choices=tuple(_METRICS),
    choice_titles=tuple(_METRICS.values()),
    help="Metric; auto follows from the labels. cosine and sqnr need no labels.",
    project=("metric",),
)
_DICTIONARY = _described(
    kind=Kind.FILE,
    help="Characters of a text recogniser, one per line (default: dictionary.txt next "
    "to the data).",
    project=("dictionary",),
)
_OUTPUTS = _described(
    kind=Kind.FILE,
    help="Meaning of the outputs of a detector, an outputs.toml. Its boxes are then in pixels of "
    "the picture.",
    project=("outputs",),
    advanced=True,
)
_LABEL_MAP = _described(
    kind=Kind.FILE,
    advanced=True,
    help="Classes of the model for labels of the data that are other numbers or names: "
    "LABEL,CLASS a line, or a JSON object.",
    project=("label_map",),
)
_PRESET = _described(
    kind=Kind.PRESET,
    help="Preset name (studio presets list) or TOML file. Options given with it take precedence.",
    aliases=("recipe",),
)


@dataclass(frozen=True, slots=True)
class QuantizeOptions:
    """Options of the step ``quantize``.

    Attributes:
        preset: A preset's name or file; its text once the step is prepared.
        preset_name: What messages call the preset.
        sensitivity: The costs of the layers, where they were measured before.
    """

    model: ModelRef = option(**_MODEL)
    data: Path | None = option(None, **_DATA)
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
    calibration: str = option("activation-aware", **_CALIBRATION)
    samples: int = option(128, **_SAMPLES)
    recurrent: tuple[str, ...] = option(
        (),
        title="Recurrent states",
        advanced=True,
        help="Input that receives an output of the previous sample, as INPUT=OUTPUT. "
        "Samples must be in order.",
    )
    keep: tuple[str, ...] = option((), **_KEEP)
    eval_data: Path | None = option(None, **_EVAL_DATA)
    heldout_data: Path | None = option(
        None,
        **_HELDOUT_DATA,
        help="Held-out labelled samples for the reported metric. Default with --search: "
        "every second sample of the evaluation data.",
    )
    eval_samples: int = option(1000, **_EVAL_SAMPLES)
    metric: str = option("auto", **_METRIC)
    dictionary: Path | None = option(None, **_DICTIONARY)
    label_map: Path | None = option(None, **_LABEL_MAP)
    outputs: Path | None = option(None, **_OUTPUTS)
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
    float_nodes: tuple[str, ...] = option((), **_FLOAT_NODES)
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
    preset: str | None = option(None, **_PRESET)
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
    title="Quantize",
    summary="Quantize a model and measure the metric drop.",
    options=QuantizeOptions,
    result=QuantizeResult,
    prepare="studio.quantization.sensitivity_store:offered",
    work="studio.quantization.language_model:quantize",
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
        **_HELDOUT_DATA,
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
    metric: str = option("auto", **_METRIC)
    dictionary: Path | None = option(None, **_DICTIONARY)
    label_map: Path | None = option(None, **_LABEL_MAP)
    outputs: Path | None = option(None, **_OUTPUTS)
    context: int = optional(0)


EVALUATE: Step[EvaluateOptions, EvaluationResult] = Step(
    name="evaluate",
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

    model: ModelRef = option(**_MODEL)
    data: Path | None = option(None, **_DATA)
    eval_data: Path | None = option(None, **_EVAL_DATA)
    label_map: Path | None = option(None, **_LABEL_MAP)
    outlook: bool = option(True, help="Time small layers in float and in int8.")
    trial: bool = option(
        False,
        help="Also quantize and time the whole model with one sample: slower, more accurate.",
    )
    preset: str | None = option(None, **_PRESET)
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

    model: ModelRef = option(**_MODEL)
    data: Path = option(**_DATA)
    calibration: str = option("activation-aware", **_CALIBRATION)
    samples: int = option(128, **_SAMPLES)
    keep: tuple[str, ...] = option((), **_KEEP)
    eval_data: Path | None = option(
        None,
        **_EVAL_DATA
        | {"help": "Labelled samples to measure the metric drop of the most sensitive layers."},
    )
    eval_samples: int = option(64, **_EVAL_SAMPLES)
    metric: str = option("auto", **_METRIC)
    dictionary: Path | None = option(None, **_DICTIONARY)
    float_nodes: tuple[str, ...] = option((), **_FLOAT_NODES)
    label_map: Path | None = option(None, **_LABEL_MAP)
    judged: int = option(
        8,
        minimum=0,
        maximum=100_000,
        title="Layers by the metric",
        help="Number of layers, most sensitive first, whose metric drop is measured.",
        spelling="metric_layers",
    )
    preset: str | None = option(None, **_PRESET)
    preset_name: str = optional("")
    signature: str | None = optional()


SENSITIVITY: Step[SensitivityOptions, SensitivityResult] = Step(
    name="sensitivity",
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
