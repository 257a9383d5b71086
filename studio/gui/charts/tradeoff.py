"""Quality against cost: a point for each variant, and the line of those worth choosing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from studio.gui.charts.chart import Drawing, Spot
from studio.gui.theme import Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


_CLOSE = 0.3
_LETTER = 0.04  # width of a letter as a share of the distance between the outermost points
_TEXT_LINE = 10
_TICKS = 4
_LINES = (-1, 1, -2, 2, -3, 3)


@dataclass(frozen=True, slots=True)
class Point:
    """One variant: what it costs (less is better), and how good it is (more is better).

    Attributes:
        key: What a click on it stands for.
        weight: A second cost as a share of the largest, shown by the size of the point.
    """

    name: str
    cost: float
    quality: float
    selected: bool = False
    key: int = -1
    weight: float = 0.0


def front(points: Sequence[Point], *, is_error: bool = False) -> list[Point]:
    """The points that no other one beats in both, the cheapest first.

    Args:
        is_error: The quality is an error, of which less is better.
    """
    sign = -1 if is_error else 1
    best: list[Point] = []
    for point in sorted(points, key=lambda point: (point.cost, -sign * point.quality)):
        if not best or sign * point.quality > sign * best[-1].quality:
            best.append(point)
    return best


@dataclass(frozen=True, slots=True)
class Tradeoff(Drawing):
    """A scatter of variants, with both axes named by the caller.

    Attributes:
        trials: Cost and quality of what a search has tried, drawn as small rings.
        is_error: The quality is an error, of which less is better.
    """

    points: tuple[Point, ...]
    cost: str
    quality: str
    trials: tuple[tuple[float, float], ...] = ()
    is_error: bool = False

    def description(self) -> str:
        """Which variants are worth choosing."""
        names = ", ".join(point.name for point in front(self.points, is_error=self.is_error))
        tried = f" {len(self.trials)} more were tried by a search." if self.trials else ""
        return f"{self.quality} against {self.cost}. Worth choosing: {names or 'none yet'}.{tried}"

    def draw(self, figure: Figure, theme: Theme) -> None:
        """Draw the points, their names and the front."""
        axes = figure.add_subplot()
        axes.set_xlabel(self.cost)
        axes.set_ylabel(self.quality)
        self._frame(axes)
        axes.locator_params(nbins=_TICKS)
        if max(point.quality for point in self.points) <= 1:  # a share, which people read in %
            axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:g} %")
        chosen = front(self.points, is_error=self.is_error)
        axes.plot(
            [point.cost for point in chosen],
            [point.quality for point in chosen],
            color=theme.colors["accent"],
            linewidth=1,
            linestyle="--",
            zorder=1,
        )
        axes.scatter(
            [cost for cost, _ in self.trials],
            [quality for _, quality in self.trials],
            s=16,
            facecolors="none",
            edgecolors=theme.colors["warning"],
            zorder=1.5,
        )
        for point, (side, level) in zip(self.points, self._places(), strict=True):
            token = "accent" if point.selected else "dim"
            axes.scatter(
                [point.cost],
                [point.quality],
                s=28 + 90 * point.weight if point.weight else 46 if point.selected else 28,
                color=theme.colors[token],
                zorder=2,
                clip_on=False,
            )
            axes.annotate(
                point.name,
                (point.cost, point.quality),
                xytext=(5 * side, level * _TEXT_LINE),
                textcoords="offset points",
                ha="left" if side > 0 else "right",
                va="center",
                color=theme.colors["text"],
            )

    def spots(self, figure: Figure) -> Sequence[Spot]:
        """Each point."""
        axes = figure.axes[0]
        places = axes.transData.transform([(p.cost, p.quality) for p in self.points])
        width, height = figure.bbox.width, figure.bbox.height
        return [
            Spot(float(x) / width, 1 - float(y) / height, point.key)
            for (x, y), point in zip(places, self.points, strict=True)
        ]

    def _frame(self, axes: Axes) -> None:
        """Leave room for the names; equal qualities do not become a mountain range."""
        x, y = ([getattr(point, end) for point in self.points] for end in ("cost", "quality"))
        x, y = x + [cost for cost, _ in self.trials], y + [value for _, value in self.trials]
        wide = max(max(x) - min(x), 0.1 * max(x))
        tall = max(max(y) - min(y), 0.02 * max(abs(value) for value in y) or 1.0)
        axes.set_xlim(min(x) - 0.25 * wide, max(x) + 0.45 * wide)
        top = max(y) + 0.35 * tall
        axes.set_ylim(min(y) - 0.35 * tall, min(top, 1.0005) if max(y) <= 1 else top)

    def _places(self) -> list[tuple[int, int]]:
        """Side and line of each name, so that the names of close points do not overlap."""
        x, y = ([getattr(point, end) for point in self.points] for end in ("cost", "quality"))
        wide = max(max(x) - min(x), 1e-12)
        tall = max(max(y) - min(y), 0.02 * max(abs(value) for value in y), 1e-12)
        lines: dict[int, int] = {}
        for index in sorted(range(len(self.points)), key=lambda index: x[index]):
            taken = {
                line
                for other, line in lines.items()
                if abs(y[index] - y[other]) < _CLOSE * tall
                and x[index] - x[other] < _LETTER * wide * (len(self.points[other].name) + 2)
            }
            free = (line for line in _LINES if line not in taken)
            lines[index] = next(free, _LINES[0])
        return [(1, lines[index]) for index in range(len(self.points))]
