"""Quality against cost: a point for each variant, and the line of those worth choosing."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF

from studio.gui.charts.chart import Drawing
from studio.gui.charts.plot import Axis, Plot, number_text, share_text
from studio.lazy_dataclass import dataclass

_CLOSE = 0.3
_LETTER = 0.04  # width of a letter as a share of the distance between the outermost points
_TEXT_LINE = 12
_TICKS = 4
_LINES = (-1, 1, -2, 2, -3, 3)


@dataclass(frozen=True, slots=True)
class Point:
    """One variant: what it costs (less is better), and how good it is (more is better).

    Attributes:
        key: The identifier that a click selects.
        weight: A second cost as a share of the largest, shown by the size of the point.
    """

    name: str
    cost: float
    quality: float
    selected: bool = False
    key: int = -1
    weight: float = 0.0


def front(points: Sequence[Point], *, is_error: bool = False) -> list[Point]:
    """Return the points that no other one beats in both, the cheapest first.

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
        budget: The worst quality that is accepted, drawn as a line; what is behind it is shaded.
    """

    points: tuple[Point, ...]
    cost: str
    quality: str
    trials: tuple[tuple[float, float], ...] = ()
    is_error: bool = False
    budget: float | None = None

    def description(self) -> str:
        """Return a sentence with both axes and the Pareto front."""
        names = ", ".join(point.name for point in front(self.points, is_error=self.is_error))
        tried = f" The layer search tried {len(self.trials)} more." if self.trials else ""
        budget = f" {self._budget_text()}." if self.budget is not None else ""
        return (
            f"{self.quality} against {self.cost}. Pareto front: {names or 'none yet'}."
            f"{tried}{budget[:2].upper()}{budget[2:]}"
        )

    def _budget_text(self) -> str:
        limit = self.budget or 0.0
        is_share = max(point.quality for point in self.points) <= 1
        text = f"{100 * limit:.1f} %" if is_share else f"{limit:.3g}"
        return f"budget: at {'most' if self.is_error else 'least'} {text}"

    def draw(self, plot: Plot) -> None:
        """Draw the points, their names and the front."""
        x, y = self._axes()
        plot.frame(x, y)
        self._draw_budget(plot)
        chosen = front(self.points, is_error=self.is_error)
        plot.curve([(p.cost, p.quality) for p in chosen], "accent", 1, dashed=True)
        for cost, quality in self.trials:
            plot.ring(plot.at(cost, quality), "warning")
        for point, (side, level) in zip(self.points, self._places(), strict=True):
            place = plot.at(point.cost, point.quality)
            radius = 3.5 + 5 * point.weight if point.weight else 4.5 if point.selected else 3.5
            plot.dot(place, "accent" if point.selected else "dim", radius)
            plot.spots.append((place, point.key))
            beside = QPointF(place.x() + side * (radius + 3), place.y() - level * _TEXT_LINE)
            plot.text(beside, point.name, "text", side)

    def _draw_budget(self, plot: Plot) -> None:
        """Draw the budget as a line, with a light ground over what is worse."""
        if self.budget is None:
            return
        y, area = plot.y(self.budget), plot.area
        end = area.top() if self.is_error else area.bottom()
        corners = [QPointF(x, at) for x, at in (
            (area.left(), y), (area.right(), y), (area.right(), end), (area.left(), end)
        )]  # fmt: skip
        plot.filled(corners, "bad", 0.06)
        plot.pen("bad", 1.0, dashed=True)
        plot.painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
        side = -1 if self.is_error else 1
        place = QPointF(area.right() - 4, y + side * _TEXT_LINE * 0.75)
        plot.text(place, self._budget_text(), "bad_text", -1)

    def tooltip(self, key: int) -> str:
        """Return name and both metrics of a point."""
        point = next((point for point in self.points if point.key == key), None)
        if point is None:
            return ""
        return f"{point.name}: {self.quality} {point.quality:.4g}, {self.cost} {point.cost:.4g}"

    def _axes(self) -> tuple[Axis, Axis]:
        """Leave room for the names; equal qualities do not become a mountain range."""
        x, y = ([getattr(point, end) for point in self.points] for end in ("cost", "quality"))
        x, y = x + [cost for cost, _ in self.trials], y + [value for _, value in self.trials]
        y += [self.budget] if self.budget is not None else []
        wide = max(max(x) - min(x), 0.1 * max(x)) or 1.0
        tall = max(max(y) - min(y), 0.02 * max(abs(value) for value in y) or 1.0)
        is_share = max(point.quality for point in self.points) <= 1  # people read these in %
        top = max(y) + 0.35 * tall
        return (
            Axis(min(x) - 0.25 * wide, max(x) + 0.45 * wide, self.cost, count=_TICKS),
            Axis(
                min(y) - 0.35 * tall,
                min(top, 1 + 0.1 * tall) if max(y) <= 1 else top,
                self.quality,
                share_text if is_share else number_text,
                _TICKS,
            ),
        )

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
