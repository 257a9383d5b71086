"""Two histograms over the same bins, side by side: what is normal, and what is now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from studio.gui.charts.chart import Drawing
from studio.gui.theme import Theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class Shares(Drawing):
    """Shares of frames in each bin of a signal.

    Attributes:
        edges: Between the bins, one less than these.
        drifts: Whether what is now is no chance.
    """

    title: str
    edges: tuple[float, ...]
    reference: tuple[float, ...]
    recent: tuple[float, ...]
    drifts: bool

    @classmethod
    def of(cls, signal: Mapping[str, Any]) -> Shares:
        """From a signal as the monitor tells it."""
        return cls(
            str(signal.get("name") or ""),
            tuple(float(edge) for edge in signal.get("edges") or ()),
            _shares(signal.get("reference") or ()),
            _shares(signal.get("recent") or ()),
            bool(signal.get("drifts")),
        )

    def description(self) -> str:
        """The bin that has changed most, in words."""
        if not self.recent:
            return f"{self.title}: no window yet."
        gaps = [now - before for now, before in zip(self.recent, self.reference, strict=False)]
        most = max(range(len(gaps)), key=lambda number: abs(gaps[number]))
        return (
            f"{self.title}, {self._bin(most)}: {self.recent[most]:.0%} now, "
            f"{self.reference[most]:.0%} in the reference data."
        )

    def _bin(self, number: int) -> str:
        if number == 0:
            return f"up to {self.edges[0]:.3g}"
        if number == len(self.edges):
            return f"above {self.edges[-1]:.3g}"
        return f"{self.edges[number - 1]:.3g} to {self.edges[number]:.3g}"

    def draw(self, figure: Figure, theme: Theme) -> None:
        """Draw a pair of bars for each bin; all are as wide, as the edges are quantiles."""
        axes = figure.add_subplot()
        places = range(len(self.reference))
        now = theme.colors["warning" if self.drifts else "accent"]
        axes.bar(
            [place - 0.2 for place in places],
            self.reference,
            0.36,
            color=theme.colors["dim"],
            alpha=0.5,
            label="reference data",
        )
        if self.recent:
            axes.bar(
                [place + 0.2 for place in places],
                self.recent,
                0.36,
                color=now,
                label="last windows",
            )
        axes.set_xticks([place + 0.5 for place in range(len(self.edges))])
        axes.set_xticklabels([f"{edge:.3g}" for edge in self.edges], fontsize="small")
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
        axes.set_xlabel(self.title)
        axes.legend(frameon=False, ncols=2, loc="lower left", bbox_to_anchor=(0, 1), borderpad=0)


def _shares(counts: Sequence[float]) -> tuple[float, ...]:
    total = sum(counts)
    return tuple(count / total for count in counts) if total else ()
