"""Places of the boxes of an app, and of the curves between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import QPointF, QRectF, QSizeF

if TYPE_CHECKING:
    from studio.features.apps.results import AppPart

BOX = QSizeF(168, 72)
GAP_X, GAP_Y = 68, 16
MARGIN = 8
_LANE = 12
"""Height of the room that a connection has where it passes a column."""

_SWEEPS = 4

Key = tuple[str, ...]
"""A part (its name), or the place where a connection passes a column (both names, the column)."""


class BoxConnection(NamedTuple):
    """A connection of two boxes.

    Attributes:
        kind: What it carries.
        points: From the right side of a box to the left side of another, by way of the columns
            between them.
    """

    source: str
    target: str
    kind: str
    points: tuple[QPointF, ...]


class BoxPlacement(NamedTuple):
    """All boxes by the names of their parts, and the size of the whole."""

    boxes: Mapping[str, QRectF]
    connections: tuple[BoxConnection, ...]
    size: QSizeF


def place(parts: Sequence[AppPart]) -> BoxPlacement:
    """Return places from left to right: sources, steps behind their inputs, sinks last."""
    depths = _depths(parts)
    columns, routes = _columns(parts, depths)
    _order(columns, parts, routes)
    tops = _tops(columns)
    boxes = {part.name: _box(depths[part.name], tops[(part.name,)]) for part in parts}
    connections = tuple(
        BoxConnection(name, part.name, kind, _points(boxes, tops, routes[name, part.name]))
        for part in parts
        for name, kind in zip(part.inputs, kinds_of(part), strict=True)
    )
    width = max((box.right() for box in boxes.values()), default=0.0) + MARGIN
    height = max((box.bottom() for box in boxes.values()), default=0.0) + MARGIN
    lanes = [top + _LANE + MARGIN for key, top in tops.items() if len(key) > 1]
    return BoxPlacement(boxes, connections, QSizeF(width, max([height, *lanes])))


def kinds_of(part: AppPart) -> tuple[str, ...]:
    """Return what each input carries; nothing where an earlier program did not give it."""
    missing = len(part.inputs) - len(part.kinds)
    return (*part.kinds, *([""] * missing))


def _depths(parts: Sequence[AppPart]) -> dict[str, int]:
    """Return the column of each part; the parts come after their inputs."""
    depths: dict[str, int] = {}
    for part in parts:
        depths[part.name] = 1 + max((depths[name] for name in part.inputs), default=-1)
    last = max(depths.values(), default=0)
    depths.update({part.name: last for part in parts if part.group == "sink"})
    return depths


Routes = dict[tuple[str, str], tuple[Key, ...]]


def _columns(parts: Sequence[AppPart], depths: Mapping[str, int]) -> tuple[list[list[Key]], Routes]:
    """Return what is in each column, and the stations of each connection."""
    columns: list[list[Key]] = [[] for _ in range(max(depths.values(), default=-1) + 1)]
    routes: Routes = {}
    for part in parts:
        columns[depths[part.name]].append((part.name,))
        for name in part.inputs:
            between = range(depths[name] + 1, depths[part.name])
            passed = [(name, part.name, str(column)) for column in between]
            for column, key in zip(between, passed, strict=True):
                columns[column].append(key)
            routes[name, part.name] = ((name,), *passed, (part.name,))
    return columns, routes


def _order(columns: list[list[Key]], parts: Sequence[AppPart], routes: Routes) -> None:
    """Order each column by the mean place of its neighbours, so that few curves cross."""
    before: dict[Key, list[Key]] = {}
    after: dict[Key, list[Key]] = {}
    for stations in routes.values():
        for left, right in pairwise(stations):
            before.setdefault(right, []).append(left)
            after.setdefault(left, []).append(right)
    for sweep in range(_SWEEPS):
        forward = sweep % 2 == 0
        for column in columns if forward else reversed(columns):
            _sort(column, columns, before if forward else after)


def _sort(column: list[Key], columns: list[list[Key]], near: Mapping[Key, list[Key]]) -> None:
    places = {key: at for other in columns for at, key in enumerate(other)}

    def mean(key: Key) -> float:
        found = [places[one] for one in near.get(key, ())]
        return sum(found) / len(found) if found else float(places[key])

    column.sort(key=mean)


def _tops(columns: Sequence[Sequence[Key]]) -> dict[Key, float]:
    """Return the top of each key; columns are centred on the highest of them."""
    heights = [sum(map(_height, column)) + GAP_Y * (len(column) - 1) for column in columns]
    highest = max(heights, default=0)
    tops: dict[Key, float] = {}
    for column, height in zip(columns, heights, strict=True):
        top = MARGIN + (highest - height) / 2
        for key in column:
            tops[key] = top
            top += _height(key) + GAP_Y
    return tops


def _height(key: Key) -> float:
    return BOX.height() if len(key) == 1 else _LANE


def _left(column: int) -> float:
    return MARGIN + column * (BOX.width() + GAP_X)


def _box(column: int, top: float) -> QRectF:
    return QRectF(QPointF(_left(column), top), BOX)


def _points(
    boxes: Mapping[str, QRectF], tops: Mapping[Key, float], stations: Sequence[Key]
) -> tuple[QPointF, ...]:
    first, last = boxes[stations[0][0]], boxes[stations[-1][0]]
    found = [QPointF(first.right(), first.center().y())]
    for key in stations[1:-1]:
        left, y = _left(int(key[2])), tops[key] + _LANE / 2
        found += [QPointF(left, y), QPointF(left + BOX.width(), y)]
    return (*found, QPointF(last.left(), last.center().y()))
