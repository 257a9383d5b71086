"""Lines and areas of an app: from its settings, and back into them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from studio.documents.dataclass_json import JsonValue, from_json
from studio.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from studio.features.apps.results import AppPart

Point = tuple[float, float]

LINE, AREA, LINES, QUAD = "line", "area", "lines", "points"
_BY_TYPE = {"line": LINE, "zone": AREA, "queue": AREA, "select": AREA, "speed": LINES}
"""What a step draws when its settings have no line and no area yet."""

_MOST_POINTS = 64


@dataclass(frozen=True, slots=True)
class Shape:
    """A line or an area of a step.

    Attributes:
        form: LINE, AREA, one of LINES, or QUAD (four points of the ground).
        points: In pixels of the frame.
    """

    step: str
    form: str
    points: tuple[Point, ...]

    @property
    def closed(self) -> bool:
        """Whether the last point is joined to the first."""
        return self.form in (AREA, QUAD)

    @property
    def least(self) -> int:
        """Least number of points."""
        return {AREA: 3, QUAD: 4}.get(self.form, 2)

    @property
    def most(self) -> int:
        """Most points."""
        return {AREA: _MOST_POINTS, QUAD: 4}.get(self.form, 2)

    @property
    def noun(self) -> str:
        """Word for people."""
        return "area" if self.closed else "line"

    def moved(self, number: int, point: Point) -> Shape:
        """Return it with another place of one point."""
        return replace(self, points=(*self.points[:number], point, *self.points[number + 1 :]))

    def without(self, number: int) -> Shape:
        """Return it without one point."""
        return replace(self, points=(*self.points[:number], *self.points[number + 1 :]))

    def inserted(self, number: int, point: Point) -> Shape:
        """Return it with one more point before another."""
        return replace(self, points=(*self.points[:number], point, *self.points[number:]))


@dataclass(frozen=True, slots=True)
class _Geometry:
    """Settings of a step that are drawn, as they are written; None without one."""

    start: JsonValue = None
    end: JsonValue = None
    area: JsonValue = None
    lines: JsonValue = None
    points: JsonValue = None


def _geometry(part: AppPart) -> _Geometry:
    return from_json(_Geometry, part.settings)


def form_of(part: AppPart) -> str:
    """Return what a part draws; empty for nothing."""
    if part.group != "step":
        return ""
    given = _geometry(part)
    if _points(given.points):
        return QUAD
    return _BY_TYPE.get(part.type, AREA if given.area else "")


def shapes_of(parts: Iterable[AppPart]) -> tuple[Shape, ...]:
    """Return the lines and areas of all steps, as their settings give them."""
    return tuple(shape for part in parts for shape in _shapes(part))


def _shapes(part: AppPart) -> list[Shape]:
    form, given = form_of(part), _geometry(part)
    if form == LINE:
        found = [_points([given.start, given.end])]
    elif form == LINES:
        found = [_points(_halves(line)) for line in _list(given.lines)]
    elif form == QUAD:
        found = [_points(given.points)]
    else:
        found = [_points(given.area)] if form else []
    return [Shape(part.name, form, points) for points in found if len(points) >= 2]


def settings_of(shapes: Sequence[Shape]) -> dict[str, JsonValue]:
    """Return the settings of one step with these shapes; empty where they are not complete."""
    if not shapes:
        return {}
    first = shapes[0]
    if first.form == LINE:
        start, end = first.points
        return {"start": _written(start), "end": _written(end)}
    if first.form == LINES:
        lines: list[JsonValue] = [
            [value for point in one.points for value in _written(point)] for one in shapes
        ]
        return {"lines": lines} if len(lines) == 2 else {}
    key = "points" if first.form == QUAD else "area"
    return {key: [_written(point) for point in first.points]}


def sources_of(parts: Sequence[AppPart]) -> dict[str, frozenset[str]]:
    """Return the sources whose frames reach each part; the parts come after their inputs."""
    reach: dict[str, frozenset[str]] = {}
    for part in parts:
        own = frozenset([part.name]) if part.group == "source" else frozenset[str]()
        reach[part.name] = own.union(*(reach[name] for name in part.inputs))
    return reach


def setting_texts(settings: Mapping[str, JsonValue]) -> list[tuple[str, str]]:
    """Return settings as name and value for people."""
    return [(name, _text(value)) for name, value in settings.items()]


def _text(value: JsonValue) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        inner = (f"({_text(one)})" if isinstance(one, list) else _text(one) for one in value)
        return ", ".join(inner) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_text(one)}" for name, one in value.items()) or "none"
    return str(value)


def _written(point: Point) -> list[JsonValue]:
    return [int(value) if value == int(value) else round(value, 1) for value in point]


def _list(value: JsonValue) -> list[JsonValue]:
    return list(value) if isinstance(value, list | tuple) else []


def _halves(line: JsonValue) -> list[JsonValue]:
    values = _list(line)
    return [values[:2], values[2:]]


def _points(value: JsonValue) -> tuple[Point, ...]:
    """Return a list of pairs of numbers; empty for anything else."""
    found: list[Point] = []
    for one in _list(value):
        pair = _list(one)
        if len(pair) != 2 or not all(isinstance(number, int | float) for number in pair):
            return ()
        found.append((float(pair[0]), float(pair[1])))  # type: ignore[arg-type]
    return tuple(found)
