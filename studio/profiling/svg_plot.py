"""A chart as SVG text: axes, grid, legend and marks in the units of the data.

It needs no library, so that a report costs a worker neither the time nor the memory of one.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import field
from html import escape

from studio.documents.palette import DIM, LINE, SURFACE, TEXT
from studio.lazy_dataclass import dataclass

WIDTH = 720.0
_FONT = 12
_LETTER = 7.2
"""Width of an average letter; there are no metrics of fonts here."""
_LINE = 18.0
_BOTTOM = 48.0
_TOP = 12.0
_RIGHT = 20.0
_LEAST_LEFT = 48.0
_MOST_LEFT = 300.0
LONGEST = 36
"""Letters of a name; of an axis label there may be more."""
_LONGEST_LABEL = 80
_FEW = 1e-9

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Axis:
    """The range of an axis with its label.

    Attributes:
        places: Ticks with their texts; round numbers where it is empty.
    """

    low: float
    high: float
    label: str
    places: tuple[tuple[float, str], ...] = ()
    count: int = 6

    def ticks(self) -> list[tuple[float, str]]:
        """Return the places of the ticks with their texts."""
        if self.places:
            return list(self.places)
        return [(value, number(value)) for value in nice(self.low, self.high, self.count)]


@dataclass(frozen=True, slots=True)
class Series:
    """Name and look of a series in the legend; dashes tell it from others without its colour."""

    name: str
    color: str
    dashes: str = ""


@dataclass(slots=True)
class Plot:
    """One chart that is drawn mark by mark; what lies outside its axes is cut off.

    Attributes:
        title, description: Names of the picture for people who do not see it.
        series: Lines of the legend, above the plot.
        grid: Axes with grid lines, of ``x`` and ``y``.
    """

    title: str
    description: str
    x: Axis
    y: Axis
    height: float = 300.0
    series: Sequence[Series] = ()
    grid: str = "xy"
    _marks: list[str] = field(default_factory=list)

    def line(self, points: Iterable[Point], series: Series, width: float = 2.0) -> None:
        """Draw a line through points."""
        for part in self._inside(list(points)):
            text = " ".join(f"{_short(self._x(x))},{_short(self._y(y))}" for x, y in part)
            self._marks.append(
                f'<polyline points="{text}" fill="none" stroke="{series.color}" '
                f'stroke-width="{width:g}" stroke-linejoin="round"{_dashed(series.dashes)}/>'
            )

    def dot(self, x: float, y: float, color: str, radius: float = 4.0) -> None:
        """Draw a point; its radius is in pixels."""
        if self._holds(x, y):
            self._marks.append(
                f'<circle cx="{_short(self._x(x))}" cy="{_short(self._y(y))}" '
                f'r="{radius:.3g}" fill="{color}"/>'
            )

    def interval(self, ends: tuple[Point, Point], color: str, width: float = 3.0) -> None:
        """Draw a range between two points, with caps at its ends."""
        if not all(map(math.isfinite, itertools.chain(*ends))):
            return
        (x1, y1), (x2, y2) = ((self._x(x), self._y(y)) for x, y in ends)
        across = (0.0, 4.0) if abs(y2 - y1) < abs(x2 - x1) else (4.0, 0.0)
        self._stroke((x1, y1), (x2, y2), color, width)
        for x, y in ((x1, y1), (x2, y2)):
            dx, dy = across
            self._stroke((x - dx, y - dy), (x + dx, y + dy), color, 1.5)

    def band(self, low: float, high: float, color: str) -> None:
        """Fill a range of the x axis."""
        low, high = max(low, self.x.low), min(high, self.x.high)
        width = self._x(high) - self._x(low)
        if width > 0:
            self._marks.append(
                f'<rect x="{_short(self._x(low))}" y="{_short(self._top)}" width="{_short(width)}" '
                f'height="{_short(self._bottom - self._top)}" fill="{color}" fill-opacity="0.6"/>'
            )

    def upright(self, x: float, color: str) -> None:
        """Draw a line from the bottom to the top."""
        if self.x.low <= x <= self.x.high:
            place = self._x(x)
            self._stroke((place, self._top), (place, self._bottom), color, 1.0)

    def level(self, y: float, color: str) -> None:
        """Draw a dashed line from the left to the right."""
        if self.y.low <= y <= self.y.high:
            place = self._y(y)
            self._stroke((self._left, place), (WIDTH - _RIGHT, place), color, 1.5, "6 4")

    def text(self, x: float, y: float, text: str, gap: float = 10.0) -> None:
        """Write to the right of a point, or to its left where there is no room.

        Args:
            gap: Pixels between the point and the text.
        """
        if not self._holds(x, y):
            return
        text = shortened(text)
        place, width = self._x(x) + gap, len(text) * _LETTER
        fits = place + width <= WIDTH
        anchor, place = ("start", place) if fits else ("end", self._x(x) - gap)
        self._marks.append(_label(place, self._y(y) + 4, text, TEXT, anchor))

    def svg(self) -> str:
        """Return the picture as an SVG element."""
        legend = list(self._legend())
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {self.height:g}" '
            f'width="{WIDTH:g}" height="{self.height:g}" role="img" '
            f'font-family="DejaVu Sans, system-ui, sans-serif" font-size="{_FONT}">',
            f"<title>{_safe(self.title)}</title>",
            f"<desc>{_safe(self.description)}</desc>",
            f'<rect width="{WIDTH:g}" height="{self.height:g}" fill="{SURFACE}"/>',
            *self._axes(),
            *self._marks,
            *legend,
            "</svg>",
        ]
        return "\n".join(parts)

    @property
    def _left(self) -> float:
        longest = max((len(shortened(text)) for _, text in self.y.ticks()), default=0)
        return min(_MOST_LEFT, max(longest * _LETTER + 14, _LEAST_LEFT))

    @property
    def _top(self) -> float:
        return _TOP + _LINE * (len(self._rows()) + bool(self.y.label))

    @property
    def _bottom(self) -> float:
        return self.height - _BOTTOM

    def _x(self, value: float) -> float:
        share = (value - self.x.low) / ((self.x.high - self.x.low) or 1.0)
        return self._left + share * (WIDTH - _RIGHT - self._left)

    def _y(self, value: float) -> float:
        share = (value - self.y.low) / ((self.y.high - self.y.low) or 1.0)
        return self._bottom - share * (self._bottom - self._top)

    def _holds(self, x: float, y: float) -> bool:
        return self.x.low <= x <= self.x.high and self.y.low <= y <= self.y.high

    def _inside(self, points: Sequence[Point]) -> Iterable[list[Point]]:
        """Yield the parts of a line within the x axis, each ended where it leaves it."""
        part: list[Point] = []
        for one, other in itertools.pairwise(points):
            cut = _cut(one, other, self.x.low, self.x.high)
            if cut is None:
                continue
            if part and part[-1] != cut[0]:
                yield part
                part = []
            part = [*(part or [cut[0]]), cut[1]]
        if part:
            yield part

    def _stroke(self, one: Point, other: Point, color: str, width: float, dashes: str = "") -> None:
        self._marks.append(_stroke(one, other, color, width, dashes))

    def _axes(self) -> Iterable[str]:
        left, right, top, bottom = self._left, WIDTH - _RIGHT, self._top, self._bottom
        for value, text in self.x.ticks():
            place = self._x(value)
            if "x" in self.grid:
                yield _stroke((place, top), (place, bottom), LINE, 1.0)
            yield _label(place, bottom + _LINE, shortened(text), DIM, "middle")
        for value, text in self.y.ticks():
            place = self._y(value)
            if "y" in self.grid:
                yield _stroke((left, place), (right, place), LINE, 1.0)
            yield _label(left - 8, place + 4, shortened(text), TEXT, "end")
        yield _stroke((left, bottom), (right, bottom), LINE, 1.5)
        yield _stroke((left, top), (left, bottom), LINE, 1.5)
        middle = (left + right) / 2
        yield _label(
            middle, self.height - 8, shortened(self.x.label, _LONGEST_LABEL), DIM, "middle"
        )
        if self.y.label:  # level, above the axis: easier to read, and any length fits
            yield _label(
                _RIGHT / 2, top - 10, shortened(self.y.label, _LONGEST_LABEL), DIM, "start"
            )

    def _rows(self) -> list[list[Series]]:
        """Return the legend in rows that are not wider than the picture."""
        rows: list[list[Series]] = []
        room = 0.0
        for one in self.series:
            width = _entry_width(one)
            if not rows or width > room:
                rows.append([])
                room = WIDTH - 2 * _RIGHT
            rows[-1].append(one)
            room -= width
        return rows

    def _legend(self) -> Iterable[str]:
        for index, row in enumerate(self._rows()):
            x, y = _RIGHT, _TOP + index * _LINE
            for one in row:
                yield _stroke((x, y), (x + 24, y), one.color, 2.5, one.dashes)
                yield _label(x + 30, y + 4, shortened(one.name), TEXT, "start")
                x += _entry_width(one)


def nice(low: float, high: float, most: int) -> list[float]:
    """Return round numbers within a range, up to a number."""
    span = high - low
    if not span > 0 or not math.isfinite(span):
        return [low] if math.isfinite(low) else []
    step = _step(span / max(1, most - 1))
    first = math.ceil(low / step - _FEW)
    last = math.floor(high / step + _FEW)
    return [round(index * step, 12) for index in range(first, last + 1)]


def number(value: float) -> str:
    """Return a number for a tick: short, with the sign that typography has for less than 0."""
    return f"{value:.6g}".replace("-", "\u2212")


def shortened(text: str, most: int = LONGEST) -> str:
    """Return a text that is no longer than a chart has room for; its middle is left out."""
    if len(text) <= most:
        return text
    return f"{text[: most // 2]}…{text[-(most // 2 - 1) :]}"


def _step(least: float) -> float:
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= least * 0.999)


def _cut(one: Point, other: Point, low: float, high: float) -> tuple[Point, Point] | None:
    """Return the part of a segment between two values of x, or None outside of it."""
    (x1, y1), (x2, y2) = one, other
    if not all(map(math.isfinite, (x1, y1, x2, y2))):
        return None
    if max(x1, x2) < low or min(x1, x2) > high:
        return None

    def at(x: float) -> Point:
        place = min(max(x, low), high)
        if place == x or x1 == x2:
            return (x, y1 if x == x1 else y2)
        return (place, y1 + (y2 - y1) * (place - x1) / (x2 - x1))

    return (at(x1) if x1 != x2 else one), (at(x2) if x1 != x2 else other)


def _entry_width(series: Series) -> float:
    return 30 + len(shortened(series.name)) * _LETTER + 22


def _stroke(one: Point, other: Point, color: str, width: float, dashes: str = "") -> str:
    (x1, y1), (x2, y2) = one, other
    return (
        f'<line x1="{_short(x1)}" y1="{_short(y1)}" x2="{_short(x2)}" y2="{_short(y2)}" '
        f'stroke="{color}" stroke-width="{width:g}"{_dashed(dashes)}/>'
    )


def _label(x: float, y: float, text: str, color: str, anchor: str) -> str:
    return (
        f'<text x="{_short(x)}" y="{_short(y)}" fill="{color}" '
        f'text-anchor="{anchor}">{_safe(text)}</text>'
    )


def _dashed(dashes: str) -> str:
    return f' stroke-dasharray="{dashes}"' if dashes else ""


def _short(value: float) -> str:
    """Return a length in pixels."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _safe(text: str) -> str:
    """Return a text as XML can hold it: escaped, without the characters that XML knows not."""
    return escape("".join(char if _is_xml(ord(char)) else "\ufffd" for char in text))


def _is_xml(code: int) -> bool:
    """Return whether XML 1.0 may hold a character."""
    if code < 0x20:
        return code in (0x9, 0xA, 0xD)
    return not 0xD800 <= code < 0xE000 and code & 0xFFFE != 0xFFFE
