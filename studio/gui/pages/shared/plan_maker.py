"""Plans instead of jobs: of a step that a second person approves before it starts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from studio.gui.shell import MessageAction, Shell

if TYPE_CHECKING:
    from studio.workspace import RunningJob, Workspace
    from studio.workspace.boards.approvals import PlanEntry


class PlanMaker:
    """Makes plans in the background, and shows that they wait."""

    def __init__(self, workspace: Workspace, shell: Shell) -> None:
        self._workspace, self._shell = workspace, shell

    def start(self, step: str, options: Mapping[str, object]) -> RunningJob | None:
        """Start a step, or make its plan where only an approved plan starts it.

        Raises:
            StudioError: when an option does not fit; nothing was started.
        """
        from studio.workspace.boards.approvals import NeedsApproval  # the first paint needs it not

        try:
            return self._workspace.start(step, **options)
        except NeedsApproval:
            self.make(step, options)
            return None

    def make(self, step: str, options: Mapping[str, object]) -> None:
        """Make a plan that a second person approves; nothing is changed yet."""
        from studio.workspace.boards.approvals import Approvals

        approvals = Approvals(self._workspace.plans)
        given = {name: value for name, value in options.items() if value not in (None, "", ())}
        self._shell.notify("Making the plan…")
        self._workspace.in_background(lambda: approvals.make(step, given), self._made)

    def _made(self, made: PlanEntry | Exception) -> None:
        if isinstance(made, Exception):
            self._shell.fail(made)
            return
        self._shell.notify(
            f"Plan {made.digest[:12]} waits for the approval of a second person.",
            "good",
            MessageAction("Show", lambda: self._shell.go("fleet")),
        )
