"""The command palette: every action, page, model, variant, target and node by a few letters."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
)
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QFrame,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from studio.gui.shell import PaletteEntry
from studio.gui.theme import Theming
from studio.gui.widgets.basics import GRID, label

WIDTH, ROW_HEIGHT, ROWS = 640, 36, 11
MOST = 60
PREFIX, WORD, INSIDE, SCATTERED = 0, 1, 2, 3
"""Kinds of match, the best first."""


Index = QModelIndex | QPersistentModelIndex


def best(entries: Iterable[PaletteEntry], typed: str, most: int = MOST) -> list[PaletteEntry]:
    """Return the entries that fit best, the best first.

    Nodes are many and their names long: they must contain what was typed, letters scattered over
    a name are not enough.
    """
    found = []
    for number, entry in enumerate(entries):
        text = f"{entry.title} {entry.detail}" if entry.kind == "Node" else entry.title
        score = match(typed, text)
        if score is None or (entry.kind == "Node" and score[0] == SCATTERED):
            continue
        found.append((score[0], entry.weight, score[1:], number, entry))
    return [item[-1] for item in heapq.nsmallest(most, found, key=lambda item: item[:-1])]


def match(typed: str, text: str) -> tuple[int, int, int] | None:
    """How well a text fits, smaller is better; None when it does not.

    A text fits when it contains what was typed, or all its characters in this order. Beginnings
    of words come first, then short spans, then short texts.
    """
    typed, text = typed.strip().lower(), text.lower()
    if not typed:
        return PREFIX, 0, 0
    place = text.find(typed)
    if place == 0:
        return PREFIX, 0, len(text)
    if place > 0:
        kind = INSIDE if text[place - 1].isalnum() else WORD
        return kind, place, len(text)
    span = _scattered(typed, text)
    return (SCATTERED, span, len(text)) if span is not None else None


def _scattered(typed: str, text: str) -> int | None:
    """Return the length of the text from the first character to the last; None without all."""
    first = last = -1
    for char in typed.replace(" ", ""):
        last = text.find(char, last + 1)
        if last < 0:
            return None
        first = last if first < 0 else first
    return last + 1 - first


class _Entries(QAbstractListModel):
    """The list of what fits."""

    def __init__(self) -> None:
        super().__init__()
        self.entries: list[PaletteEntry] = []

    def show(self, entries: list[PaletteEntry]) -> None:
        self.beginResetModel()
        self.entries = entries
        self.endResetModel()

    def rowCount(self, parent: Index | None = None) -> int:
        return len(self.entries)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        entry = self.entries[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return entry.title
        if role == Qt.ItemDataRole.AccessibleTextRole:
            parts = (entry.title, entry.kind, entry.detail, entry.shortcut, entry.reason)
            return ", ".join(part for part in parts if part)
        return None


class _Painter(QStyledItemDelegate):
    """Title and detail at the left; reason, shortcut and kind at the right."""

    def __init__(self, theming: Theming, parent: QObject) -> None:
        super().__init__(parent)
        self._theming = theming

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        return QSize(WIDTH - 2 * GRID, ROW_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        model = index.model()
        assert isinstance(model, _Entries)
        entry = model.entries[index.row()]
        theme = self._theming.current
        rect: QRect = option.rect
        state = option.state
        painter.save()
        if state & QStyle.StateFlag.State_Selected:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("accent_ground"))
            painter.drawRoundedRect(rect.adjusted(0, 1, 0, -1), 6, 6)
        inner = rect.adjusted(12, 0, -12, 0)
        metrics = option.fontMetrics
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        aside = entry.reason or entry.shortcut or entry.kind
        aside = metrics.elidedText(aside, Qt.TextElideMode.ElideRight, inner.width() // 2)
        painter.setPen(theme.color("warning_text" if entry.reason else "dim"))
        painter.drawText(inner, right, aside)
        room = inner.width() - metrics.horizontalAdvance(aside) - 2 * GRID
        painter.setPen(theme.color("dim" if entry.reason else "text"))
        title = metrics.elidedText(entry.title, Qt.TextElideMode.ElideRight, room)
        painter.drawText(inner, left, title)
        rest = room - metrics.horizontalAdvance(title) - GRID
        if entry.detail and rest > 40:
            painter.setPen(theme.color("dim"))
            shift = metrics.horizontalAdvance(title) + GRID
            detail = metrics.elidedText(entry.detail, Qt.TextElideMode.ElideMiddle, rest)
            painter.drawText(inner.adjusted(shift, 0, 0, 0), left, detail)
        painter.restore()


class CommandPalette(QFrame):
    """The palette over the window; it closes with Escape or when it loses the focus.

    Args:
        sources: Return their entries each time it opens.
    """

    def __init__(
        self,
        parent: QWidget,
        theming: Theming,
        sources: Sequence[Callable[[], Iterable[PaletteEntry]]],
    ) -> None:
        super().__init__(parent)
        self._sources = sources
        self._all: list[PaletteEntry] = []
        self._before: QWidget | None = None
        self.setProperty("role", "palette")
        self.setAccessibleName("Command palette")
        self.input = QLineEdit()
        self.input.setPlaceholderText("Search nodes, actions, targets…")
        self.input.setAccessibleName("Command or name")
        self.input.setMinimumHeight(4 * GRID)
        self.model = _Entries()
        self.list = QListView()
        self.list.setModel(self.model)
        self.list.setItemDelegate(_Painter(theming, self))
        self.list.setUniformItemSizes(True)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setAccessibleName("Matches")
        self.nothing = label("No matches. Try a shorter search.", "dim")
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID, GRID, GRID, GRID)
        layout.setSpacing(GRID)
        layout.addWidget(self.input)
        layout.addWidget(self.list, 1)
        layout.addWidget(self.nothing)
        self.input.textChanged.connect(self._search)
        self.list.clicked.connect(lambda index: self._run_entry(index.row()))
        self.input.installEventFilter(self)
        self.hide()

    def open(self, text: str = "") -> None:
        """Show it with fresh entries."""
        self._before = self.window().focusWidget()
        self._all = [entry for source in self._sources for entry in source()]
        self.input.setText(text)
        self._search(text)
        self.show()
        self.raise_()
        self.input.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.input.selectAll()

    def place(self) -> None:
        """Centre it near the top of the window."""
        window = self.window()
        wide = min(WIDTH, window.width() - 4 * GRID)
        rows = max(1, min(self.model.rowCount(), ROWS))
        high = min(rows * ROW_HEIGHT + 64, window.height() - 12 * GRID)
        self.setGeometry((window.width() - wide) // 2, 7 * GRID, wide, high)

    def close_palette(self) -> None:
        """Hide it and give the focus back."""
        self.hide()
        self._all = []
        if self._before is not None:
            self._before.setFocus(Qt.FocusReason.OtherFocusReason)
            self._before = None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.input and isinstance(event, QKeyEvent):
            if event.type() is QEvent.Type.KeyPress:
                return self._key(Qt.Key(event.key()))
        elif watched is self.input and event.type() is QEvent.Type.FocusOut and self._is_left():
            self._before = None
            self.close_palette()
        return super().eventFilter(watched, event)

    def _is_left(self) -> bool:
        """Return whether the focus went elsewhere in this window, not to another program."""
        return self.isVisible() and self.window().isActiveWindow()

    def _key(self, key: Qt.Key) -> bool:
        steps = {
            Qt.Key.Key_Down: 1,
            Qt.Key.Key_Up: -1,
            Qt.Key.Key_PageDown: ROWS - 1,
            Qt.Key.Key_PageUp: 1 - ROWS,
        }
        if key in steps:
            self._move(steps[key])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._run_entry(self.list.currentIndex().row())
        elif key is Qt.Key.Key_Escape:
            self.close_palette()
        else:
            return False
        return True

    def _move(self, step: int) -> None:
        count = self.model.rowCount()
        if count:
            row = min(max(self.list.currentIndex().row() + step, 0), count - 1)
            self.list.setCurrentIndex(self.model.index(row))

    def _search(self, text: str) -> None:
        entries = best(self._all, text)
        if not text.strip():
            entries = [entry for entry in entries if entry.kind != "Node"]
        self.model.show(entries)
        self.list.setVisible(bool(entries))
        self.nothing.setVisible(not entries)
        if entries:
            self.list.setCurrentIndex(self.model.index(0))
        self.place()

    def _run_entry(self, row: int) -> None:
        if not 0 <= row < len(self.model.entries):
            return
        entry = self.model.entries[row]
        if entry.reason:
            return  # the row shows the reason; the palette stays open for another choice
        self.close_palette()
        entry.run()
