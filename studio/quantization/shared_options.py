"""Options that several steps of the stage have, each with its own default."""

from __future__ import annotations

from typing import Any

from studio.api import Kind

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


MODEL = _described(kind=Kind.MODEL, positional=True, help="The float model.")
DATA = _described(
    kind=Kind.DATA,
    title="Calibration data",
    help="Representative samples for the activation ranges; labels are not needed.",
    project=("calibration",),
)
CALIBRATION = _described(
    kind=Kind.CHOICE,
    choices=tuple(_CALIBRATIONS),
    choice_titles=tuple(_CALIBRATIONS.values()),
    help="Method that sets activation ranges. activation-aware usually has the smallest "
    "metric drop.",
)
SAMPLES = _described(
    minimum=1,
    maximum=100_000,
    help="Maximum number of calibration samples, spread evenly over the data.",
)
KEEP = _described(
    title="Keep in float",
    help="Nodes to keep in float: names (with * for any characters) or operators.",
)
FLOAT_NODES = _described(
    title="Nodes kept in float",
    help="Names of nodes to keep in float with those of the preset; names that the model lacks "
    "are ignored. Default: those of the project; none for no nodes.",
    advanced=True,
    project=("float_nodes",),
)
EVAL_DATA = _described(
    kind=Kind.DATA,
    title="Evaluation data",
    help="Labelled samples for the metric (default: the calibration data, if it has labels).",
    project=("evaluation", "heldout"),
)
HELDOUT_DATA = _described(
    kind=Kind.DATA, title="Held-out data", advanced=True, project=("heldout",)
)
EVAL_SAMPLES = _described(
    minimum=1,
    maximum=1_000_000,
    advanced=True,
    help="Maximum number of evaluated samples, spread evenly over the data.",
)
METRIC = _described(
    kind=Kind.CHOICE,
    choices=tuple(_METRICS),
    choice_titles=tuple(_METRICS.values()),
    help="Metric; auto follows from the labels. cosine and sqnr need no labels.",
    project=("metric",),
)
DICTIONARY = _described(
    kind=Kind.FILE,
    help="Characters of a text recogniser, one per line (default: dictionary.txt next "
    "to the data).",
    project=("dictionary",),
)
OUTPUTS = _described(
    kind=Kind.FILE,
    help="Meaning of the outputs of a detector, an outputs.toml. Its boxes are then in pixels of "
    "the picture.",
    project=("outputs",),
    advanced=True,
)
LABEL_MAP = _described(
    kind=Kind.FILE,
    advanced=True,
    help="Classes of the model for labels of the data that are other numbers or names: "
    "LABEL,CLASS a line, or a JSON object.",
    project=("label_map",),
)
PRESET = _described(
    kind=Kind.PRESET,
    help="Preset name (studio presets list) or TOML file. Options given with it take precedence.",
)
