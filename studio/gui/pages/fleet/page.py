"""The Fleet page: the boards of a broker by filters and groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QHideEvent, QShowEvent

from studio.gui.pages.fleet.boards_view import BoardsView
from studio.gui.pages.shared.base import Page
from studio.gui.shell import Shell

if TYPE_CHECKING:
    from studio.workspace import Workspace

BOARDS = 0


class FleetPage(Page):
    """Many boards; nothing is read from the broker while they are not shown."""

    stage = "fleet"
    title = "Fleet"
    icon = "fleet"

    def __init__(self, workspace: Workspace, shell: Shell) -> None:
        super().__init__(workspace, shell)
        self.boards = BoardsView(workspace, shell)
        self.add_view("Boards", self.boards)
        self.add_command("Connect the fleet to a broker", self._connect_broker)
        self.destroyed.connect(self.boards.close_feed)
        self.stack.currentChanged.connect(lambda _: self._watch())

    def _connect_broker(self) -> None:
        self.show_view(BOARDS)
        self.boards.ask_broker()

    def on_event(self, event: object) -> None:
        """Follow the job that reads the broker."""
        self.boards.strip.on_event(event)

    def showEvent(self, event: QShowEvent) -> None:
        """Read the broker."""
        super().showEvent(event)
        self._watch()

    def hideEvent(self, event: QHideEvent) -> None:
        """Read it no longer."""
        super().hideEvent(event)
        self._watch()

    def _watch(self) -> None:
        self.boards.watch(self.isVisible() and self.stack.currentIndex() == BOARDS)
