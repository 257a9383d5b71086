"""The values of a tensor as bars, with the range that its levels span."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF

from studio.gui.charts.chart import Drawing
from studio.gui.charts.plot import Axis, Plot
from studio.lazy_dataclass import dataclass
from studio.quantization.results import ValueHistogram


@dataclass(frozen=True, slots=True)
class Histogram(Drawing):
    """Counts in equal bins between the lowest and the highest value.

    Attributes:
        span: Both ends of the range; None for a tensor in float.
    """

    title: str
    low: float
    high: float
    counts: tuple[int, ...]
    span: tuple[float, float] | None = None

    @classmethod
    def of(cls, title: str, values: ValueHistogram) -> Histogram:
        """Return the picture of a layer's values that a transform reports."""
        return cls(title, values.low, values.high, values.counts, values.range)

    def description(self) -> str:
        """Return the range in words."""
        ends = f"{self.title}: values from {self.low:.4g} to {self.high:.4g}"
        if self.span is None:
            return f"{ends}, in float."
        return f"{ends}; the levels span {self.span[0]:.4g} to {self.span[1]:.4g}."

    def draw(self, plot: Plot) -> None:
        """Draw the bars on a logarithmic scale, so that the few large values are seen."""
        low, high = self.low, self.high
        if low == high:
            low, high = low - 0.5, high + 0.5
        ends = (low, high, *(self.span or ()))
        room = 0.04 * (max(ends) - min(ends)) or 0.5
        heights = [math.log1p(count) for count in self.counts]
        top = 1.08 * max(heights, default=0.0) or 1.0
        plot.frame(Axis(min(ends) - room, max(ends) + room, self.title), None)
        plot_y = Axis(0, top)
        if self.span is not None:
            left, right = (plot.x(end) for end in self.span)
            plot.bar(
                QRectF(left, plot.area.top(), right - left, plot.area.height()), "warning", 0.08
            )
        width = (high - low) / (len(heights) or 1)
        for number, height in enumerate(heights):
            left, right = (plot.x(low + (number + each) * width) for each in (0, 1))
            tall = plot_y.share(height) * plot.area.height()
            plot.bar(QRectF(left, plot.area.bottom() - tall, right - left, tall), "accent", 0.55)
        for end in self.span or ():
            plot.pen("warning", 1.4)
            x = plot.x(end)
            plot.painter.drawLine(QPointF(x, plot.area.top()), QPointF(x, plot.area.bottom()))
