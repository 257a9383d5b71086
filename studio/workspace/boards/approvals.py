"""Plans that wait for a person, as the window lists, approves and rejects them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studio.api import Refused
from studio.jobs import RunningJob
from studio.plans import PlanEntry as PlanEntry
from studio.plans import PlanRequest, Plans
from studio.plans.exchange import read_approval, write_plan
from studio.plans.texts import shown
from studio.settings.user import user_id
from studio.steps.approval import NeedsApproval as NeedsApproval
from studio.steps.approval import ProtectedTargets as ProtectedTargets

WAITING, APPROVED = "waiting", "approved"
TYPED = 8
"""Digits of the digest that an approver types."""


class Approvals:
    """The plans of a workspace for the window; each call reads or writes files."""

    def __init__(self, plans: Plans) -> None:
        self._plans = plans

    def entries(self) -> list[PlanEntry]:
        """Return all plans: those that wait, then the others, each the newest first."""
        order = {WAITING: 0, APPROVED: 1}
        return sorted(self._plans.all(), key=lambda one: order.get(one.state, 2))

    def waiting(self) -> int:
        """Return the number of plans that wait for a person."""
        return self._plans.waiting()

    @property
    def needs_key(self) -> bool:
        """Whether only signatures of named approvers count."""
        return self._plans.approvers is not None

    def why_not(self, entry: PlanEntry) -> str:
        """Return why this user cannot approve a plan; empty when that is possible."""
        if entry.state != WAITING:
            return f"This plan is {entry.state}."
        is_own = not entry.is_foreign and entry.plan.uid == user_id()
        if entry.plan.needs_second and not self.needs_key and is_own:
            return "You made this plan. A second person approves it."
        return ""

    def text(self, entry: PlanEntry) -> str:
        """Return a plan in words, as ``studio plan show`` prints it."""
        return "\n".join(shown(entry))

    def approve(self, digest: str, typed: str, key: Path | None = None) -> str:
        """Approve a plan as ``studio plan approve`` does; return who approved it.

        Args:
            typed: The first eight digits of the digest, which the person has read.
            key: SSH key of a named approver.

        Raises:
            Refused: when the digits differ, or the approval would not count.
            StudioError: when the key cannot be used.
        """
        if typed.strip() != digest[:TYPED]:
            raise Refused("The plan was not approved: the digits differ.")
        return self._plans.approve(digest, key).by

    def export(self, digest: str, path: Path) -> Path:
        """Write a plan to a file, for an approver at another computer; return the file.

        Raises:
            StudioError: when it cannot be written.
        """
        write_plan(path, self._plans.one(digest).plan)
        return path

    def receive(self, digest: str, path: Path) -> str:
        """Take an approval that was signed at another computer; return who approved the plan.

        Raises:
            InvalidData: when the file is no approval.
            Refused: when the approval does not count.
        """
        return self._plans.receive(digest, read_approval(path)).by

    def reject(self, digest: str) -> None:
        """Decide that a plan is not carried out.

        Raises:
            Refused: when it was carried out or rejected before.
        """
        self._plans.reject(digest)

    def start(self, digest: str) -> RunningJob:
        """Carry an approved plan out, as ``studio plan apply`` does.

        Raises:
            Refused: without a valid approval, or when something has changed.
        """
        return self._plans.start(digest)

    def make(self, step: str, options: Mapping[str, Any]) -> PlanEntry:
        """Make a plan of a step.

        Raises:
            StudioError: when an option does not fit, or its preview fails.
        """
        return self._plans.make(PlanRequest(step, options))
