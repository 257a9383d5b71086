"""The values of a tensor as bars, with the range that its levels span."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from studio.gui.charts.chart import Drawing
from studio.gui.theme import Theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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
    def of(cls, title: str, values: Mapping[str, Any]) -> Histogram:
        """From what a transform tells of a layer."""
        span = values.get("range")
        return cls(
            title,
            float(values["low"]),
            float(values["high"]),
            tuple(int(count) for count in values["counts"]),
            (float(span[0]), float(span[1])) if span else None,
        )

    def description(self) -> str:
        """The range in words."""
        ends = f"{self.title}: values from {self.low:.4g} to {self.high:.4g}"
        if self.span is None:
            return f"{ends}, in float."
        return f"{ends}; the levels span {self.span[0]:.4g} to {self.span[1]:.4g}."

    def draw(self, figure: Figure, theme: Theme) -> None:
        """Draw the bars on a logarithmic scale, so that the few large values are seen."""
        import numpy as np

        axes = figure.add_subplot()
        axes.set_xlabel(self.title)
        axes.spines["left"].set_visible(False)
        axes.set_yticks([])
        axes.locator_params(axis="x", nbins=5)
        edges = np.linspace(self.low, self.high, len(self.counts) + 1)
        if self.low == self.high:
            edges = np.array([self.low - 0.5, self.high + 0.5])
        heights = np.log1p(np.array(self.counts, dtype=float))
        width = float(edges[1] - edges[0])
        axes.bar(edges[:-1], heights, width, align="edge", color=theme.colors["accent"], alpha=0.55)
        if self.span is not None:
            top = float(heights.max()) * 1.08 or 1.0
            for end in self.span:
                axes.axvline(end, color=theme.colors["warning"], linewidth=1.4)
            axes.axvspan(*self.span, color=theme.colors["warning"], alpha=0.08, linewidth=0)
            axes.set_ylim(0, top)
        low = min(self.low, self.span[0]) if self.span else self.low
        high = max(self.high, self.span[1]) if self.span else self.high
        room = 0.04 * (high - low) or 0.5
        axes.set_xlim(low - room, high + room)
