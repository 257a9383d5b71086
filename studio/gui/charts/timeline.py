"""The kernels of one inference on a time axis: when each starts, and how long it takes."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QPointF, QRectF

from studio.gui.charts.chart import Drawing
from studio.gui.charts.plot import Axis, Plot
from studio.lazy_dataclass import dataclass

LEAST_PIXELS = 1.0
_BAR_HEIGHT = 46.0
_NAMED = 3
_ZOOM = 2.0
_DEEPEST = 1 / 4096


@dataclass(frozen=True, slots=True)
class Bar:
    """A node with its time on the axis.

    Attributes:
        start, length: In milliseconds of an inference.
        token: Theme colour.
        key: Identifies it when it is clicked.
    """

    name: str
    operator: str
    start: float
    length: float
    token: str
    key: int

    @property
    def end(self) -> float:
        """Its end in milliseconds."""
        return self.start + self.length


@dataclass(frozen=True, slots=True)
class Timeline(Drawing):
    """Bars in the order of their starts.

    Attributes:
        selected: Key of the bar that stands out.
        view: The part that is shown, as shares of the whole.
    """

    bars: tuple[Bar, ...]
    selected: int = -1
    view: tuple[float, float] = (0.0, 1.0)

    @property
    def span(self) -> float:
        """Milliseconds from the first start to the last end."""
        return max((bar.end for bar in self.bars), default=0.0)

    def zoomed(self, closer: bool) -> Timeline:
        """Return a closer or wider view, around the selected bar where there is one."""
        low, high = self.view
        width = (high - low) * (1 / _ZOOM if closer else _ZOOM)
        width = min(1.0, max(_DEEPEST, width))
        chosen = next((bar for bar in self.bars if bar.key == self.selected), None)
        middle = (low + high) / 2
        if chosen is not None and self.span:
            middle = (chosen.start + chosen.length / 2) / self.span
        start = min(max(0.0, middle - width / 2), 1.0 - width)
        return replace(self, view=(start, start + width))

    def description(self) -> str:
        """Return the number of the nodes, their time, and the longest ones."""
        longest = sorted(self.bars, key=lambda bar: -bar.length)[:_NAMED]
        names = "; ".join(f"{bar.name} {bar.length:.3g} ms" for bar in longest)
        return f"{len(self.bars)} nodes in {self.span:.3g} ms. Longest: {names}."

    def tooltip(self, key: int) -> str:
        """Return name, operator, start and time of a bar."""
        bar = next((each for each in self.bars if each.key == key), None)
        if bar is None:
            return ""
        return (
            f"{bar.name}\n{bar.operator}, {bar.length:.3g} ms, starts at {bar.start:.3g} ms "
            "(medians of the profiled inferences)"
        )

    def draw(self, plot: Plot) -> None:
        """Draw the bars of the view; each is at least a pixel wide."""
        low, high = (self.span * end for end in self.view)
        plot.frame(Axis(low, high, "time in one profiled inference, ms", count=7), None)
        height = min(_BAR_HEIGHT, plot.area.height() - 8)
        top = plot.area.center().y() - height / 2
        chosen: QRectF | None = None
        for bar in self.bars:
            if bar.end < low or bar.start > high:
                continue
            left = max(plot.x(bar.start), plot.area.left())
            right = min(max(plot.x(bar.end), left + LEAST_PIXELS), plot.area.right())
            rect = QRectF(left, top, right - left, height)
            plot.bar(rect, bar.token)
            self._name(plot, bar, rect)
            plot.rects.append((rect, bar.key))
            if bar.key == self.selected:
                chosen = rect
        if chosen is not None:
            plot.pen("text", 2.0)
            plot.painter.drawRect(chosen.adjusted(-1, -3, 1, 3))

    @staticmethod
    def _name(plot: Plot, bar: Bar, rect: QRectF) -> None:
        """Write the name into a bar that has room for it, and separate it from its neighbour."""
        plot.pen("surface", 1.0)
        if rect.width() > 3:
            plot.painter.drawLine(rect.topRight(), rect.bottomRight())
        if plot.width(bar.name) + 8 <= rect.width():
            plot.text(QPointF(rect.center().x(), rect.center().y()), bar.name, "on_bar", 0)
