"""Two histograms over the same bins, side by side: what is normal, and what is now."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF

from studio.gui.charts.chart import Drawing
from studio.gui.charts.plot import Axis, Plot, share_text
from studio.lazy_dataclass import dataclass
from studio.monitoring.endpoint.results import DriftSignal


@dataclass(frozen=True, slots=True)
class Shares(Drawing):
    """Shares of frames in each bin of a signal.

    Attributes:
        edges: Between the bins, one less than these.
        drifts: Whether what is now is no chance.
        labels: Names of the bins, where they are no ranges.
    """

    title: str
    edges: tuple[float, ...]
    reference: tuple[float, ...]
    recent: tuple[float, ...]
    drifts: bool
    labels: tuple[str, ...] = ()

    @classmethod
    def of(cls, signal: DriftSignal) -> Shares:
        """Return the shares of a signal."""
        reference, recent = _shares(signal.reference), _shares(signal.recent)
        return cls(signal.name, signal.edges, reference, recent, signal.drifts, signal.labels or ())

    def description(self) -> str:
        """Return the bin that has changed most, in words."""
        if not self.recent:
            return f"{self.title}: no window yet."
        gaps = [now - before for now, before in zip(self.recent, self.reference, strict=False)]
        most = max(range(len(gaps)), key=lambda number: abs(gaps[number]))
        return (
            f"{self.title}, {self._bin(most)}: {self.recent[most]:.0%} now, "
            f"{self.reference[most]:.0%} in the reference data."
        )

    def _bin(self, number: int) -> str:
        if number < len(self.labels):
            return self.labels[number]
        if number == 0:
            return f"up to {self.edges[0]:.3g}"
        if number == len(self.edges):
            return f"above {self.edges[-1]:.3g}"
        return f"{self.edges[number - 1]:.3g} to {self.edges[number]:.3g}"

    def draw(self, plot: Plot) -> None:
        """Draw a pair of bars for each bin; all are as wide, as the edges are quantiles."""
        now = "warning" if self.drifts else "accent"
        most = max((*self.reference, *self.recent), default=1.0) or 1.0
        marks = tuple((place + 0.5, f"{edge:.3g}") for place, edge in enumerate(self.edges))
        if self.labels:
            marks = tuple((float(place), name) for place, name in enumerate(self.labels))
        x = Axis(-0.6, len(self.reference) - 0.4, self.title, places=marks)
        plot.frame(x, Axis(0, 1.08 * most, text=share_text, count=4), top=plot.line + 4)
        for series, token, alpha, offset in (
            (self.reference, "dim", 0.5, -0.38),
            (self.recent, now, 1.0, 0.02),
        ):
            for place, share in enumerate(series):
                left, right = plot.x(place + offset), plot.x(place + offset + 0.36)
                top = plot.y(share)
                plot.bar(QRectF(left, top, right - left, plot.area.bottom() - top), token, alpha)
        plot.legend([("dim", "reference data"), *([(now, "last windows")] if self.recent else [])])


def _shares(counts: Sequence[float]) -> tuple[float, ...]:
    total = sum(counts)
    return tuple(count / total for count in counts) if total else ()
