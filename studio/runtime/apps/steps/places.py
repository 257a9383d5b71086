"""Lines, areas and anchors in the settings of steps."""

from __future__ import annotations

from typing import Sequence

import numpy as np

from ..geometry import ANCHORS
from ..settings import AppError


def checked_anchor(place: str, anchor: str) -> str:
    """Return an anchor that exists.

    Raises:
        AppError: for another one.
    """
    if anchor not in ANCHORS:
        raise AppError("{}: anchor is {}.".format(place, ", ".join(ANCHORS)))
    return anchor


def checked_line(place: str, start: Sequence[float], end: Sequence[float]) -> np.ndarray:
    """Return both ends of a line, 2 x 2.

    Raises:
        AppError: when they are no two points.
    """
    if len(start) != 2 or len(end) != 2:
        raise AppError("{}: each end of a line is [x, y].".format(place))
    line = np.array([start, end], dtype=np.float64)
    if np.hypot(*(line[1] - line[0])) < 1:
        raise AppError("{}: the two ends of a line are one point.".format(place))
    return line


def checked_area(place: str, area: Sequence[Sequence[float]]) -> np.ndarray:
    """Return the corners of a polygon, n x 2.

    Raises:
        AppError: when they are fewer than three, or enclose nothing.
    """
    if len(area) < 3 or any(len(point) != 2 for point in area):
        raise AppError("{}: area is a list of at least three points.".format(place))
    corners = np.array(area, dtype=np.float64)
    after = np.roll(corners, -1, axis=0)
    if abs(float((corners[:, 0] * after[:, 1] - corners[:, 1] * after[:, 0]).sum())) < 2:
        raise AppError("{}: the area encloses nothing.".format(place))
    return corners


def checked_share(place: str, name: str, value: float) -> float:
    """Return a share of an object's height.

    Raises:
        AppError: when it is not from 0 to 1.
    """
    if not 0 <= value <= 1:
        raise AppError("{}: {} is from 0 to 1.".format(place, name))
    return value


def checked_seconds(place: str, name: str, value: float, least: float = 0.0) -> float:
    """Return a duration.

    Raises:
        AppError: when it is shorter than the least, or longer than a day.
    """
    if not least <= value <= 86_400:
        raise AppError("{}: {} is from {:g} to 86,400 seconds.".format(place, name, least))
    return value
