"""What a plugin's panel may use of the window. The one part of the public surface that needs Qt."""

from __future__ import annotations

from typing import Protocol

from PySide6.QtGui import QColor
from PySide6.QtWidgets import QWidget


class PanelHost(Protocol):
    """What the window does for a panel."""

    def start(self, step: str, **options: object) -> object | None:
        """Start a step in a job; an error is shown as a sentence and gives None."""

    def say(self, text: str, tone: str = "") -> None:
        """Show one sentence; tone is ``good``, ``warning``, ``bad`` or empty."""

    def fail(self, error: BaseException) -> None:
        """Show an error: its sentence, what to do, and the detail behind a disclosure."""

    def color(self, token: str) -> QColor:
        """A colour of the theme in force (``accent``, ``dim``, ``good_text``)."""


class Panel(QWidget):
    """A plugin's part of a page; its factory is called with the host.

    A panel draws and asks: it parses no model and opens no connection, its steps do.
    """

    def __init__(self, host: PanelHost) -> None:
        super().__init__()
        self.host = host

    def redress(self) -> None:
        """The theme is another one; take colours from the host again."""


__all__ = ["Panel", "PanelHost"]
