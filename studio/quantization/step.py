"""The steps of the stage: quantize a model, and evaluate one on labelled data."""

from __future__ import annotations

from dataclasses import replace

from studio.api import Kind, Option, Permission
from studio.jobs import Arguments, Effect, Result, Step, Use
from studio.quantization.results import SensitivityResult

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

_METRIC = Option(
    "metric",
    Kind.CHOICE,
    default="auto",
    choices=tuple(_METRICS),
    choice_titles=tuple(_METRICS.values()),
    help="Metric: auto chooses by the kind of labels; cosine and sqnr need no labels.",
)
_DICTIONARY = Option(
    "dictionary",
    Kind.FILE,
    help="Characters of a text recogniser, one a line; else dictionary.txt beside the data.",
)

QUANTIZE: Step[Arguments, Result] = Step(
    name="quantize",
    title="Quantize",
    summary="Make a model smaller and faster, and measure what that costs.",
    options=(
        Option("model", Kind.MODEL, required=True, positional=True, help="The float model."),
        Option(
            "data",
            Kind.DATA,
            title="Calibration data",
            help="Samples that show the ranges of the activations; labels are not needed.",
        ),
        Option("out", Kind.OUTPUT, title="Copy to", help="Where to put a copy of the new model."),
        Option(
            "method",
            Kind.CHOICE,
            default="static-int8",
            choices=METHODS,
            plugins="transforms",
            choice_titles=("int8, calibrated", "int8, dynamic", "weights only", "fp16", "bf16"),
            help="Calibrated int8, int8 with ranges measured at each run, weights alone in 8 or "
            "4 bits, half precision, or the method of a plugin (nncf).",
        ),
        Option(
            "calibration",
            Kind.CHOICE,
            default="activation-aware",
            choices=(
                "activation-aware",
                "mse",
                "percentile",
                "percentile-symmetric",
                "minmax",
                "entropy",
            ),
            choice_titles=(
                "least error",
                "least plain error",
                "percentile",
                "even percentile",
                "min and max",
                "entropy",
            ),
            help="Method that sets activation ranges. activation-aware usually has the smallest "
            "metric drop.",
        ),
        Option(
            "samples",
            Kind.INTEGER,
            default=128,
            minimum=1,
            maximum=100_000,
            help="Maximum number of calibration samples, spread evenly over the data.",
        ),
        Option(
            "recurrent",
            many=True,
            default=(),
            title="Recurrent states",
            advanced=True,
            help="Inputs that are fed with an output of the sample before, as INPUT=OUTPUT; the "
            "samples must then follow each other.",
        ),
        Option(
            "keep",
            many=True,
            default=(),
            title="Keep in float",
            help="Nodes to keep in float: names (with * for any characters) or operators.",
            spelling="keep_float",
        ),
        Option(
            "eval_data",
            Kind.DATA,
            title="Evaluation data",
            help="Labelled samples for the task metric; the calibration data when it has labels.",
        ),
        Option(
            "heldout_data",
            Kind.DATA,
            title="Held-out data",
            advanced=True,
            help="Held-out labelled samples for the reported metric. Default with --search: "
            "every second sample of the evaluation data.",
        ),
        Option(
            "eval_samples",
            Kind.INTEGER,
            default=1000,
            minimum=1,
            maximum=1_000_000,
            advanced=True,
            help="Maximum number of evaluated samples, spread evenly over the data.",
        ),
        _METRIC,
        _DICTIONARY,
        Option(
            "max_drop",
            Kind.NUMBER,
            minimum=0,
            title="Maximum metric drop",
            help="Maximum metric drop, in the metric's unit (0.01 is one point).",
        ),
        Option(
            "max_latency_ratio",
            Kind.NUMBER,
            minimum=0,
            title="Maximum latency ratio",
            help="Maximum latency relative to the float model (0.5 is twice as fast).",
        ),
        Option(
            "search",
            Kind.FLAG,
            default=False,
            title="Layer search",
            help="Search for layers to keep in float: as fast as --max-drop allows, or as "
            "accurate as --max-latency-ratio allows.",
        ),
        Option("name", title="Name of the variant", advanced=True, help="int8, fp16 ... if empty."),
        Option(
            "preset",
            Kind.PRESET,
            help="Preset name (studio presets list) or TOML file. Options given with it take "
            "precedence.",
            aliases=("recipe",),
        ),
    ),
    prepare="studio.quantization.sensitivity_store:offered",
    work="studio.quantization.work:quantize",
    record="studio.quantization.record:quantized",
    effect=Effect.PURE,
    use=Use.QUANTIZE,
)

EVALUATE: Step[Arguments, Result] = Step(
    name="evaluate",
    title="Evaluate",
    summary="Measure a model's quality on labelled data.",
    options=(
        Option("model", Kind.MODEL, required=True, positional=True, help="The model."),
        Option("data", Kind.DATA, required=True, help="Labelled samples."),
        Option(
            "target",
            Kind.TARGET,
            default="local",
            help="A machine whose own runtime evaluates the model too.",
        ),
        Option(
            "samples",
            Kind.INTEGER,
            default=1000,
            minimum=1,
            maximum=1_000_000,
            help="Maximum number of evaluated samples, spread evenly over the data.",
        ),
        _METRIC,
        _DICTIONARY,
    ),
    work="studio.quantization.work:evaluate",
    record="studio.quantization.record:evaluated",
    remote_needs=frozenset({Permission.NETWORK, Permission.HOME, Permission.SECRETS}),
    effect=Effect.PURE,
    use=Use.RUN,
)


_KNOWN = {option.name: option for option in QUANTIZE.form}

PREVIEW: Step[Arguments, Result] = Step(
    name="quantize-preview",
    title="Look ahead",
    summary="Say what the data holds, whether it fits, and how fast int8 will be on this machine.",
    options=(
        *(_KNOWN[name] for name in ("model", "data", "eval_data")),
        Option("outlook", Kind.FLAG, default=True, help="Time small layers in float and in int8."),
        Option(
            "trial",
            Kind.FLAG,
            default=False,
            help="Make the model with one sample of the data and time it: slower, and surer.",
        ),
        _KNOWN["preset"],
    ),
    prepare="studio.quantization.timing_cache:offered",
    work="studio.quantization.preflight:preview",
    record="studio.quantization.timing_cache:kept",
    effect=Effect.PURE,
    use=Use.QUANTIZE,
    in_history=False,
)

SENSITIVITY: Step[Arguments, SensitivityResult] = Step(
    name="sensitivity",
    title="Sensitivity",
    summary="Measure what each layer costs when it alone is quantized: error, metric, time.",
    options=(
        _KNOWN["model"],
        replace(_KNOWN["data"], required=True),
        _KNOWN["calibration"],
        _KNOWN["samples"],
        _KNOWN["keep"],
        replace(
            _KNOWN["eval_data"],
            help="Labelled samples: the metric is then measured for the worst layers, too.",
        ),
        replace(_KNOWN["eval_samples"], default=64),
        _KNOWN["metric"],
        _KNOWN["dictionary"],
        Option(
            "judged",
            Kind.INTEGER,
            default=8,
            minimum=0,
            maximum=100_000,
            title="Layers by the metric",
            help="Number of layers, worst first, whose metric drop is measured as well.",
            spelling="metric_layers",
        ),
        _KNOWN["preset"],
    ),
    work="studio.quantization.sensitivity:measure",
    result=SensitivityResult,
    record="studio.quantization.sensitivity_store:record",
    prepare="studio.quantization.sensitivity_store:signed",
    texts="studio.quantization.texts:sensitivity",
    effect=Effect.PURE,
    use=Use.QUANTIZE,
)
