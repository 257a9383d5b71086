"""Rates of several settings with their intervals, a group of points for each run."""

from __future__ import annotations

from PySide6.QtCore import QPointF

from studio.gui.charts.chart import Drawing
from studio.gui.charts.plot import Axis, Plot
from studio.lazy_dataclass import dataclass

_SPREAD = 0.5  # of the distance between settings, over which the runs of one setting stand


@dataclass(frozen=True, slots=True)
class Rate:
    """One run in one setting.

    Attributes:
        setting: Its name on the axis.
        low, high: Ends of the interval.
    """

    setting: str
    rate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Settings(Drawing):
    """A chart of rates by setting.

    Attributes:
        runs: Name, colour and rates of each.
    """

    runs: tuple[tuple[str, str, tuple[Rate, ...]], ...]
    x: str
    y: str

    def description(self) -> str:
        """Return the best setting of each run."""
        best = [
            (name, max(rates, key=lambda rate: rate.rate)) for name, _, rates in self.runs if rates
        ]
        told = "; ".join(f"{name} {one.rate:.4g} with {one.setting}" for name, one in best)
        return f"{self.y} by {self.x}. Best: {told or 'none'}."

    def draw(self, plot: Plot) -> None:
        """Draw a point with its interval for each."""
        names = list(dict.fromkeys(rate.setting for _, _, rates in self.runs for rate in rates))
        if not names:
            return
        top = 1.1 * max(rate.high for _, _, rates in self.runs for rate in rates)
        places = tuple((float(place), name) for place, name in enumerate(names))
        plot.frame(
            Axis(-0.6, len(names) - 0.4, self.x, places=places),
            Axis(0, top, self.y),
            top=plot.line + 4,
        )
        for number, (_, token, rates) in enumerate(self.runs):
            offset = _SPREAD * ((number + 0.5) / len(self.runs) - 0.5)
            for rate in rates:
                x = names.index(rate.setting) + offset
                plot.pen(token, 2.0)
                plot.painter.drawLine(plot.at(x, rate.low), plot.at(x, rate.high))
                place: QPointF = plot.at(x, rate.rate)
                plot.dot(place, token)
        plot.legend([(token, name) for name, token, _ in self.runs])
