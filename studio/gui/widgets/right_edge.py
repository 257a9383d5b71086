"""Sheets and panels at the right edge of a window, which messages leave room for.

They are known here, as a search through all widgets of a window takes 50 ms.
"""

from __future__ import annotations

from weakref import WeakSet

from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

_KNOWN: WeakSet[QWidget] = WeakSet()


def take_right_edge(widget: QWidget) -> None:
    """Note a widget that covers the right edge of its window while it is visible."""
    _KNOWN.add(widget)


def at_right_edge(window: QWidget) -> list[QWidget]:
    """Return the widgets that cover the right edge of a window now."""
    found = [one for one in _KNOWN if isValid(one)]
    return [one for one in found if one.isVisible() and one.window() is window]
