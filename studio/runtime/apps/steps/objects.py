"""Steps that find objects in pictures, and choose among them."""

from __future__ import annotations

from typing import Any, Dict, NamedTuple, Sequence, Tuple

import numpy as np

from ..geometry import inside
from ..items import OBJECTS, PICTURES, TRACKS, FrameStamp, Objects, StepOutput
from ..parts import AppContext, StepType, kinds
from ..settings import AppError

DETECTORS = ("detection", "keypoints", "instances", "text-detection")


class DetectSettings(NamedTuple):
    """Settings of a detector.

    Attributes:
        model: Name of a model of the app.
        classes: Names of the classes to keep; empty: all.
        threshold: Least score; 0: that of the model's ``outputs.toml``.
    """

    model: str
    classes: Tuple[str, ...] = ()
    threshold: float = 0.0


class Detect:
    """Finds objects with a model; pictures of several sources as one batch."""

    def __init__(self, name: str, settings: DetectSettings, context: AppContext) -> None:
        """Look up the model.

        Raises:
            AppError: when there is no such detector.
        """
        self._predictor = context.predictor(settings.model)
        if self._predictor.task not in DETECTORS:
            sentence = "steps.{}: the model {} is no detector by its outputs.toml."
            raise AppError(sentence.format(name, settings.model))
        self._chosen = _Filter(settings.classes, settings.threshold)

    def process(self, stamp: FrameStamp, value: Any) -> StepOutput:
        """Find the objects of one picture."""
        return self.process_batch([stamp], [value])[0]

    def process_batch(
        self, stamps: Sequence[FrameStamp], values: Sequence[Any]
    ) -> Sequence[StepOutput]:
        """Find the objects of each picture."""
        found = self._predictor.pictures(values)
        return [StepOutput(self._chosen.of(objects)) for objects in found]


class SelectSettings(NamedTuple):
    """Settings of a choice of objects.

    Attributes:
        classes: Names of the classes to keep; empty: all.
        threshold: Least score.
        area: Corners of a polygon in which the bottom centre must be; empty: anywhere.
        min_height, max_height: Of an object in pixels; 0: no limit.
    """

    classes: Tuple[str, ...] = ()
    threshold: float = 0.0
    area: Tuple[Tuple[float, ...], ...] = ()
    min_height: float = 0.0
    max_height: float = 0.0


class Select:
    """Keeps some of the objects."""

    def __init__(self, name: str, settings: SelectSettings, context: AppContext) -> None:
        self._filter = _Filter(settings.classes, settings.threshold)
        self._settings = settings
        given = settings.area
        if given and (len(given) < 3 or any(len(point) != 2 for point in given)):
            raise AppError("steps.{}: area is a list of at least three points.".format(name))
        self._area = np.array(given, dtype=np.float64) if given else None

    def process(self, stamp: FrameStamp, value: Any) -> StepOutput:
        """Choose among the objects of one picture."""
        objects: Objects = self._filter.of(value)
        heights = objects.corners[:, 3] - objects.corners[:, 1]
        kept = heights >= self._settings.min_height
        if self._settings.max_height:
            kept &= heights <= self._settings.max_height
        if self._area is not None:
            feet = np.column_stack([objects.corners[:, [0, 2]].mean(axis=1), objects.corners[:, 3]])
            kept &= inside(self._area, feet)
        return StepOutput(objects if kept.all() else objects.chosen(kept))


class _Filter:
    """Classes and a least score."""

    def __init__(self, classes: Tuple[str, ...], threshold: float) -> None:
        self._classes = frozenset(classes)
        self._threshold = threshold

    def of(self, objects: Objects) -> Objects:
        kept = objects.scores >= self._threshold
        if self._classes:
            kept &= np.array([one in self._classes for one in objects.labels], dtype=bool)
        return objects if kept.all() else objects.chosen(kept)


_TYPES = (
    StepType(
        "detect",
        "Find objects or places of text with a model",
        kinds(PICTURES),
        kinds(OBJECTS),
        DetectSettings,
        Detect,
        shared=True,
    ),
    StepType(
        "select",
        "Keep objects by class, score, size and place",
        kinds(OBJECTS, TRACKS),
        kinds(OBJECTS),
        SelectSettings,
        Select,
        shared=True,
        follows=True,
    ),
)
TYPES: Dict[str, StepType] = {one.name: one for one in _TYPES}
