"""Quality against cost: a point for each variant, and the line of those worth choosing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from studio.gui.charts.chart import Drawing
from studio.gui.theme import Theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class Point:
    """One variant: what it costs (less is better), and how good it is (more is better)."""

    name: str
    cost: float
    quality: float
    selected: bool = False


def front(points: Sequence[Point]) -> list[Point]:
    """The points that no other one beats in both, the cheapest first."""
    best: list[Point] = []
    for point in sorted(points, key=lambda point: (point.cost, -point.quality)):
        if not best or point.quality > best[-1].quality:
            best.append(point)
    return best


@dataclass(frozen=True, slots=True)
class Tradeoff(Drawing):
    """A scatter of variants, with both axes named by the caller."""

    points: tuple[Point, ...]
    cost: str
    quality: str

    def description(self) -> str:
        """Which variants are worth choosing."""
        names = ", ".join(point.name for point in front(self.points))
        return f"{self.quality} against {self.cost}. Worth choosing: {names or 'none yet'}."

    def draw(self, figure: Figure, theme: Theme) -> None:
        """Draw the points, their names and the front."""
        axes = figure.add_subplot()
        axes.set_xlabel(self.cost)
        axes.set_ylabel(self.quality)
        axes.margins(0.24)
        chosen = front(self.points)
        axes.plot(
            [point.cost for point in chosen],
            [point.quality for point in chosen],
            color=theme.colors["accent"],
            linewidth=1,
            linestyle="--",
            zorder=1,
        )
        for point in self.points:
            token = "accent" if point.selected else "dim"
            axes.scatter(
                [point.cost],
                [point.quality],
                s=46 if point.selected else 28,
                color=theme.colors[token],
                zorder=2,
            )
            axes.annotate(
                point.name,
                (point.cost, point.quality),
                xytext=(5, -9),
                textcoords="offset points",
                color=theme.colors["text"],
            )
