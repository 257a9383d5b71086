"""Actions that say why they cannot be taken."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QKeySequence

from studio.api.qt import plain_tip


def action(
    parent: QObject, name: str, text: str, run: Callable[[], object], shortcut: str = ""
) -> QAction:
    """Make an action.

    Args:
        parent: Owner; also the widget to add it to when its shortcut is to work.
        name: Stable identifier (``open-model``).
        text: What the palette and the menus show.
        run: Called when it is triggered.
        shortcut: Portable key text (``Ctrl+O``), or empty.
    """
    result = QAction(text, parent)
    result.setObjectName(name)
    if shortcut:
        result.setShortcut(QKeySequence(shortcut))
    result.triggered.connect(lambda _checked=False: run())
    return result


def explain(item: QAction, reason: str = "") -> None:
    """Enable an action, or disable it with the reason."""
    item.setEnabled(not reason)
    item.setStatusTip(reason)
    item.setToolTip(plain_tip(f"{item.text()}: {reason}" if reason else item.text()))


def reason(item: QAction) -> str:
    """Return why an action is disabled; empty when it is enabled."""
    return "" if item.isEnabled() else item.statusTip() or "Not available."
