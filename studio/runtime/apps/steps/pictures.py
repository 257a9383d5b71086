"""Steps on pictures: parts of them, only changed ones, and unrecognisable persons."""

from __future__ import annotations

from typing import Any, Dict, NamedTuple, Optional, Tuple

import numpy as np

from ..crops import blurred, difference, likeness
from ..items import NOTHING, OBJECTS, PICTURES, TRACKS, FrameStamp, Objects, StepOutput
from ..parts import AppContext, StepType, kinds
from ..settings import AppError


class CropSettings(NamedTuple):
    """Settings of a fixed region.

    Attributes:
        box: Left, top, right, bottom in pixels.
    """

    box: Tuple[float, ...]


class Crop:
    """Cuts a fixed part out of each picture."""

    def __init__(self, name: str, settings: CropSettings, context: AppContext) -> None:
        """Check the box.

        Raises:
            AppError: when it has no area.
        """
        box = settings.box
        if len(box) != 4 or min(box) < 0 or box[0] >= box[2] or box[1] >= box[3]:
            raise AppError("steps.{}: box is left, top, right and bottom.".format(name))
        self._rows = slice(int(box[1]), int(box[3]))
        self._columns = slice(int(box[0]), int(box[2]))

    def process(self, stamp: FrameStamp, value: Any) -> StepOutput:
        """Cut one picture.

        Raises:
            ValueError: when the picture is too small.
        """
        found = value[self._rows, self._columns]
        if not found.size:
            size = "{} x {}".format(value.shape[1], value.shape[0])
            raise ValueError("the box lies outside the picture of {}".format(size))
        return StepOutput(found)


class ChangedSettings(NamedTuple):
    """Settings of a choice of changed pictures.

    Attributes:
        threshold: Least difference from the latest picture that was let through, from 0 to 1.
        at_least_s: A picture is let through after that many seconds in any case; 0: never.
    """

    threshold: float = 0.05
    at_least_s: float = 0.0


class Changed:
    """Lets a picture through when it differs from the latest one that it let through."""

    def __init__(self, name: str, settings: ChangedSettings, context: AppContext) -> None:
        self._settings = settings
        self._latest: Optional[np.ndarray] = None
        self._at = 0.0

    def process(self, stamp: FrameStamp, value: Any) -> StepOutput:
        """Compare one picture."""
        picture = likeness(value)
        due = self._settings.at_least_s
        late = bool(due) and stamp.time - self._at >= due
        if self._latest is not None and not late:
            gap = difference(self._latest, picture)
        else:
            gap = float("inf")
        if gap < self._settings.threshold:
            return NOTHING
        self._latest, self._at = picture, stamp.time
        return StepOutput(value)


class BlurSettings(NamedTuple):
    """Settings of the step that blurs objects.

    Attributes:
        classes: Names of the classes to blur; empty: all objects.
    """

    classes: Tuple[str, ...] = ()


class Blur:
    """Makes objects unrecognisable in the picture that travels with them."""

    def __init__(self, name: str, settings: BlurSettings, context: AppContext) -> None:
        self._classes = frozenset(settings.classes)

    def process(self, stamp: FrameStamp, value: Any) -> StepOutput:
        """Blur the objects of one picture."""
        objects: Objects = value
        chosen = [not self._classes or one in self._classes for one in objects.labels]
        places = objects.corners[np.array(chosen, dtype=bool)]
        return StepOutput(objects._replace(pixels=blurred(objects.pixels, places)))


_TYPES = (
    StepType("crop", "Cut out a fixed part", kinds(PICTURES), kinds(PICTURES), CropSettings, Crop),
    StepType(
        "changed",
        "Let only changed pictures through",
        kinds(PICTURES),
        kinds(PICTURES),
        ChangedSettings,
        Changed,
    ),
    StepType(
        "blur",
        "Make objects unrecognisable",
        kinds(OBJECTS, TRACKS),
        kinds(OBJECTS),
        BlurSettings,
        Blur,
        shared=True,
        follows=True,
    ),
)
TYPES: Dict[str, StepType] = {one.name: one for one in _TYPES}
