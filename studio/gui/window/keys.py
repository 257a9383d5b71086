"""Keys that belong to no part: Enter on a focused button, and the primary of a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QPushButton, QToolButton, QWidget

if TYPE_CHECKING:
    from studio.gui.shell import VisitedPage

ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


def press(focused: QWidget | None) -> bool:
    """Press a button as Space does, or open its menu; False for what is no enabled button.

    Outside dialogs Qt leaves Enter to the parents of a button.
    """
    if not isinstance(focused, QAbstractButton) or not focused.isEnabled():
        return False
    if isinstance(focused, QPushButton | QToolButton) and focused.menu() is not None:
        focused.showMenu()
    else:
        focused.click()
    return True


def why_no_primary(page: VisitedPage | None) -> str:
    """Return why the primary button of a page cannot be pressed; empty when it can."""
    primary = page.primary if page is not None else None
    if primary is None or not primary.isVisible():
        return "This page has no primary button."
    if not primary.isEnabled():
        return primary.toolTip() or f"{primary.text()} is not available."
    return ""


def press_primary(page: VisitedPage | None) -> None:
    """Press the primary button of a page, if it can be pressed."""
    if page is not None and page.primary is not None and not why_no_primary(page):
        page.primary.click()
