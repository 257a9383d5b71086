"""Plans that the studios of one shared registry show to each other's approvers."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from studio.api import Refused, StudioError
from studio.documents.dataclass_json import InvalidDocument, from_json, optional, to_json
from studio.lazy_dataclass import dataclass
from studio.plans import approvals
from studio.plans.record import Approval, ChangePlan, PlanEntry, Rejection
from studio.plans.store import PlanStore
from studio.settings import Paths
from studio.settings.user import owner

if TYPE_CHECKING:
    from studio.registry.servers.shared_plans import PlanAnswer, SharedPlan, SharedPlans

log = logging.getLogger(__name__)

WAITING, APPROVED = "waiting", "approved"
_OPEN = (WAITING, APPROVED)
_UNREADABLE = (ValueError, TypeError, KeyError, RecursionError, InvalidDocument)


class PlanExchange:
    """The exchange of plans with other studios: with none, as the registry is this one's alone."""

    def share(self, plan: ChangePlan) -> bool:
        """Show a plan to the approvers of the registry; return whether the registry has it."""
        return False

    def has(self, digest: str) -> bool:
        """Return whether the registry has a plan."""
        return False

    def end(self, plan: ChangePlan) -> None:
        """Take a plan that is over off the lists of others."""

    def with_answers(self, entries: list[PlanEntry]) -> list[PlanEntry]:
        """Return plans of this studio with what approvers have answered in the registry."""
        return entries

    def foreign(self) -> list[PlanEntry]:
        """Return the plans of other studios that wait for something.

        Raises:
            StudioError: when the registry cannot be reached.
        """
        return []

    def foreign_one(self, digest: str) -> PlanEntry | None:
        """Return a plan of another studio; None for an unknown or an own one.

        Raises:
            StudioError: when the registry cannot be reached.
        """
        return None

    def approve(self, plan: ChangePlan, key: Path | None) -> Approval:
        """Approve a plan of another studio, which finds the approval in the registry.

        Raises:
            Refused: when the approval would not count.
            StudioError: when the key cannot be used, or the registry not be reached.
        """
        raise NotImplementedError

    def reject(self, plan: ChangePlan) -> None:
        """Reject a plan of another studio.

        Raises:
            StudioError: when the role may not, or the registry cannot be reached.
        """
        raise NotImplementedError


class SharedPlanExchange(PlanExchange):
    """The exchange of plans through a shared registry.

    An answer counts if a named approver has signed it. Where approvers are not named, it counts if
    the server recorded it of another database role than that of the plan. Only the role
    ``edgewright_approver`` may answer.

    Args:
        rows: The tables of plans in the shared registry.
        store: This workspace's own plans.
    """

    def __init__(
        self,
        rows: SharedPlans,
        store: PlanStore,
        paths: Paths,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._rows = rows
        self._store = store
        self._paths = paths
        self._clock = clock

    # Plans of this studio

    def share(self, plan: ChangePlan) -> bool:
        """Show a plan that a second person approves; without the registry its file can travel."""
        if not plan.needs_second:
            return False
        try:
            self._rows.add(plan.digest, plan.text, plan.expires)
        except StudioError as error:
            log.warning("plan %s is not shared: %s", plan.digest[:12], error.message)
            return False
        return True

    def has(self, digest: str) -> bool:
        """Return whether the registry has a plan."""
        try:
            return bool(self._rows.role_of(digest))
        except StudioError:
            return False

    def end(self, plan: ChangePlan) -> None:
        """Take a plan that is over off the lists of others, if they have it."""
        if not plan.needs_second:
            return
        try:
            self._rows.end(plan.digest)
        except StudioError as error:
            log.warning("plan %s stays listed: %s", plan.digest[:12], error.message)

    def with_answers(self, entries: list[PlanEntry]) -> list[PlanEntry]:
        """Return plans of this studio; the answers to those that wait are stored first."""
        answered = self._collect(entries)
        return [self._again(one, answered.get(one.digest)) for one in entries]

    def _again(self, entry: PlanEntry, reason: str | None) -> PlanEntry:
        """Return a plan as it is after its answer, if it had one."""
        if reason is None:
            return entry
        found = self._store.entry(entry.digest, self._clock())
        return replace(found, outcome=reason) if reason else found

    def _collect(self, entries: Iterable[PlanEntry]) -> dict[str, str]:
        """Store what approvers have answered to plans of this studio that are not carried out yet.

        Returns:
            The plans with answers; for each, why its answer does not count, or an empty text.
        """
        own = {one.digest: one for one in entries if one.plan.needs_second and one.state in _OPEN}
        try:
            answers = self._rows.answers(own)
        except StudioError as error:
            log.warning("answers to plans cannot be read: %s", error.message)
            return {}
        return {digest: self._taken(own[digest], answer) for digest, answer in answers.items()}

    def _taken(self, entry: PlanEntry, answer: PlanAnswer) -> str:
        """Store one answer; return why it does not count."""
        try:
            found = _answer_in(answer.text)
            if isinstance(found, Rejection):
                # It only prevents a change, so the server's word for the role is enough.
                self._store.reject(Rejection(entry.digest, answer.role, self._clock()))
                self.end(entry.plan)
            elif entry.state != APPROVED:
                self._store.approve(self._counted(entry, found, answer.role))
        except StudioError as error:
            return f"The answer of {answer.role} does not count: {error.message}"
        return ""

    def _counted(self, entry: PlanEntry, found: Approval, role: str) -> Approval:
        """Return an approval in the name of its signer, or of the role that the server recorded.

        Raises:
            Refused: when it does not count.
        """
        digest, plan, now = entry.digest, entry.plan, self._clock()
        self._require_other_role(digest, role)
        if approvals.approvers_file(self._paths) is not None:
            return approvals.received(found, digest, plan, self._paths, now)
        unsigned = replace(found, by=role, at=now, signature="", uid=None)
        approvals.require(unsigned, digest, plan, self._paths, now)
        return unsigned

    def _require_other_role(self, digest: str, role: str) -> None:
        """Refuse an approval by the database role that has shared the plan.

        Raises:
            Refused: when it is the same one.
        """
        if self._rows.role_of(digest) == role:
            raise Refused(
                f"The database role {role} has made this plan and cannot approve it.",
                hint="Each person needs a role, or a key: see docs/shared-registry.md.",
            )

    # Plans of other studios

    def foreign(self) -> list[PlanEntry]:
        """Return the plans of other studios that wait for something.

        Raises:
            StudioError: when the registry cannot be reached.
        """
        plans = [_plan_in(row) for row in self._rows.open()]
        others = [one for one in plans if one is not None and not self._store.has(one.digest)]
        answers = self._rows.answers(one.digest for one in others)
        return [self._entry(one, answers.get(one.digest)) for one in others]

    def foreign_one(self, digest: str) -> PlanEntry | None:
        """Return a plan of another studio; None for an unknown or an own one.

        Raises:
            StudioError: when the registry cannot be reached.
        """
        row = None if self._store.has(digest) else self._rows.one(digest)
        plan = None if row is None else _plan_in(row)
        return None if plan is None else self._entry(plan, self._rows.answers([digest]).get(digest))

    def _entry(self, plan: ChangePlan, answer: PlanAnswer | None) -> PlanEntry:
        if self._clock() >= plan.expires:
            return PlanEntry(plan.digest, plan, "expired", is_foreign=True)
        state, by = _state_of(answer)
        return PlanEntry(plan.digest, plan, state, by, is_foreign=True)

    def approve(self, plan: ChangePlan, key: Path | None) -> Approval:
        """Approve a plan of another studio, which finds the approval in the registry.

        Raises:
            Refused: when the approval would not count.
            StudioError: when the key cannot be used, or the registry not be reached.
        """
        digest, now = plan.digest, self._clock()
        approvers = approvals.approvers_file(self._paths)
        self._require_other_role(digest, self._rows.role)
        if key is None:
            approval = approvals.by_terminal(digest, plan, approvers, now, None)
        elif approvers is None:
            approval = approvals.signed(digest, plan, key, now)
        else:
            approval = approvals.by_key(digest, plan, key, approvers, now)
        self._rows.answer(digest, _text_of(_AnswerDocument(approval)))
        by = approval.by if approval.signature else ""
        return replace(approval, by=by or self._rows.role)

    def reject(self, plan: ChangePlan) -> None:
        """Reject a plan of another studio.

        Raises:
            StudioError: when the role may not, or the registry cannot be reached.
        """
        rejection = Rejection(plan.digest, owner(), self._clock())
        self._rows.answer(plan.digest, _text_of(_AnswerDocument(rejection=rejection)))


def _plan_in(row: SharedPlan) -> ChangePlan | None:
    """Return the plan of a row; None when its text is another than its digest."""
    try:
        plan = ChangePlan.read(row.text)
    except _UNREADABLE:
        plan = None
    if plan is None or plan.digest != row.digest:
        log.warning("plan %s of role %s is unreadable or altered", row.digest[:12], row.role)
        return None
    return plan


def _state_of(answer: PlanAnswer | None) -> tuple[str, str]:
    """Return the state that an answer gives to a plan, and who gave it."""
    try:
        found = None if answer is None else _answer_in(answer.text)
    except Refused:
        found = None
    if answer is None or found is None:
        return WAITING, ""
    return ("rejected" if isinstance(found, Rejection) else APPROVED), answer.role


@dataclass(frozen=True, slots=True)
class _AnswerDocument:
    """The document of an answer: one of both."""

    approval: Approval | None = optional(None)
    rejection: Rejection | None = optional(None)


def _answer_in(text: str) -> Approval | Rejection:
    """Return the answer of a text.

    Raises:
        Refused: when it is not one.
    """
    try:
        found = from_json(_AnswerDocument, json.loads(text))
    except _UNREADABLE:
        found = _AnswerDocument()
    answer = found.approval or found.rejection
    if answer is None:
        raise Refused("It is no approval.")
    return answer


def _text_of(answer: _AnswerDocument) -> str:
    return json.dumps(to_json(answer))
