"""Objects and frames for tests of steps: boxes on paths, and a step made of its settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import cast

import numpy as np

from studio.runtime.apps.catalog import STEPS
from studio.runtime.apps.items import Event, FrameStamp, Objects, StepOutput
from studio.runtime.apps.parts import AppContext, StepProcessor
from studio.runtime.apps.settings import read_settings

PIXELS = np.zeros((1, 1, 3), np.uint8)
NO_CONTEXT = cast("AppContext", None)
SIZE = (30.0, 80.0)


def stamp(time: float, number: int = 0) -> FrameStamp:
    """A frame of the camera at some second."""
    return FrameStamp("camera", number, time, 1.7e9 + time, 0.0)


def standing(
    feet: Sequence[tuple[float, float]],
    ids: Sequence[int] | None = None,
    labels: Sequence[str] | None = None,
    scores: Sequence[float] | None = None,
    size: tuple[float, float] = SIZE,
) -> Objects:
    """Objects by the middle of their lower edges."""
    points = np.array(feet, dtype=np.float64).reshape(-1, 2)
    width, height = size
    corners = np.column_stack(
        [points[:, 0] - width / 2, points[:, 1] - height, points[:, 0] + width / 2, points[:, 1]]
    )
    count = len(points)
    found = np.array([0.9] * count if scores is None else scores)
    numbers = None if ids is None else np.array(ids, dtype=np.int64)
    return Objects(PIXELS, corners, found, tuple(labels or ["person"] * count), numbers)


def step(type_name: str, settings: Mapping[str, object], name: str = "gate") -> StepProcessor:
    """A step of a kind, with the settings of a description.

    Raises:
        AppError: as the step does.
    """
    kind = STEPS[type_name]
    return kind.make(name, read_settings(kind.settings, settings, "steps." + name), NO_CONTEXT)


def walk(
    one: StepProcessor, path: Iterable[tuple[float, float]], fps: float = 10.0, track: int = 1
) -> list[Event]:
    """Events of a step while one track walks along a path, a point a frame."""
    events: list[Event] = []
    for number, foot in enumerate(path):
        output: StepOutput = one.process(stamp(number / fps, number), standing([foot], [track]))
        events += output.events
    return events
