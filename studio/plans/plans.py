"""Plans of a workspace: made, approved by a person, and carried out once."""

from __future__ import annotations

import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from studio.api import Kind, Refused, StudioError, UsageError
from studio.jobs import AnyStep, Effect, End, JobOutcome, RunningJob
from studio.plans import approvals
from studio.plans.author import with_signature
from studio.plans.record import Approval, ChangePlan, PlanEntry, PlanRequest, Rejection
from studio.plans.registry_exchange import PlanExchange, SharedPlanExchange
from studio.plans.store import PlanStore
from studio.plans.texts import lines_of, rollout_lines
from studio.registry import Registry
from studio.registry.targets import LOCAL
from studio.settings import Paths
from studio.settings.user import owner, user_id
from studio.steps.approval import protected_targets
from studio.steps.catalogue import step as step_named
from studio.steps.resolve import Resolved
from studio.steps.runner import SEAL_BROKEN, StepRunner

VALID_S = 86_400.0
"""Time for which a plan can be approved."""

_PATHS = (Kind.FILE, Kind.FOLDER, Kind.DATA, Kind.OUTPUT)
_MOST_READ = 4
"""Targets whose current release is read; of more, the registry's record is compared alone."""

_MOST_SHOWN = 5
"""Releases that the plan of a rollback lists."""


class Plans:
    """The plans of a workspace.

    A plan holds a step with all options, the digest of everything it depends on, and the releases
    that its targets had. If one of them is another when the plan is to be carried out, it is
    refused.
    """

    def __init__(
        self,
        paths: Paths,
        registry: Registry,
        steps: StepRunner,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._paths = paths
        self._registry = registry
        self._steps = steps
        self._clock = clock
        self._store = PlanStore(paths.data / "plans")
        shared = registry.shared
        self._is_exchanged = shared is not None
        self._exchange = PlanExchange()
        if shared is not None:
            self._exchange = SharedPlanExchange(shared.plans, self._store, paths, clock)
        self._lock = threading.RLock()  # a handler of signals may interrupt its holder
        self._followed: dict[RunningJob, threading.Thread] = {}
        self._stopped = ""

    def make(self, request: PlanRequest) -> PlanEntry:
        """Make a plan, for which targets may be read but nothing is changed.

        Raises:
            UsageError: when an option does not fit, or the step changes nothing.
            StudioError: when the preview of a deployment fails.
        """
        step = step_named(request.step)
        if step.effect is Effect.LOOKS:
            raise UsageError(f"{request.step} changes nothing and needs no plan.")
        request = self._opened(request)
        seal, resolved = self._steps.seal(request.step, request.options)
        names = _targets(resolved.arguments)
        live, state = self._live(names), self._state(names)
        lines = lines_of(step, resolved.arguments, live, self._preview(request))
        now = self._clock()
        plan = ChangePlan(
            step=request.step,
            options=request.options,
            seal=seal,
            state=state,
            live=live,
            targets=names,
            lines=lines,
            author=owner(),
            source=request.source,
            made=now,
            expires=now + VALID_S,
            nonce=secrets.token_hex(16),
            is_protected=bool(self._protected(step, resolved)),
            uid=user_id(),
        )
        digest = self._store.add(with_signature(plan, self._paths, self.approvers))
        made = self._store.entry(digest, now)
        self._exchange.share(made.plan)
        return made

    def _opened(self, request: PlanRequest) -> PlanRequest:
        """Return a request whose models are in the registry, and whose paths are absolute."""
        given, failure = self._steps.open_models(request.step, request.options)
        if failure is not None:
            raise StudioError(failure.sentence, hint=failure.hint)
        options = {name: _plain(value) for name, value in given.items()}
        arguments = self._steps.seal(request.step, options)[1].arguments
        # It may be carried out in another folder than it was made in.
        kinds = {option.name: option.kind for option in step_named(request.step).form}
        paths = {name: arguments[name] for name in options if kinds.get(name) in _PATHS}
        return replace(request, options={**options, **paths})

    def all(self) -> list[PlanEntry]:
        """Return all plans, the newest first, with those of other studios of a shared registry.

        Raises:
            StudioError: when the shared registry cannot be reached.
        """
        own = self._exchange.with_answers(self._store.entries(self._clock()))
        return sorted([*own, *self._exchange.foreign()], key=lambda one: -one.plan.made)

    def waiting(self) -> int:
        """Return how many plans wait for an approval.

        Raises:
            StudioError: when the shared registry cannot be reached.
        """
        if not self._is_exchanged:
            return self._store.waiting(self._clock())
        return sum(one.state == "waiting" for one in self.all())

    def is_shared(self, digest: str) -> bool:
        """Return whether approvers of the shared registry see a plan of this studio."""
        return self._exchange.has(digest)

    def one(self, digest: str) -> PlanEntry:
        """Return a plan by its digest, or by the only one that begins so (8 digits at least).

        Raises:
            UsageError: when there is no such plan, or several.
        """
        if 8 <= len(digest) < 64:
            found = [one for one in self.all() if one.digest.startswith(digest)]
            if len(found) == 1:
                return found[0]
        foreign = self._exchange.foreign_one(digest)
        if foreign is not None:
            return foreign
        return self._exchange.with_answers([self._store.entry(digest, self._clock())])[0]

    def _require_own(self, digest: str) -> None:
        """Refuse a plan of another studio.

        Raises:
            Refused: with what is possible here.
        """
        if self._exchange.foreign_one(digest) is not None:
            raise Refused(
                f"Plan {digest[:12]} was made by another studio, which carries it out.",
                hint="Approve or reject it here.",
            )

    def approve(self, digest: str, key: Path | None = None) -> Approval:
        """Approve a plan in the name of the person at the terminal, or of a key's owner.

        The caller has shown the plan to this person.

        Raises:
            Refused: when the plan has expired, was used, or the approval would not count.
        """
        foreign = self._exchange.foreign_one(digest)
        if foreign is not None:
            return self._exchange.approve(foreign.plan, key)
        plan, now = self._current_plan(digest)
        approvers = self.approvers
        if key is None:
            approval = approvals.by_terminal(digest, plan, approvers, now, user_id())
        else:
            approval = approvals.by_key(digest, plan, key, approvers, now)
        self._store.approve(approval)
        return approval

    def receive(self, digest: str, approval: Approval) -> Approval:
        """Store an approval that a named approver has signed at another computer.

        Raises:
            Refused: when the plan has expired, was used, or the approval would not count.
        """
        self._require_own(digest)
        plan, now = self._current_plan(digest)
        self._store.approve(found := approvals.received(approval, digest, plan, self._paths, now))
        return found

    def _current_plan(self, digest: str) -> tuple[ChangePlan, float]:
        """Return a plan that can be approved, and the time.

        Raises:
            Refused: when it has expired.
        """
        plan, now = self._store.plan(digest), self._clock()
        if now >= plan.expires:
            raise Refused(f"Plan {digest[:12]} has expired.", hint="Make a new plan.")
        return plan, now

    @property
    def approvers(self) -> Path | None:
        """File of the named approvers; None where an approval at a terminal is enough."""
        return approvals.approvers_file(self._paths)

    def reject(self, digest: str) -> None:
        """Decide that a plan is not carried out, in the name of this user.

        Raises:
            Refused: when it was carried out or rejected before.
        """
        foreign = self._exchange.foreign_one(digest)
        if foreign is not None:
            self._exchange.reject(foreign.plan)
            return
        plan = self._store.plan(digest)
        self._store.reject(Rejection(plan.digest, owner(), self._clock()))
        self._exchange.end(plan)

    def revoke(self, digest: str) -> bool:
        """Delete an unused approval; return whether it existed.

        Raises:
            Refused: for a plan of another studio.
        """
        self._require_own(digest)
        return self._store.revoke(digest)

    def start(self, digest: str) -> RunningJob:
        """Start an approved plan, exactly as it was shown; its approval is used up.

        Raises:
            Refused: without a valid approval, or when something has changed since; in these
                cases nothing was started.
        """
        if self._stopped:
            raise Refused(self._stopped, hint="The plan and its approval are unchanged.")
        self._require_own(digest)
        plan = self.one(digest).plan
        waiting = self._store.approval(digest)
        if waiting is not None:
            approvals.require(waiting, digest, plan, self._paths, self._clock())
            self._require_unchanged(plan)
        used = self._store.use(digest)
        try:
            # What was approved is checked again, as the file may be another by now.
            by = approvals.require(used, digest, plan, self._paths, self._clock())
            job = self._steps.start(
                plan.step, plan.options, f"plan {digest[:12]} approved by {by}", plan.seal
            )
        except StudioError as error:
            self._store.end(digest, error.message, False, {})
            raise
        self._follow(digest, job)
        self._exchange.end(plan)
        return job

    def _follow(self, digest: str, job: RunningJob) -> None:
        thread = threading.Thread(target=self._finish, args=(digest, job), daemon=True)
        with self._lock:
            self._followed[job] = thread
            thread.start()
            is_late = bool(self._stopped)
        if is_late:
            job.cancel()

    def stop(self, reason: str) -> None:
        """Start no more plans, and cancel those that run; from any thread.

        Args:
            reason: A sentence, which their outcomes and later refusals name.
        """
        with self._lock:
            self._stopped = self._stopped or reason
            running = list(self._followed)
        for job in running:
            job.cancel()

    def close(self) -> None:
        """Wait until the outcomes of plans whose jobs have ended are stored."""
        with self._lock:
            threads = list(self._followed.items())
        for job, thread in threads:
            if not job.running:
                thread.join()

    def settled(self, digest: str, job: RunningJob) -> PlanEntry:
        """Return the entry of a started plan, with the outcome if its job has ended."""
        if job.outcome is not None:
            self._note(digest, job.outcome)
        return self.one(digest)

    def run(self, digest: str) -> JobOutcome:
        """Carry an approved plan out to its end.

        Raises:
            Refused: as in ``start``.
        """
        job = self.start(digest)
        outcome = job.wait()
        assert outcome is not None
        self._note(digest, outcome)
        return outcome

    def _finish(self, digest: str, job: RunningJob) -> None:
        outcome = job.wait()
        assert outcome is not None
        self._note(digest, outcome)
        with self._lock:
            self._followed.pop(job, None)

    def _note(self, digest: str, outcome: JobOutcome) -> None:
        text = outcome.sentence or ("Done." if outcome.ok else "Failed.")
        if self._stopped and outcome.end is End.CANCELLED:
            text = f"{text} {self._stopped}"
        self._store.end(digest, text, outcome.ok, outcome.document if outcome.ok else {})

    def _require_unchanged(self, plan: ChangePlan) -> None:
        """Refuse a plan whose targets or inputs have changed; its approval stays unused."""
        seal, resolved = self._steps.seal(plan.step, plan.options)
        if seal != plan.seal:
            raise Refused(SEAL_BROKEN, hint="Make a new plan.")
        if not plan.needs_second and self._protected(step_named(plan.step), resolved):
            raise Refused(
                "A target needs an approval of a second person since the plan was made.",
                hint="Make a new plan.",
            )
        if self._state(plan.targets) != plan.state or self._live(plan.targets) != plan.live:
            raise Refused(
                "The release of a target has changed since the plan was made.",
                hint="Make a new plan.",
            )

    def _protected(self, step: AnyStep, resolved: Resolved) -> list[str]:
        return protected_targets(step, resolved, self._registry)

    def _state(self, names: tuple[str, ...]) -> str:
        """Return the digest of the recorded releases of some targets."""
        history = self._registry.history
        last = {name: [(one.id, one.digest) for one in history.all(name, most=1)] for name in names}
        return hashlib.sha256(json.dumps(last, sort_keys=True).encode()).hexdigest()

    def _live(self, names: tuple[str, ...]) -> dict[str, str]:
        """Return the current release of a few targets, as they report it."""
        if len(names) > _MOST_READ:
            return {}
        return {name: self._current(name) for name in names}

    def _current(self, name: str) -> str:
        outcome = self._steps.run("releases", {"target": name})
        return str(outcome.document.get("current") or "") if outcome.ok else ""

    def _preview(self, request: PlanRequest) -> list[str]:
        """Return the steps of a deployment as a dry run finds them, or releases to return to."""
        if request.step == "rollback":
            return self._kept(str(request.options.get("target") or LOCAL.name))
        if request.step not in ("deploy", "rollout"):
            return []
        outcome = self._steps.run(request.step, {**request.options, "dry_run": True})
        if not outcome.ok:
            raise StudioError(outcome.sentence, hint=outcome.hint)
        if request.step == "rollout":
            return rollout_lines(outcome.document)
        steps: Any = outcome.document.get("steps") or ()
        return [f"{one.get('name')}: {one.get('state')}, {one.get('text')}" for one in steps]

    def _kept(self, target: str) -> list[str]:
        outcome = self._steps.run("releases", {"target": target})
        found: Any = outcome.document.get("releases") or () if outcome.ok else ()
        kept = [one for one in found if one.get("kept", True)][:_MOST_SHOWN]
        return [
            f"Release {one.get('version')}: {one.get('name')}, {str(one.get('release'))[:12]}, "
            f"{one.get('state')}"
            for one in kept
        ]


def _plain(value: Any) -> Any:
    """Return an option as JSON reads it again: a text of a class of its own as a text."""
    if isinstance(value, str):
        return str(value)
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def _targets(arguments: Mapping[str, Any]) -> tuple[str, ...]:
    found = arguments.get("target")
    several = found if isinstance(found, list) else [found]
    return tuple(str(one["name"]) for one in several if isinstance(one, dict))
