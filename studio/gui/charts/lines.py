"""Lines over time or over a rate, with a limit and the stretches in which something was wrong."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF

from studio.gui.charts.chart import Drawing
from studio.gui.charts.plot import Axis, Plot
from studio.lazy_dataclass import dataclass

_ROOM = 0.04
_FEW = 40
TOKENS = ("accent", "warning", "good", "dim", "bad")
"""Colours of the lines, in their order."""


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a chart.

    Attributes:
        points: In the order of x.
        dashed: For the second figure of the same thing.
    """

    name: str
    points: tuple[tuple[float, float], ...]
    token: str
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Lines(Drawing):
    """Several lines over one pair of axes that starts at zero.

    Attributes:
        limit: A value that is not to be exceeded.
        mark: A place on the horizontal axis that was found.
        marked: Stretches of the horizontal axis in which something was wrong, and what.
    """

    series: tuple[Series, ...]
    x: str
    y: str
    limit: float | None = None
    mark: float | None = None
    marked: tuple[tuple[float, float], ...] = ()
    wrong: str = ""

    def description(self) -> str:
        """Return the ends of each line, in a sentence."""
        ends = "; ".join(
            f"{one.name} from {one.points[0][1]:.3g} to {one.points[-1][1]:.3g}"
            for one in self.series
            if one.points and not one.dashed
        )
        limit = "" if self.limit is None else f" The limit is {self.limit:g}."
        long = sum(right - left for left, right in self.marked)
        wrong = f" {self.wrong.capitalize()} for {long:.3g} {self.x}." if self.marked else ""
        return f"{self.y} over {self.x}: {ends or 'nothing yet'}.{limit}{wrong}"

    def draw(self, plot: Plot) -> None:
        """Draw the lines; few points are marked one by one."""
        every = [point for one in self.series for point in one.points]
        if not every:
            return
        low, high = min(x for x, _ in every), max(x for x, _ in every)
        room = _ROOM * (high - low) or 0.5
        top = 1.1 * max(*(y for _, y in every), self.limit or 0.0) or 1.0
        start = 0.0 if low < 0.5 * high else low - room
        plot.frame(Axis(start, high + room, self.x), Axis(0, top, self.y), top=plot.line + 4)
        for left, right in self.marked:
            x = plot.x(left)
            plot.bar(QRectF(x, plot.area.top(), max(2.0, plot.x(right) - x), plot.area.height()),
                     "bad", 0.14)  # fmt: skip
        if self.limit is not None:
            plot.curve(((start, self.limit), (high + room, self.limit)), "bad", 1.2, dashed=True)
        if self.mark is not None:
            plot.pen("accent", 1.0)
            x = plot.x(self.mark)
            plot.painter.drawLine(QPointF(x, plot.area.top()), QPointF(x, plot.area.bottom()))
        for one in self.series:
            plot.curve(one.points, one.token, 1.2 if one.dashed else 1.8, dashed=one.dashed)
            if len(one.points) <= _FEW:
                for x, y in one.points:
                    plot.dot(plot.at(x, y), one.token, 2.6)
        names = [(one.token, one.name) for one in self.series]
        plot.legend([*names, *([("bad", self.wrong)] if self.marked else [])])
