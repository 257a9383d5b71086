"""Step that follows objects from frame to frame."""

from __future__ import annotations

from typing import Any, Dict

import numpy as np

from ..items import OBJECTS, TRACKS, FrameStamp, Objects, StepOutput
from ..parts import AppContext, StepType, kinds
from ..settings import AppError
from ..tracking.tracker import Tracker, TrackerSettings


class Track:
    """Gives objects the numbers of their tracks; those that are not confirmed are left out."""

    def __init__(self, name: str, settings: TrackerSettings, context: AppContext) -> None:
        """Check the settings.

        Raises:
            AppError: for a share that is not from 0 to 1, and for times that are too long.
        """
        place = "steps.{}: ".format(name)
        if not 0 <= settings.low <= settings.threshold <= 1:
            raise AppError(place + "low and threshold are from 0 to 1, low the smaller one.")
        if not 0 < settings.overlap <= 1:
            raise AppError(place + "overlap is above 0 and at most 1.")
        if not 0 < settings.keep_s <= 60:
            raise AppError(place + "keep_s is above 0 and at most 60 seconds.")
        if not 1 <= settings.confirm <= 100:
            raise AppError(place + "confirm is from 1 to 100 frames.")
        self._tracker = Tracker(settings)
        self._vote = settings.vote

    def process(self, stamp: FrameStamp, value: Any) -> StepOutput:
        """Number the objects of one frame."""
        objects: Objects = value
        ids = self._tracker.update(stamp.time, objects.corners, objects.scores, objects.labels)
        rows = np.flatnonzero(ids)
        tracks = objects.chosen(rows)._replace(ids=ids[rows])
        if self._vote:
            tracks = tracks._replace(labels=self._tracker.classes())
        return StepOutput(tracks)


_TYPES = (
    StepType(
        "track",
        "Follow objects from frame to frame",
        kinds(OBJECTS),
        kinds(TRACKS),
        TrackerSettings,
        Track,
    ),
)
TYPES: Dict[str, StepType] = {one.name: one for one in _TYPES}
