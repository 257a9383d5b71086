"""Keys as they are printed on a keyboard, and a list of actions with their keys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from studio.gui.widgets.basics import GRID, clear, label, row

FIXED = (
    ("Press the focused button", ("Enter",)),
    ("Close the topmost panel or message", ("Esc",)),
)
"""Keys that are no shortcut of an action."""

KEY_HEIGHT = 20
_NAMES = {"Return": "Enter"}


def keys_of(action: QAction) -> tuple[str, ...]:
    """Return the keys of an action's first shortcut: ``("Ctrl", "K")``."""
    shortcuts = action.shortcuts()
    text = shortcuts[0].toString(QKeySequence.SequenceFormat.PortableText) if shortcuts else ""
    return tuple(_NAMES.get(key, key) for key in text.split("+")) if text else ()


def listed(actions: Iterable[QAction]) -> list[tuple[str, tuple[str, ...]]]:
    """Return the actions that have a key, each with its keys."""
    return [(action.text(), keys) for action in actions if (keys := keys_of(action))]


class KeyLabel(QLabel):
    """A label that looks like a key of a keyboard."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(key)
        self.setProperty("role", "key")
        self.setFixedHeight(KEY_HEIGHT)


class ShortcutList(QWidget):
    """Actions at the left, their keys at the right, a pair a line."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: list[tuple[str, tuple[str, ...]]] = []
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(2 * GRID)
        self._grid.setVerticalSpacing(6)
        self._grid.setColumnStretch(0, 1)

    def show_shortcuts(self, shortcuts: Sequence[tuple[str, tuple[str, ...]]]) -> None:
        """Show other pairs of an action and its keys."""
        if self._shown == list(shortcuts):
            return  # to lay 60 lines out takes as long as the rest of a page
        self._shown = list(shortcuts)
        clear(self._grid)
        for number, (text, keys) in enumerate(shortcuts):
            name = label(text)
            name.setAccessibleName(f"{text}: {' '.join(keys)}")
            self._grid.addWidget(name, number, 0)
            keyboard = QWidget()
            keyboard.setLayout(row(None, *(KeyLabel(key) for key in keys), spacing=4))
            self._grid.addWidget(keyboard, number, 1)
