"""Shares of features in a score as bars to the left and right of zero, the largest first."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF

from studio.features.evidence.explanations.results import FeatureShare
from studio.gui.charts.chart import Drawing
from studio.gui.charts.plot import Plot
from studio.lazy_dataclass import dataclass

LINE = 22
MOST = 16
"""Features that are shown."""

_NAMES = 0.46
_VALUE = 64.0
_WORDS = "raises the score", "lowers the score"


@dataclass(frozen=True, slots=True)
class FeatureBars(Drawing):
    """A bar for each feature: blue raises the score, amber lowers it; the sign is written too."""

    features: tuple[FeatureShare, ...]

    @property
    def shown(self) -> tuple[FeatureShare, ...]:
        """The features with the largest shares."""
        return tuple(sorted(self.features, key=lambda one: -abs(one.share))[:MOST])

    def description(self) -> str:
        """Return the features with the largest shares."""
        texts = [f"{one.name} {one.share:+.3g}" for one in self.shown[:5]]
        return f"Largest shares: {', '.join(texts)}."

    def draw(self, plot: Plot) -> None:
        """Draw the bars below a legend."""
        rect = plot.rect
        plot.area = rect.adjusted(4, LINE, -4, 0)
        plot.legend([("accent", _WORDS[0]), ("warning", _WORDS[1])])
        names = _NAMES * rect.width()
        top = max((abs(one.share) for one in self.shown), default=0) or 1
        reach = (rect.width() - names - _VALUE) / 2
        middle = rect.left() + names + reach
        for number, one in enumerate(self.shown):
            y = rect.top() + LINE * (number + 1.5)
            text = plot.fitted(f"{one.name} = {one.value:.4g}", names - 8)
            plot.text(QPointF(rect.left() + 4, y), text)
            end = middle + reach * one.share / top
            token = "accent" if one.share > 0 else "warning"
            bar = QRectF(min(middle, end), y - 7, abs(end - middle), 14)
            plot.painter.fillRect(bar, plot.color(token))
            plot.text(QPointF(rect.right() - 2, y), f"{one.share:+.3g}", "dim", -1)
        plot.pen("border_strong")
        plot.painter.drawLine(QPointF(middle, rect.top() + LINE), QPointF(middle, rect.bottom()))


@dataclass(frozen=True, slots=True)
class TokenShares(Drawing):
    """The tokens of a text in lines, each on the colour of its share."""

    features: tuple[FeatureShare, ...]

    def description(self) -> str:
        """Return the tokens with the largest shares."""
        largest = sorted(self.features, key=lambda one: -abs(one.share))[:5]
        return f"Largest shares: {', '.join(f'{one.name} {one.share:+.3g}' for one in largest)}."

    def draw(self, plot: Plot) -> None:
        """Draw the tokens below a legend; what finds no room is left out."""
        rect = plot.rect
        plot.area = rect.adjusted(4, LINE, -4, 0)
        plot.legend([("accent", _WORDS[0]), ("warning", _WORDS[1])])
        top = max((abs(one.share) for one in self.features), default=0) or 1
        left, y = rect.left() + 4, rect.top() + 1.5 * LINE
        for one in self.features:
            text = plot.fitted(one.name, rect.width() - 16)
            width = plot.width(text) + 8
            if left + width > rect.right() and left > rect.left() + 4:
                left, y = rect.left() + 4, y + LINE + 4
            if y + LINE / 2 > rect.bottom():
                return
            token = "accent" if one.share > 0 else "warning"
            box = QRectF(left, y - LINE / 2, width, LINE)
            plot.filled_outside(box, token, 0.5 * abs(one.share) / top)
            plot.text(QPointF(left + 4, y), text)
            left += width + 4
