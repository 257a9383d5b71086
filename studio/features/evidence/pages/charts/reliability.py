"""A reliability diagram: the share of right answers over the confidence of the model."""

from __future__ import annotations

from PySide6.QtCore import QRectF

from studio.features.evidence.groups.results import Calibration
from studio.gui.charts.chart import Drawing
from studio.gui.charts.plot import Axis, Plot, share_text
from studio.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Reliability(Drawing):
    """Bars of the share of right answers in each bin of confidence, with the ideal line."""

    calibration: Calibration

    def description(self) -> str:
        """Return the calibration error, and the worst bin."""
        found = self.calibration
        text = (
            f"Calibration: expected error {found.ece:.3f}, 95 % interval {found.low:.3f} to "
            f"{found.high:.3f}."
        )
        filled = [one for one in found.bins if one.samples]
        if not filled:
            return text
        worst = max(filled, key=lambda one: abs(one.right - one.confidence))
        return (
            f"{text} Largest gap at confidence {worst.confidence:.0%}: {worst.right:.0%} right of "
            f"{worst.samples}."
        )

    def draw(self, plot: Plot) -> None:
        """Draw the bars; a light one has few samples."""
        axis = Axis(0, 1, "confidence", share_text, 5)
        plot.frame(axis, Axis(0, 1.02, "share of right answers", share_text, 5), top=4)
        most = max((one.samples for one in self.calibration.bins), default=1) or 1
        for one in self.calibration.bins:
            if one.samples:
                left, right = plot.x(one.low) + 1, plot.x(one.high) - 1
                top = plot.y(one.right)
                alpha = 0.35 + 0.65 * (one.samples / most) ** 0.5
                bar = QRectF(left, top, right - left, plot.area.bottom() - top)
                plot.bar(bar, "accent", alpha)
                plot.curve([(one.low, one.confidence), (one.high, one.confidence)], "text", 1.4)
        plot.curve([(0, 0), (1, 1)], "dim", 1.2, dashed=True)
