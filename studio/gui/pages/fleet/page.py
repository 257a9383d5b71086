"""The Fleet page: many boards, plans that wait for approval, and rollouts in time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtGui import QHideEvent, QShowEvent

from studio.gui.pages.fleet.approvals_view import ApprovalsView
from studio.gui.pages.fleet.boards_view import FleetBoardsView
from studio.gui.pages.fleet.rollouts_view import RolloutsView
from studio.gui.pages.shared.base import Page
from studio.gui.shell import Shell
from studio.workspace import JobFinished, JobStarted, RegistryChanged

if TYPE_CHECKING:
    from studio.workspace import Workspace

BOARDS, APPROVALS, ROLLOUTS = range(3)
_AGAIN_MS = 5000
"""Another process may make a plan, approve it, or carry a rollout out."""


class FleetPage(Page):
    """Three views; none is read while it is not shown."""

    stage = "fleet"
    title = "Fleet"
    icon = "fleet"

    def __init__(self, workspace: Workspace, shell: Shell) -> None:
        super().__init__(workspace, shell)
        self.boards = FleetBoardsView(workspace, shell)
        self.approvals = ApprovalsView(workspace, shell)
        self.rollouts = RolloutsView(workspace, shell)
        self.add_view("Boards", self.boards)
        self.add_view("Approvals", self.approvals)
        self.add_view("Rollouts", self.rollouts)
        self.add_command("Connect the fleet to a broker", self._connect_broker)
        self.add_command("Show plans that wait for approval", lambda: self.show_view(APPROVALS))
        self.add_command("Show rollouts in time", lambda: self.show_view(ROLLOUTS))
        self._waited = 0
        self._again = QTimer(self, interval=_AGAIN_MS)
        self._again.timeout.connect(self._refresh)
        self.stack.currentChanged.connect(lambda _: self._shown())

    def _connect_broker(self) -> None:
        self.show_view(BOARDS)
        self.boards.ask_broker()

    def on_event(self, event: object) -> None:
        """Follow the job that reads the broker, and changes of plans and rollouts."""
        self.boards.strip.on_event(event)
        if isinstance(event, JobStarted | JobFinished | RegistryChanged) and self.isVisible():
            self._refresh()

    def showEvent(self, event: QShowEvent) -> None:
        """Read what is shown: the approvals, if more plans wait than at the last visit."""
        super().showEvent(event)
        self.workspace.in_background(self.approvals.approvals.waiting, self._show_waiting)
        self._shown()

    def _show_waiting(self, found: int | Exception) -> None:
        if isinstance(found, Exception):
            return  # the list of approvals says what is wrong
        before, self._waited = self._waited, found
        if found > before and self.isVisible():
            self.show_view(APPROVALS)

    def hideEvent(self, event: QHideEvent) -> None:
        """Read nothing."""
        super().hideEvent(event)
        self._again.stop()
        self.boards.watch(False)

    def _shown(self) -> None:
        view = self.stack.currentIndex()
        is_read = self.isVisible() and view != BOARDS
        self.boards.watch(self.isVisible() and view == BOARDS)
        if is_read:
            self._refresh()
            self._again.start()
        else:
            self._again.stop()

    def _refresh(self) -> None:
        view = self.stack.currentIndex()
        if view == APPROVALS:
            self.approvals.refresh()
        elif view == ROLLOUTS:
            self.rollouts.refresh()
