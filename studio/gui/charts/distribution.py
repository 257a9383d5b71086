"""Latency distributions of several runs over one axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from studio.gui.charts.chart import Drawing
from studio.gui.theme import Theme

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

_POINTS = 240
_MOST_SHOWN = 5
_TICKS = 5
_LATE = 0.7  # beyond this share of the axis a name stands left of its line


@dataclass(frozen=True, slots=True)
class Spread:
    """The latencies of one run.

    Attributes:
        samples: In milliseconds.
        p50: Shown beside the name, and as a line.
        token: Theme colour (``accent`` for the selected one, ``dim`` for the baseline).
    """

    name: str
    samples: tuple[float, ...]
    p50: float
    token: str = "dim"


def density(samples: Sequence[float], grid: NDArray[np.float64]) -> NDArray[np.float64]:
    """A smooth density of samples over a grid, its peak at 1.

    Gaussian kernels with Silverman's rule of thumb on the robust spread (the lesser of the
    standard deviation and IQR / 1.34), so that a few late outliers do not blur the peak.
    """
    import numpy as np  # here, so that it is loaded by the drawing thread

    values = np.asarray(samples, dtype=np.float64)
    low, high = np.percentile(values, [25, 75])
    spread = min(float(values.std()), (high - low) / 1.34) or float(values.std())
    span = float(grid[-1] - grid[0]) or 1.0
    width = max(0.9 * spread * len(values) ** -0.2, span / _POINTS)
    heights = np.exp(-0.5 * ((grid[:, None] - values[None, :]) / width) ** 2).sum(axis=1)
    return np.asarray(heights / heights.max(), dtype=np.float64)


def _end(samples: Sequence[float]) -> float:
    """Where an axis may end: the 99th percentile, unless that is far out in the tail.

    Far is beyond the outer fence of a box plot, the upper quartile and three times its range.
    """
    import numpy as np

    low, high, late = (float(value) for value in np.percentile(samples, [25, 75, 99]))
    return min(late, high + 3 * (high - low)) if high > low else late


@dataclass(frozen=True, slots=True)
class Distribution(Drawing):
    """Filled densities, each named at its peak."""

    spreads: tuple[Spread, ...]

    def description(self) -> str:
        """Name and median of each run."""
        shown = "; ".join(f"{spread.name} {spread.p50:.3g} ms" for spread in self._shown())
        return f"Latency distributions. Medians: {shown}."

    def _shown(self) -> list[Spread]:
        return [spread for spread in self.spreads if len(spread.samples) > 1][:_MOST_SHOWN]

    def draw(self, figure: Figure, theme: Theme) -> None:
        """Draw the densities from the lowest to where the slowest run's tail gets thin."""
        axes = figure.add_subplot()
        axes.spines["left"].set_visible(False)
        axes.set_yticks([])
        axes.set_xlabel("latency, ms")
        axes.locator_params(axis="x", nbins=_TICKS)
        shown = self._shown()
        if not shown:
            return
        grid = self._grid(shown)
        # The fastest has the topmost name, so that no name crosses the line of another.
        for position, spread in enumerate(sorted(shown, key=lambda spread: -spread.p50)):
            self._one(axes, spread, grid, theme, position)
        axes.set_xlim(float(grid[0]), float(grid[-1]))
        axes.set_ylim(0, 1.12 + 0.12 * len(shown))

    @staticmethod
    def _grid(shown: Sequence[Spread]) -> NDArray[np.float64]:
        import numpy as np

        low = min(min(spread.samples) for spread in shown)
        high = max(_end(spread.samples) for spread in shown)
        room = 0.08 * (high - low) or 0.1 * high or 1.0
        return np.linspace(max(low - room, 0.0), high + room, _POINTS)

    @staticmethod
    def _one(
        axes: Axes, spread: Spread, grid: NDArray[np.float64], theme: Theme, position: int
    ) -> None:
        color = theme.colors[spread.token]
        heights = density(spread.samples, grid)
        axes.fill_between(grid, heights, color=color, alpha=0.28, linewidth=0)
        axes.plot(grid, heights, color=color, linewidth=1.4)
        level = 1.08 + 0.13 * position  # one line of text each, so that close medians stay legible
        axes.plot([spread.p50] * 2, [0, level - 0.03], color=color, linewidth=0.8, linestyle=":")
        late = spread.p50 > float(grid[0]) + _LATE * float(grid[-1] - grid[0])
        axes.annotate(
            f"{spread.name}  {spread.p50:.3g}",
            (spread.p50, level),
            xytext=(-4 if late else 4, 0),
            textcoords="offset points",
            ha="right" if late else "left",
            va="center",
            color=theme.colors["text"],
        )
