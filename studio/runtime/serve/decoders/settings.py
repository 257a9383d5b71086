"""What the outputs of a model mean, as ``outputs.toml`` in its bundle gives it."""

from __future__ import annotations

import math
from typing import Any, Dict, Mapping, NamedTuple, Tuple

CLASSIFICATION, PROBABILITY, DETECTION = "classification", "probability", "detection"
SEGMENTATION, TEXT, EMBEDDING, REGRESSION = "segmentation", "text", "embedding", "regression"
TEXT_DETECTION = "text-detection"
KEYPOINTS, INSTANCES, SPEECH = "keypoints", "instances", "speech"

TASKS = (
    CLASSIFICATION,
    PROBABILITY,
    DETECTION,
    KEYPOINTS,
    INSTANCES,
    SEGMENTATION,
    TEXT_DETECTION,
    TEXT,
    EMBEDDING,
    REGRESSION,
    SPEECH,
)
WITH_OBJECTS = (DETECTION, KEYPOINTS, INSTANCES)
"""Tasks whose answers have objects with boxes."""

BOX_HEADS = ("boxes", "tables", "yolov5", "yolov8", "yolox", "gfl", "detr")
POINT_HEADS = (
    "yolo-pose",
    "yolo-pose-rows",
    "movenet",
    "movenet-multi",
    "heatmaps",
    "simcc",
    "landmarks",
)
MASK_HEADS = ("yolov5-seg", "yolo-seg", "yolo-seg-rows", "maskrcnn", "queries")
HEADS = BOX_HEADS + POINT_HEADS + MASK_HEADS
ACTIVATIONS = ("auto", "none", "sigmoid", "softmax")

_MOST = 10_000
_WIDEST = 10.0
_LARGEST_STRIDE = 1024
_MOST_POINTS = 1000
_SLOWEST_HZ, _FASTEST_HZ, _SCALES = 4000, 192_000, 3


class OutputSettings(NamedTuple):
    """The meaning of a model's outputs.

    Attributes:
        task: One of ``TASKS``.
        output: Name of the output with the scores; empty: the first.
        head: Form of the outputs with objects, one of ``HEADS`` that fits the task. ``boxes``:
            after suppression. ``tables``: whole boxes and scores of all places. ``gfl``: NanoDet
            and PicoDet.
        activation: What makes scores of logits; ``auto``: as their values are.
        threshold: Least score of a box; of the positive class of a probability.
        refer: Probabilities between these two are left to a person; empty for none.
        overlap: Boxes of one class that cover each other by more (intersection over union) are
            one object.
        region_score: Least mean likelihood of a region of text.
        score_in: Where that mean is taken: in the ``region``, or in the ``box`` around it.
        widen: Ratio by which regions of text are widened, for DB shrinks them in training.
        most: Most boxes, and most classes, of an answer.
        strides: Pixels of a cell on each level of ``yolox`` and ``gfl``.
        offset: Where the middle of a cell is, in cells: 0.5 for PicoDet, 0 for NanoDet-Plus.
        background: The class for nothing of ``detr`` and ``tables``: ``none``, ``first``, ``last``.
        blank: Class of a text recogniser for no character.
        unit: Of a regression's values.
        points: Names of the key points, in their order; empty for COCO's 17, or for numbers.
        point_score: Least score of a key point that counts: for the box around it, for drawings.
        mask_score: Least likelihood of a pixel of an object's mask.
        rate_hz: Samples a second of speech.
        language: Voice of espeak-ng that gives the phonemes of speech, such as ``en-us``.
        scales: Of speech: variation of the sound, length, and variation of durations.
    """

    task: str
    output: str = ""
    head: str = "boxes"
    activation: str = "auto"
    threshold: float = 0.3
    refer: Tuple[float, ...] = ()
    overlap: float = 0.5
    region_score: float = 0.6
    score_in: str = "region"
    widen: float = 1.5
    most: int = 100
    strides: Tuple[int, ...] = (8, 16, 32)
    offset: float = 0.5
    background: str = "none"
    blank: int = 0
    unit: str = ""
    points: Tuple[str, ...] = ()
    point_score: float = 0.3
    mask_score: float = 0.5
    rate_hz: int = 22050
    language: str = ""
    scales: Tuple[float, ...] = (0.667, 1.0, 0.8)

    @staticmethod
    def from_json(content: object) -> OutputSettings:
        """Take the values from a manifest or a file; those left out keep their defaults.

        Raises:
            ValueError: in one sentence, for a key or a value that is not known here.
        """
        if not isinstance(content, Mapping):
            raise ValueError("it is not an object.")
        defaults = OutputSettings("")._asdict()
        unknown = sorted(str(name) for name in set(content) - set(defaults))
        if unknown:
            raise ValueError("unknown setting {!r}.".format(unknown[0]))
        given = {name: _typed(name, value, defaults[name]) for name, value in content.items()}
        if "task" not in given:
            raise ValueError("task is missing: one of {}.".format(", ".join(TASKS)))
        found = OutputSettings(**given)
        found._check()
        return found

    def _check(self) -> None:
        for name, allowed in _CHOICES.items():
            if getattr(self, name) not in allowed:
                sentence = "{} cannot be {!r}: it is one of {}."
                raise ValueError(sentence.format(name, getattr(self, name), ", ".join(allowed)))
        heads = _HEADS_OF.get(self.task, HEADS)
        if self.head not in heads:
            sentence = "head cannot be {!r} for {}: it is one of {}."
            raise ValueError(sentence.format(self.head, self.task, ", ".join(heads)))
        for name in _SHARES:
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError("{} is from 0 to 1.".format(name))
        if not 0.0 <= self.widen <= _WIDEST:
            raise ValueError("widen is from 0 to {:g}.".format(_WIDEST))
        if not 1 <= self.most <= _MOST:
            raise ValueError("most is from 1 to {:,}.".format(_MOST))
        if self.refer and not (len(self.refer) == 2 and 0 <= self.refer[0] <= self.refer[1] <= 1):
            raise ValueError("refer is two probabilities, the lower one first.")
        if not self.strides or not all(1 <= one <= _LARGEST_STRIDE for one in self.strides):
            raise ValueError("strides are from 1 to {:,}.".format(_LARGEST_STRIDE))
        if self.blank < 0:
            raise ValueError("blank is the number of a class.")
        if len(self.points) > _MOST_POINTS:
            raise ValueError("points are at most {:,} names.".format(_MOST_POINTS))
        self._check_speech()

    def _check_speech(self) -> None:
        if not _SLOWEST_HZ <= self.rate_hz <= _FASTEST_HZ:
            raise ValueError("rate_hz is from {:,} to {:,}.".format(_SLOWEST_HZ, _FASTEST_HZ))
        if len(self.scales) != _SCALES or not all(0 <= one <= _WIDEST for one in self.scales):
            raise ValueError("scales are three numbers from 0 to {:g}.".format(_WIDEST))


_SHARES = ("threshold", "overlap", "offset", "region_score", "point_score", "mask_score")
"""Settings from 0 to 1."""

_HEADS_OF: Dict[str, Tuple[str, ...]] = {
    DETECTION: BOX_HEADS,
    KEYPOINTS: POINT_HEADS,
    INSTANCES: MASK_HEADS,
}

_CHOICES: Dict[str, Tuple[str, ...]] = {
    "task": TASKS,
    "head": HEADS,
    "activation": ACTIVATIONS,
    "score_in": ("region", "box"),
    "background": ("none", "first", "last"),
}

_EMPTY_ITEMS: Dict[str, object] = {"points": ""}
"""Type of the items of a setting whose default is empty; others are numbers."""


def _typed(name: str, value: object, default: object) -> Any:
    """Return the value in the type of the setting's default."""
    if isinstance(default, tuple):
        items = value if isinstance(value, (list, tuple)) else [value]
        one = default[0] if default else _EMPTY_ITEMS.get(name, 0.0)
        return tuple(_typed(name, item, one) for item in items)
    if isinstance(default, float) and type(value) is int:
        value = float(value)
    finite = not isinstance(value, float) or math.isfinite(value)
    if type(value) is not type(default) or not finite:
        raise ValueError("{} cannot be {!r}.".format(name, value))
    return value
