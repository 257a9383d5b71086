"""The pieces of the window, each dressed in a turn of the event loop of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import QChildEvent, QEvent, QObject, Qt, QTimer
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QComboBox,
    QDialog,
    QDockWidget,
    QHeaderView,
    QLabel,
    QLineEdit,
    QMenu,
    QPlainTextEdit,
    QProgressBar,
    QScrollBar,
    QSplitter,
    QTextEdit,
    QToolBar,
    QWidget,
)
from shiboken6 import isValid

MOST_WIDGETS = 100
"""Of one piece; Qt dresses it in some 20 ms. Each piece reads the style sheet, half a megabyte."""

_STYLED = (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QComboBox,
    QDialog,
    QDockWidget,
    QHeaderView,
    QLabel,
    QLineEdit,
    QMenu,
    QPlainTextEdit,
    QProgressBar,
    QScrollBar,
    QSplitter,
    QTextEdit,
    QToolBar,
)
_SCROLLED = "scrolled"
_OF_QT = "qt_"
_WATCHED = frozenset({QEvent.Type.Show, QEvent.Type.ChildPolished, QEvent.Type.ChildAdded})


def pieces(part: QWidget) -> tuple[list[QWidget], list[QWidget]]:
    """Return what wears a style sheet of its own in a part, and what holds these pieces.

    A holder has no look of its own in the style sheet. It is divided where it holds too many
    widgets for one turn. What Qt made itself is no piece: Python may lose sight of it.
    """
    is_qts = part.objectName().startswith(_OF_QT)
    if not is_qts and (size(part) <= MOST_WIDGETS or not _is_plain(part)):
        return [part], []
    found: list[QWidget] = []
    holders = [part]
    for child in part.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly):
        inner, more = pieces(child)
        found += inner
        holders += more
    return found, holders


def size(part: QWidget) -> int:
    """Return the number of widgets in a part."""
    return len(part.findChildren(QWidget))


class PartWatch(QObject):
    """The watch over divided parts: what their holders get later, and what is shown later.

    Args:
        dress: Dresses a new child of a holder.
        shown: Gets a piece that is being shown.
    """

    def __init__(
        self,
        dress: Callable[[QWidget], None],
        shown: Callable[[QWidget], None],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._dress, self._shown = dress, shown
        self._holders: set[QWidget] = set()
        self._changed: set[QWidget] = set()
        self._look = QTimer(self, singleShot=True, interval=0)
        self._look.timeout.connect(self._dress_added)

    def watch_piece(self, piece: QWidget) -> None:
        """Notice when a piece is shown."""
        piece.installEventFilter(self)

    def watch_holder(self, holder: QWidget) -> None:
        """Dress each child that a holder gets from now on."""
        self._holders.add(holder)
        holder.destroyed.connect(lambda _gone=None: self._holders.discard(holder))
        holder.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Dress before the first paint; what was painted elsewhere before, in the next turn."""
        kind = event.type()
        if kind not in _WATCHED or not isinstance(watched, QWidget):
            return False
        if watched not in self._holders:
            if kind is QEvent.Type.Show:
                self._shown(watched)
        elif isinstance(event, QChildEvent) and kind is QEvent.Type.ChildPolished:
            self._dress_new([event.child()])
        elif kind is QEvent.Type.ChildAdded:
            self._changed.add(watched)  # the child may not be complete yet
            self._look.start()
        return False

    def _dress_added(self) -> None:
        changed, self._changed = self._changed, set()
        for holder in filter(isValid, changed):
            self._dress_new(holder.children())

    def _dress_new(self, children: Iterable[QObject]) -> None:
        for child in children:
            if isinstance(child, QWidget) and child not in self._holders and isValid(child):
                self._dress(child)


def _is_plain(widget: QWidget) -> bool:
    return not isinstance(widget, _STYLED) and widget.property("role") in (None, "", _SCROLLED)
