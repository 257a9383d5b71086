"""The fleet's rows: one line an endpoint, with a colour strip of its last minutes."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QRect, QSize, Qt, Signal
from PySide6.QtGui import QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QToolTip

from studio.api.qt import plain_tip
from studio.gui import figures
from studio.gui.pages.shared import target_rows
from studio.gui.theme import Theming
from studio.workspace.fleet import BAD, BUSY, GOOD, WARNING, FleetRow
from studio.workspace.sample_ring import KEPT

ROW = 26
HEAD = 26
_TOKENS = {GOOD: "good", WARNING: "warning", BAD: "bad", BUSY: "accent"}
_PAD = 8
_TEXTS = {GOOD: "good_text", WARNING: "warning_text", BAD: "bad_text", BUSY: "accent_text"}
_COLUMNS = (("State", 0.14), ("Endpoint", 0.20), ("Version", 0.09))
_PLAIN = (("req/s", 0.07), ("p99 ms", 0.08))
_TEXT = (("tokens/s", 0.08), ("1st token ms", 0.11))
_MIXED = (("Rate", 0.10), ("Latency", 0.12))
"""Columns of models, of language models, and of both, whose cells name their unit."""
_STRIP = 0.13
_WIDEST = 14
"""Pixels of a wide letter; shorter texts need not be measured."""


class FleetRows(QAbstractScrollArea):
    """The rows of a fleet.

    Signals:
        chosen: The name of the endpoint that is selected.
        opened: The name of one that was double-clicked, or chosen with Enter.
    """

    chosen = Signal(str)
    opened = Signal(str)

    def __init__(self, theming: Theming) -> None:
        super().__init__()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self._theming = theming
        self._rows: Sequence[FleetRow] = ()
        self._speeds = _PLAIN
        self._current = ""
        self.setAccessibleName("Endpoints, unhealthy first")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumHeight(HEAD + 6 * ROW)
        self.verticalScrollBar().setSingleStep(ROW)
        theming.changed.connect(self.viewport().update)

    def sizeHint(self) -> QSize:
        """Room for nine: what is chosen and the inbox stay in sight below."""
        return QSize(700, HEAD + 9 * ROW)

    @property
    def current(self) -> str:
        """The name of the endpoint that is selected; empty for none."""
        return self._current

    def show_rows(self, rows: Sequence[FleetRow]) -> None:
        """Show others, or the same with newer values."""
        self._rows = rows
        texts = {row.writes_text for row in rows if row.version}
        self._speeds = _MIXED if len(texts) > 1 else _TEXT if True in texts else _PLAIN
        self._fit()
        self.viewport().update()

    def choose(self, name: str) -> None:
        """Select an endpoint."""
        if name != self._current:
            self._current = name
            row = next((one for one in self._rows if one.name == name), None)
            self.setAccessibleDescription(f"{name}: {row.health}. {row.text}" if row else "")
            self.viewport().update()
            self.chosen.emit(name)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the scroll bar."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        bar, seen = self.verticalScrollBar(), self.viewport().height() - HEAD
        bar.setPageStep(max(seen, ROW))
        bar.setRange(0, max(0, len(self._rows) * ROW - seen))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Select what is under the pointer."""
        y = event.position().y() - HEAD
        place = int(y + self.verticalScrollBar().value()) // ROW
        if y >= 0 and 0 <= place < len(self._rows):
            self.choose(self._rows[place].name)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Open what is under the pointer."""
        self.mousePressEvent(event)
        if self._current and event.position().y() >= HEAD:
            self.opened.emit(self._current)

    def viewportEvent(self, event: QEvent) -> bool:
        """Show all alerts as a tooltip, as the column may be too narrow for them."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            place = (event.pos().y() - HEAD + self.verticalScrollBar().value()) // ROW
            row = self._rows[place] if 0 <= place < len(self._rows) else None
            tip = plain_tip("\n".join(row.reasons) if row else "")
            QToolTip.showText(event.globalPos(), tip, self)
            return True
        return super().viewportEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the selection; it stays in view."""
        moves = {
            Qt.Key.Key_Down: 1,
            Qt.Key.Key_Up: -1,
            Qt.Key.Key_PageDown: 10,
            Qt.Key.Key_PageUp: -10,
        }
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._current:
            self.opened.emit(self._current)
            return
        step = moves.get(Qt.Key(event.key()))
        if step is None or not self._rows:
            super().keyPressEvent(event)
            return
        names = [row.name for row in self._rows]
        now = names.index(self._current) if self._current in names else -1
        place = min(max(now + step, 0), len(names) - 1)
        self.choose(names[place])
        bar, top = self.verticalScrollBar(), place * ROW
        if top < bar.value():
            bar.setValue(top)
        elif top + ROW > bar.value() + bar.pageStep():
            bar.setValue(top + ROW - bar.pageStep())

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the head and the rows that can be seen."""
        painter = QPainter(self.viewport())
        theme, width = self._theming.current, self.viewport().width()
        offset = self.verticalScrollBar().value()
        first = offset // ROW
        last = min(len(self._rows), first + (self.viewport().height() - HEAD) // ROW + 2)
        cells = self._cells(width)
        for place in range(first, last):
            painter.save()
            painter.translate(0, HEAD + place * ROW - offset)
            self._paint_row(painter, self._rows[place], cells)
            painter.restore()
        painter.fillRect(0, 0, width, HEAD, theme.color("surface"))
        painter.setPen(theme.color("dim"))
        for name, rect, align in cells:
            painter.drawText(rect, align, name)

    def _cells(self, width: int) -> list[tuple[str, QRect, Qt.AlignmentFlag]]:
        """Return title, place in a row, and alignment of each column."""
        found, x = [], _PAD + 10
        middle = Qt.AlignmentFlag.AlignVCenter
        columns = (*_COLUMNS, *self._speeds, ("Last samples", _STRIP))
        for place, (title, share) in enumerate(columns):
            size = int(share * width)
            left = place in (0, 1, 2, 5)
            side = Qt.AlignmentFlag.AlignLeft if left else Qt.AlignmentFlag.AlignRight
            found.append((title, QRect(x, 0, size - 2 * _PAD, ROW), middle | side))
            x += size
        rest = QRect(x, 0, width - x - _PAD, ROW)
        found.append(("Problem", rest, middle | Qt.AlignmentFlag.AlignLeft))
        return found

    def _paint_row(
        self, painter: QPainter, row: FleetRow, cells: Sequence[tuple[str, QRect, Qt.AlignmentFlag]]
    ) -> None:
        theme, width = self._theming.current, self.viewport().width()
        if row.name == self._current:
            painter.fillRect(0, 0, width, ROW, theme.color("surface_3"))
        painter.fillRect(_PAD, 7, 6, ROW - 14, theme.color(_TOKENS.get(row.tone, "idle")))
        texts = (
            row.health,
            target_rows.named(row.name),
            f"v{row.version}" if row.version else figures.NOTHING,
            *self._speed(row),
        )
        for place, (text, (_, rect, align)) in enumerate(zip(texts, cells, strict=False)):
            painter.setPen(theme.color("text" if place else _TEXTS.get(row.tone, "dim")))
            # Names of a fleet differ at their ends.
            self._paint_text(painter, text, rect, align, Qt.TextElideMode.ElideMiddle)
        self._paint_strip(painter, row, cells[5][1])
        if row.text:
            painter.setPen(theme.color("dim" if row.tone == GOOD else "text"))
            _, rect, align = cells[6]
            self._paint_text(painter, row.text, rect, align, Qt.TextElideMode.ElideRight)

    def _speed(self, row: FleetRow) -> tuple[str, str]:
        """Return rate and latency; with units where the rows have different ones."""
        last = row.last
        rate = figures.rate(last.throughput if last else None)
        latency = figures.milliseconds(last.p99 if last else None)
        if self._speeds is not _MIXED:
            return rate, latency
        units = ("tok/s", "ms 1st") if row.writes_text else ("req/s", "ms p99")
        cells = (
            text if text == figures.NOTHING else f"{text} {unit}"
            for text, unit in zip((rate, latency), units, strict=True)
        )
        return next(cells), next(cells)

    def _paint_text(
        self,
        painter: QPainter,
        text: str,
        rect: QRect,
        align: Qt.AlignmentFlag,
        mode: Qt.TextElideMode,
    ) -> None:
        """Paint a text, shortened where it is wider than its column."""
        if len(text) * _WIDEST > rect.width():  # to measure takes longer than to paint
            text = painter.fontMetrics().elidedText(text, mode, rect.width())
        painter.drawText(rect, align, text)

    def _paint_strip(self, painter: QPainter, row: FleetRow, rect: QRect) -> None:
        """Paint the samples of a row from left to right, the newest at the right end."""
        theme = self._theming.current
        high, y = ROW - 12, rect.top() + 6
        painter.fillRect(rect.left(), y, rect.width(), high, theme.color("border"))
        tones, versions = row.moments.tones(), row.moments.versions()
        first, begin, count = KEPT - len(tones), 0, len(tones)
        for place in range(1, count + 1):  # runs of one tone in one piece
            if place < count and tones[place] == tones[begin]:
                continue
            left = rect.left() + (first + begin) * rect.width() // KEPT
            right = rect.left() + (first + place) * rect.width() // KEPT
            token = _TOKENS.get(tones[begin], "idle")
            painter.fillRect(left, y, max(right - left, 1), high, theme.color(token))
            begin = place
        for place in range(1, count):
            if versions[place] != versions[place - 1]:
                x = rect.left() + (first + place) * rect.width() // KEPT
                painter.fillRect(x, y - 3, 2, high + 6, theme.color("text"))
