"""Latency distributions of several runs over one axis: a violin each, in rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from statistics import pstdev

from PySide6.QtCore import QPointF

from studio.gui.charts.chart import Drawing
from studio.gui.charts.plot import Axis, Plot
from studio.lazy_dataclass import dataclass

_POINTS = 96
_MOST_SHOWN = 6
_ROOM = 0.78  # of a row's height below its name, for the violin


@dataclass(frozen=True, slots=True)
class Spread:
    """The latencies of one run.

    Attributes:
        samples: In milliseconds; percentiles at equal steps do as well.
        p50: Shown next to the name, and as a line.
        token: Theme colour (``accent`` for the selected one, ``dim`` for the others).
    """

    name: str
    samples: tuple[float, ...]
    p50: float
    token: str = "dim"


def density(samples: Sequence[float], grid: Sequence[float]) -> list[float]:
    """Return a smooth density of samples over a grid, its peak at 1.

    Gaussian kernels with Silverman's rule of thumb on the robust spread (the lesser of the
    standard deviation and IQR / 1.34), so that a few late outliers do not blur the peak.
    """
    low, high = quantile(samples, 0.25), quantile(samples, 0.75)
    deviation = pstdev(samples)
    spread = min(deviation, (high - low) / 1.34) or deviation
    span = (grid[-1] - grid[0]) or 1.0
    width = max(0.9 * spread * len(samples) ** -0.2, span / (2 * _POINTS))
    exp = math.exp
    heights = [sum(exp(-0.5 * ((x - each) / width) ** 2) for each in samples) for x in grid]
    top = max(heights) or 1.0
    return [height / top for height in heights]


def quantile(samples: Sequence[float], share: float) -> float:
    """Return a quantile, interpolated linearly."""
    ordered = sorted(samples)
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def _end(samples: Sequence[float]) -> float:
    """Return where an axis may end: the 99th percentile, unless that is far out in the tail.

    Far is beyond the outer fence of a box plot, the upper quartile and three times its range.
    """
    low, high, late = (quantile(samples, share) for share in (0.25, 0.75, 0.99))
    return min(late, high + 3 * (high - low)) if high > low else late


@lru_cache(maxsize=64)
def _violin(samples: tuple[float, ...], low: float, high: float) -> tuple[tuple[float, float], ...]:
    """Places and half widths; worked out once, as a chart is painted often."""
    grid = [low + (high - low) * index / (_POINTS - 1) for index in range(_POINTS)]
    kept = samples if len(samples) <= 101 else samples[:: len(samples) // 101]
    return tuple(zip(grid, density(kept, grid), strict=True))


@dataclass(frozen=True, slots=True)
class Distribution(Drawing):
    """A row for each run: its name and median, the shape of its latencies, its p50 and p90."""

    spreads: tuple[Spread, ...]

    def description(self) -> str:
        """Return name and median of each run."""
        shown = "; ".join(f"{spread.name} {spread.p50:.3g} ms" for spread in self._shown())
        return f"Latency distributions. Medians: {shown}."

    def _shown(self) -> list[Spread]:
        """Return the first ones, with the selected one among them."""
        usable = [spread for spread in self.spreads if len(spread.samples) > 1]
        chosen = [spread for spread in usable if spread.token == "accent"]
        first = [spread for spread in usable if spread not in chosen]
        kept = [*chosen, *first][:_MOST_SHOWN]
        return [spread for spread in usable if spread in kept]

    def draw(self, plot: Plot) -> None:
        """Draw the rows from the lowest latency to where the slowest run's tail gets thin."""
        shown = self._shown()
        if not shown:
            return
        low = min(min(spread.samples) for spread in shown)
        high = max(_end(spread.samples) for spread in shown)
        room = 0.08 * (high - low) or 0.1 * high or 1.0
        low, high = max(low - room, 0.0), high + room
        plot.frame(Axis(low, high, "latency, ms"), None)
        height = plot.area.height() / len(shown)
        for number, spread in enumerate(shown):
            self._row(plot, spread, plot.area.top() + number * height, height, (low, high))

    @staticmethod
    def _row(
        plot: Plot, spread: Spread, top: float, height: float, ends: tuple[float, float]
    ) -> None:
        name = min(plot.line, 0.45 * height)
        middle = top + name + (height - name) / 2
        half = _ROOM * (height - name) / 2
        outline = [(plot.x(x), half * y) for x, y in _violin(spread.samples, *ends)]
        shape = [QPointF(x, middle - y) for x, y in outline]
        shape += [QPointF(x, middle + y) for x, y in reversed(outline)]
        plot.filled(shape, spread.token, 0.45)
        for value, tall, width in ((spread.p50, 1.0, 2.0), (quantile(spread.samples, 0.9), 0.6, 1)):
            if value <= ends[1]:
                plot.pen(spread.token, width)
                x = plot.x(value)
                plot.painter.drawLine(
                    QPointF(x, middle - tall * half), QPointF(x, middle + tall * half)
                )
        figure = f"{spread.p50:.3g}"
        room = plot.area.width() - plot.width(figure) - 16
        place = QPointF(plot.area.left(), top + name / 2)
        plot.text(place, f"{plot.fitted(spread.name, room)}  {figure}")
