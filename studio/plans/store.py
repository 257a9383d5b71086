"""The folder of plans: one folder each, with the plan, its approval and its outcome.

An approval is used up by renaming its file, which only one of several processes can do. It locks
the file until the outcome is stored, so that others see whether it was killed before.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import IO

from studio.api import Refused, UsageError
from studio.documents.dataclass_json import InvalidDocument, JsonValue, from_json, to_json
from studio.plans.record import Approval, ChangePlan, PlanEntry, Rejection, checked_digest
from studio.settings.files import write_atomically

log = logging.getLogger(__name__)

MOST_PLANS = 500
"""Plans that are kept; the oldest that wait for nothing are deleted first."""

_PLAN, _APPROVAL, _USED, _OUTCOME = "plan.json", "approval.json", "used.json", "outcome.json"
_REJECTION = "rejection.json"
_KILLED = "The program that carried it out was killed; the history and the target have what it did."
_PRIVATE = 0o600
_UNREADABLE = (OSError, ValueError, TypeError, KeyError, InvalidDocument)


class PlanStore:
    """The stored plans of a workspace."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._locked: dict[str, IO[bytes]] = {}

    def add(self, plan: ChangePlan) -> str:
        """Store a plan and return its digest.

        A plan for a second person that is made once more is the one that waits already.

        Raises:
            Refused: when too many plans wait.
        """
        before = self._before(plan) if plan.needs_second else ""
        if before:
            return before
        self._make_room(plan.made)
        digest = plan.digest
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_atomically(self._folder / digest / _PLAN, plan.text.encode(), _PRIVATE)
        return digest

    def _before(self, plan: ChangePlan) -> str:
        """Return the digest of an equal plan that is not carried out yet; empty without one."""
        for one in self.entries(plan.made):
            of = one.plan
            signature = of.signature if plan.signature else ""
            same = of == replace(
                plan, made=of.made, expires=of.expires, nonce=of.nonce, signature=signature
            )
            if same and one.state in ("waiting", "approved"):
                return one.digest
        return ""

    def has(self, digest: str) -> bool:
        """Return whether a plan is stored here."""
        return (self._folder / checked_digest(digest) / _PLAN).exists()

    def plan(self, digest: str) -> ChangePlan:
        """Return a plan, whose content is compared with its digest.

        Raises:
            UsageError: when there is no such plan.
            Refused: when its file was altered.
        """
        path = self._folder / checked_digest(digest) / _PLAN
        try:
            text = path.read_text("utf-8")
        except OSError:
            raise UsageError(
                f"Unknown plan: {digest[:12]}.", hint="studio plan list shows the plans."
            ) from None
        try:
            plan = ChangePlan.read(text)
        except _UNREADABLE:
            raise Refused(f"The file of plan {digest[:12]} was altered.") from None
        if plan.digest != digest:
            raise Refused(f"The file of plan {digest[:12]} was altered.")
        return plan

    def approve(self, approval: Approval) -> None:
        """Store an approval; a plan that was carried out takes none.

        Raises:
            Refused: when the plan was used.
        """
        folder = self._folder / checked_digest(approval.digest)
        if (folder / _USED).exists():
            raise self._spent(approval.digest)
        write_atomically(folder / _APPROVAL, json.dumps(to_json(approval)).encode(), _PRIVATE)

    def revoke(self, digest: str) -> bool:
        """Delete the approval of a plan; return whether it existed."""
        path = self._folder / checked_digest(digest) / _APPROVAL
        found = path.exists()
        path.unlink(missing_ok=True)
        return found

    def reject(self, rejection: Rejection) -> None:
        """Store that a plan is not carried out; its approval ends.

        Raises:
            Refused: when the plan was carried out or rejected before.
        """
        folder = self._folder / checked_digest(rejection.digest)
        if (folder / _USED).exists():
            raise self._spent(rejection.digest)
        text = json.dumps(to_json(rejection)).encode()
        write_atomically(folder / _REJECTION, text, _PRIVATE)
        try:
            # It takes the place of a used approval, so that either this or the start succeeds.
            os.link(folder / _REJECTION, folder / _USED)
        except FileExistsError:
            if self.rejection(rejection.digest) is None:
                (folder / _REJECTION).unlink(missing_ok=True)
            raise self._spent(rejection.digest) from None
        (folder / _APPROVAL).unlink(missing_ok=True)

    def rejection(self, digest: str) -> Rejection | None:
        """Return the rejection of a plan; None without one."""
        document = _document(self._folder / checked_digest(digest) / _USED)
        try:
            return None if document is None else from_json(Rejection, document)
        except _UNREADABLE:
            return None

    def _spent(self, digest: str) -> Refused:
        rejection = self.rejection(digest)
        if rejection is not None:
            text = f"Plan {digest[:12]} was rejected by {rejection.rejected_by}."
            return Refused(text, hint="Make a new plan.")
        return Refused(f"Plan {digest[:12]} was carried out already.", hint="Make a new plan.")

    def approval(self, digest: str) -> Approval | None:
        """Return the unused approval of a plan; None without one."""
        return self._read_approval(digest, _APPROVAL)

    def use(self, digest: str) -> Approval:
        """Use an approval up and return it; of several callers only one gets it.

        Raises:
            Refused: when it is missing, or was used.
        """
        folder = self._folder / checked_digest(digest)
        if (folder / _USED).exists():
            raise self._spent(digest)
        try:
            self._locked[digest] = _locked_link(folder / _APPROVAL, folder / _USED)
        except (FileExistsError, BlockingIOError):
            raise self._spent(digest) from None
        except OSError:
            raise Refused(
                f"Plan {digest[:12]} is not approved.", hint=approve_hint(digest)
            ) from None
        (folder / _APPROVAL).unlink(missing_ok=True)
        found = self._read_approval(digest, _USED)
        if found is None:
            raise Refused(f"The approval of plan {digest[:12]} cannot be read.")
        return found

    def end(self, digest: str, text: str, ok: bool, result: Mapping[str, JsonValue]) -> None:
        """Store what came of a plan."""
        document = {"text": text, "ok": ok, "result": dict(result)}
        path = self._folder / checked_digest(digest) / _OUTCOME
        write_atomically(path, json.dumps(document, default=str).encode(), _PRIVATE)
        self._unlock(digest)

    def _unlock(self, digest: str) -> None:
        file = self._locked.pop(digest, None)
        if file is not None:
            file.close()

    def _is_locked(self, digest: str) -> bool:
        try:
            with (self._folder / digest / _USED).open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError as error:  # deleted by another process, or a disk without locks
            log.warning("plan %s: %s", digest[:12], error)
        return False

    def entry(self, digest: str, now: float) -> PlanEntry:
        """Return a plan with its state.

        Raises:
            UsageError, Refused: as in ``plan``.
        """
        plan = self.plan(digest)
        folder = self._folder / digest
        used, waiting = self._read_approval(digest, _USED), self.approval(digest)
        rejection = self.rejection(digest)
        if rejection is not None:
            text = f"Rejected by {rejection.rejected_by}."
            return PlanEntry(digest, plan, "rejected", rejection.rejected_by, text)
        by = next((one.by for one in (used, waiting) if one is not None), "")
        if used is not None:
            is_running = self._is_locked(digest)
            document = _document(folder / _OUTCOME)
            if document is None:
                state, text = ("running", "") if is_running else ("failed", _KILLED)
                return PlanEntry(digest, plan, state, by, text)
            state = "done" if document.get("ok") else "failed"
            found = document.get("result")
            result = found if isinstance(found, dict) else {}
            return PlanEntry(digest, plan, state, by, str(document.get("text") or ""), result)
        if now >= plan.expires:
            return PlanEntry(digest, plan, "expired")
        is_approved = waiting is not None and now < waiting.expires
        return PlanEntry(digest, plan, "approved" if is_approved else "waiting", by)

    def entries(self, now: float) -> list[PlanEntry]:
        """Return all readable plans, the newest first."""
        found = []
        for digest in self._digests():
            try:
                found.append(self.entry(digest, now))
            except (UsageError, Refused) as error:
                log.warning("plan left out: %s", error)
        return sorted(found, key=lambda one: -one.plan.made)

    def waiting(self, now: float) -> int:
        """Return how many plans wait; those that were used are not read."""
        left = [one for one in self._digests() if not (self._folder / one / _USED).exists()]
        return sum(self._is_waiting(one, now) for one in left)

    def _is_waiting(self, digest: str, now: float) -> bool:
        try:
            return self.entry(digest, now).state == "waiting"
        except (UsageError, Refused):
            return False

    def _digests(self) -> list[str]:
        try:
            names = os.listdir(self._folder)
        except OSError:
            return []
        return [name for name in names if len(name) == 64]

    def _make_room(self, now: float) -> None:
        if len(self._digests()) < MOST_PLANS:
            return
        idle = [one for one in self.entries(now) if one.state not in ("running", "approved")]
        for one in idle[MOST_PLANS // 2 :]:
            shutil.rmtree(self._folder / one.digest, ignore_errors=True)
        if len(self._digests()) >= MOST_PLANS:
            raise Refused("Too many plans are approved and wait.", hint="studio plan list")

    def _read_approval(self, digest: str, name: str) -> Approval | None:
        document = _document(self._folder / checked_digest(digest) / name)
        try:
            return None if document is None else from_json(Approval, document)
        except _UNREADABLE:
            return None


def _locked_link(path: Path, link: Path) -> IO[bytes]:
    """Give a file a second name, and return it locked, until it is closed.

    Raises:
        BlockingIOError: when another one has locked it.
        FileExistsError: when the second name exists.
        OSError: when the file does not exist.
    """
    file = path.open("rb")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # A hard link fails where the name exists, so no second approval replaces a used one.
        os.link(path, link)
        if os.path.samestat(os.fstat(file.fileno()), link.stat()):
            return file
        used = link.open("rb")  # approved again in this moment: that approval is the used one
    except OSError:
        file.close()
        raise
    file.close()
    fcntl.flock(used, fcntl.LOCK_EX)  # those who look hold it briefly
    return used


def approve_hint(digest: str) -> str:
    """Return the command with which a person approves a plan."""
    return f"A person approves it in a terminal: studio plan approve {digest}"


def _document(path: Path) -> dict[str, JsonValue] | None:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
