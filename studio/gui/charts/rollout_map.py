"""Rollouts on a time axis: a lane and a bar for each, with halts and rollbacks."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent

from studio.gui.charts.chart import Chart, Drawing
from studio.gui.charts.plot import Axis, Plot
from studio.gui.charts.time_axis import time_ticks
from studio.lazy_dataclass import dataclass

LANE = 30.0
HEAD = 64
"""Pixels of the axis and the legend."""

_BAR = 14.0
_LEAST = 4.0
_NAMES = 150.0
_LEGEND = (
    ("good", "done"),
    ("accent", "running"),
    ("warning", "interrupted"),
    ("bad", "halted"),
)
TOKENS = {word: token for token, word in _LEGEND}


@dataclass(frozen=True, slots=True)
class Lane:
    """One rollout.

    Attributes:
        begin, end: Seconds since 1970.
        state: ``done``, ``running``, ``interrupted`` or ``halted``.
        waves: Begins of the waves after the first.
        halts, rollbacks: Times of these.
        tip: Counts of its targets, a line for each wave.
    """

    key: int
    title: str
    begin: float
    end: float
    state: str
    waves: tuple[float, ...]
    halts: tuple[float, ...]
    rollbacks: tuple[float, ...]
    tip: str


@dataclass(frozen=True, slots=True)
class RolloutMap(Drawing):
    """Lanes from top to bottom within a range of time.

    Attributes:
        low, high: The range, in seconds since 1970.
        selected: Key of the lane that stands out; -1 for none.
    """

    lanes: tuple[Lane, ...]
    low: float
    high: float
    selected: int = -1

    def description(self) -> str:
        """Return the number of rollouts by their results."""
        words = [word for _, word in _LEGEND]
        counts = [(sum(one.state == word for one in self.lanes), word) for word in words]
        found = ", ".join(f"{count} {word}" for count, word in counts if count)
        return f"{len(self.lanes)} rollouts: {found or 'none'}."

    def tooltip(self, key: int) -> str:
        """Return title, result and counts of a rollout."""
        lane = next((one for one in self.lanes if one.key == key), None)
        return f"{lane.title}: {lane.state}\n{lane.tip}" if lane else ""

    def draw(self, plot: Plot) -> None:
        """Draw the axes, a legend and a lane for each rollout."""
        ticks, count = tuple(time_ticks(self.low, self.high)), len(self.lanes)
        names = tuple(
            (count - place - 0.5, plot.fitted(lane.title, _NAMES))
            for place, lane in enumerate(self.lanes)
        )
        times = Axis(self.low, self.high, places=ticks)
        plot.frame(times, Axis(0, count, places=names), top=plot.line + 6, grid=False)
        selected = next((at for at, one in enumerate(self.lanes) if one.key == self.selected), -1)
        if selected >= 0:
            plot.painter.fillRect(self._row(plot, selected), plot.color("accent_ground"))
        for at, _ in ticks:
            plot.pen("border", 0.6)
            plot.painter.drawLine(
                QPointF(plot.x(at), plot.area.top()), QPointF(plot.x(at), plot.area.bottom())
            )
        for place, lane in enumerate(self.lanes):
            self._lane(plot, lane, self._row(plot, place))
        self._legend(plot)

    def _row(self, plot: Plot, place: int) -> QRectF:
        height = plot.area.height() / max(len(self.lanes), 1)
        top = plot.area.top() + place * height
        return QRectF(plot.area.left(), top, plot.area.width(), height)

    def _lane(self, plot: Plot, lane: Lane, row: QRectF) -> None:
        middle = row.center().y()
        left = max(plot.x(lane.begin), plot.area.left())
        right = min(max(plot.x(lane.end), left + _LEAST), plot.area.right())
        bar = QRectF(min(left, right - _LEAST), middle - _BAR / 2, 0, _BAR)
        bar.setRight(right)
        token = TOKENS.get(lane.state, "idle")
        plot.bar(bar, token)
        self._marks(plot, lane, bar)
        word, ink = lane.state, f"{token}_text" if lane.state in TOKENS else "dim"
        if right + 8 + plot.width(word) < plot.rect.right():
            plot.text(QPointF(right + 8, middle), word, ink)
        else:
            plot.text(QPointF(bar.left() - 8, middle), word, ink, -1)
        plot.rects.append((row, lane.key))

    @staticmethod
    def _marks(plot: Plot, lane: Lane, bar: QRectF) -> None:
        """Draw the begins of waves as gaps, halts as lines, rollbacks as triangles."""
        plot.pen("surface", 1.5)
        for at in lane.waves:
            x = plot.x(at)
            if bar.left() + 2 < x < bar.right() - 2:
                plot.painter.drawLine(QPointF(x, bar.top()), QPointF(x, bar.bottom()))
        plot.pen("bad", 2.0)
        for at in lane.halts:
            x = min(max(plot.x(at), bar.left()), bar.right())
            plot.painter.drawLine(QPointF(x, bar.top() - 4), QPointF(x, bar.bottom() + 4))
        for at in lane.rollbacks[:_MOST_MARKS]:
            x = min(max(plot.x(at), bar.left()), bar.right())
            plot.triangle(QPointF(x, bar.top()), "warning")

    @staticmethod
    def _legend(plot: Plot) -> None:
        x, y = plot.area.left(), plot.rect.top() + plot.line / 2 + 2
        for token, word in _LEGEND:
            plot.painter.fillRect(QRectF(x, y - 5, 14, 10), plot.color(token))
            plot.text(QPointF(x + 19, y), word, "dim")
            x += 33 + plot.width(word)
        plot.pen("bad", 2.0)
        plot.painter.drawLine(QPointF(x + 4, y - 6), QPointF(x + 4, y + 6))
        plot.text(QPointF(x + 13, y), "halt", "dim")
        x += 27 + plot.width("halt")
        plot.triangle(QPointF(x + 4, y + 3), "warning")
        plot.text(QPointF(x + 13, y), "rollback", "dim")


_MOST_MARKS = 200


class RolloutChart(Chart):
    """The chart of rollouts: arrows select one, a click or Enter opens it.

    Signals:
        opened: The key of the rollout that is opened.
    """

    opened = Signal(int)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Select and open what is clicked."""
        spot = self._spot_at(event.position())
        if spot is not None and event.button() is Qt.MouseButton.LeftButton:
            self.picked.emit(spot.key)
            self.opened.emit(spot.key)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move from lane to lane; Enter opens the selected one."""
        keys = sorted({spot.key for spot in self.spots})
        step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()))
        selected = self._drawing.selected if isinstance(self._drawing, RolloutMap) else -1
        if step is not None and keys:
            at = keys.index(selected) + step if selected in keys else 0
            self.picked.emit(keys[min(max(at, 0), len(keys) - 1)])
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and selected >= 0:
            self.opened.emit(selected)
        else:
            super().keyPressEvent(event)
