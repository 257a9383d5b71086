"""Step that gives fixed boxes of a picture names: facings of a shelf, lamps of a panel."""

from __future__ import annotations

from typing import Any, Dict, Mapping, NamedTuple, Tuple

import numpy as np

from ..items import OBJECTS, PICTURES, FrameStamp, Objects, StepOutput
from ..parts import AppContext, StepType, kinds
from ..settings import AppError

_MOST_SLOTS = 1000


class SlotsSettings(NamedTuple):
    """Settings of named boxes.

    Attributes:
        boxes: Left, top, right, bottom in pixels of each slot, by its name.
    """

    boxes: Mapping[str, Tuple[float, ...]]


class Slots:
    """Objects at fixed places, whose labels are the names of the slots."""

    def __init__(self, name: str, settings: SlotsSettings, context: AppContext) -> None:
        """Check the boxes.

        Raises:
            AppError: for a box without an area, and for too few or too many boxes.
        """
        place = "steps." + name
        if not 1 <= len(settings.boxes) <= _MOST_SLOTS:
            raise AppError("{} needs 1 to {:,} boxes.".format(place, _MOST_SLOTS))
        for slot, box in settings.boxes.items():
            if len(box) != 4 or min(box) < 0 or box[0] >= box[2] or box[1] >= box[3]:
                sentence = "{}: the box {} is left, top, right and bottom in pixels."
                raise AppError(sentence.format(place, slot))
        self._labels = tuple(settings.boxes)
        self._corners = np.array([settings.boxes[one] for one in self._labels], dtype=np.float64)

    def process(self, stamp: FrameStamp, value: Any) -> StepOutput:
        """Give the slots of one picture.

        Raises:
            ValueError: when a slot lies outside the picture.
        """
        height, width = value.shape[:2]
        outside = (self._corners[:, 2] > width) | (self._corners[:, 3] > height)
        if outside.any():
            slot = self._labels[int(outside.argmax())]
            sentence = "the slot {} lies outside the picture of {} x {}"
            raise ValueError(sentence.format(slot, width, height))
        scores = np.ones(len(self._labels))
        return StepOutput(Objects(value, self._corners.copy(), scores, self._labels))


TYPES: Dict[str, StepType] = {
    "slots": StepType(
        "slots",
        "Give fixed boxes of a picture names, as objects",
        kinds(PICTURES),
        kinds(OBJECTS),
        SlotsSettings,
        Slots,
        shared=True,
    )
}
