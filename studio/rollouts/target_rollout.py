"""One target of a rollout: what is done to it, and what has become of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from studio.api import Cancelled, StudioError, TakenBack, TargetSpec
from studio.deployment.trial import able, error_of_trial, said, why_no_trial
from studio.deployment.work import deploy_noted, releases, rollback, undeploy
from studio.jobs import Job
from studio.packages import Bundle
from studio.registry import component_of
from studio.rollouts.golden_requests import GoldenRequests
from studio.rollouts.rule import (
    Answers,
    Decision,
    RequestStats,
    RolloutRule,
    agreement,
    is_slower,
    judge,
    judge_agreement,
    quicker,
)

BEGINNINGS = ("waiting", "deploying", "judging")
KEPT = "kept"
FAILURES = ("taken back", "failed")
_PAUSE_S = 0.5
_LOOKS = 3


@dataclass
class TargetRow:
    """What is told of a target.

    Attributes:
        state: ``waiting``, ``deploying``, ``judging``; then ``kept``, ``taken back``, ``failed``
            or ``not begun``.
        before, now: Figures of the release before and of the new one.
        served: The release before, empty where there was none; None before that was asked. What it
            is taken back to, also when the rollout was cut off after the switch.
        agreement: Share of the samples to which both releases gave the same answer.
        trial: What the quality trial found (as ``soak`` of a deploy), or ``why_not``: the target
            can hold none. Empty where none was asked for.
    """

    target: str
    wave: int
    state: str = "waiting"
    text: str = ""
    seconds: float = 0.0
    before: RequestStats | None = None
    now: RequestStats | None = None
    served: str | None = None
    agreement: float | None = None
    trial: dict[str, Any] = field(default_factory=dict)
    result: dict[str, Any] = field(default_factory=dict)
    undone: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As it is printed, shown and kept."""
        return asdict(self)

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> TargetRow:
        """Out of a ledger."""
        figures = {
            name: RequestStats(**values[name]) if values.get(name) else None
            for name in ("before", "now")
        }
        return cls(**{**values, **figures})


class TargetRollout:
    """Deploys to one target, judges, takes back. Used by one thread at a time."""

    def __init__(
        self,
        target: TargetSpec,
        row: TargetRow,
        bundle: Bundle,
        job: Job,
        known: Mapping[str, Any],
        tell: Callable[[TargetRow], None],
        trial: Mapping[str, Any] = MappingProxyType({}),
        kept: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        """Args: trial, kept: Options of a deploy, for a target that can hold or do it."""
        self.row = row
        self._target = target
        self._bundle = bundle
        self._job = _TargetJob(job, target.name)
        self._asker = GoldenRequests(target, bundle.folder, self._job, known)
        self._before: Answers = ()
        self._trial = trial
        self._kept, self._not_kept = able(target, kept)
        self._tell = tell

    def release(self, rule: RolloutRule, soak_s: float) -> None:
        """Deploy and judge; what is not kept is taken back."""
        began = time.monotonic()
        try:
            self._deploy(rule)
            verdict = self._judge(rule, soak_s)
        except Cancelled:
            raise
        except TakenBack as error:  # by the target itself: nothing is left to be undone
            self.row.trial = error.evidence
            self._become("taken back", error.message)
            return
        except StudioError as error:
            self._become("failed", f"{error.message} {error.hint}".strip())
            return
        finally:
            self.row.seconds = round(time.monotonic() - began, 3)
        if verdict.verdict == "keep":
            self._become(KEPT, f"{verdict.reason}{self._of_trial()}{self._of_kept()}")
        else:
            self.take_back(verdict.reason)

    def leave(self, reason: str) -> None:
        """Do nothing to it, and say why."""
        self._become("not begun", reason)

    def take_back(self, reason: str) -> None:
        """Serve the release before; nothing, where there was none."""
        if self.row.served == self._bundle.digest:
            self._become("taken back", f"{reason}; it had served this release before")
            return
        arguments = {"target": asdict(self._target), "to": None, "purge": False}
        undo = rollback if self.row.served else undeploy
        try:
            self.row.undone = undo(arguments, self._job)
        except Cancelled:
            raise
        except StudioError as error:
            self._become("failed", f"{reason}; rollback failed: {error.message}")
            return
        self._become("taken back", reason)

    def _deploy(self, rule: RolloutRule) -> None:
        arguments = {"target": asdict(self._target), "bundle": str(self._bundle.folder)}
        served = releases(arguments, self._job)["current"]
        # A rollout that was cut off has switched already: what served before is in its ledger.
        if served != self._bundle.digest or self.row.served is None:
            self.row.served = served
        if served and served != self._bundle.digest:
            self.row.before = self._asker.ask_if_served(rule.least_requests)
            self._before = self._asker.answers
        why_not = why_no_trial(self._target) if self._trial else ""
        on_trial = bool(self._trial) and not why_not
        self._become("deploying", "in trial against the previous release" if on_trial else "")
        self.row.trial = {"why_not": why_not} if why_not else {}
        # Without a trial the golden samples judge, and nothing is waited for before.
        watched = self._trial if on_trial else {"soak_s": 0.0}
        self.row.result = deploy_noted({**arguments, **watched, **self._kept}, self._job)
        if self.row.result["state"] == "failed":
            raise error_of_trial(self.row.result)
        if on_trial:
            self.row.trial = dict(self.row.result.get("soak") or {})

    def _of_trial(self) -> str:
        """What is added to the reason why a release was kept."""
        if self.row.trial.get("why_not"):
            return f"; without a trial: {self.row.trial['why_not']}".rstrip(".")
        found = said(self.row.trial)
        return f"; trial: {found}" if found else ""

    def _of_kept(self) -> str:
        """Why nothing is kept or compared there, where that was asked for."""
        reason = self._not_kept
        return f"; {reason[0].lower()}{reason[1:]}".rstrip(".") if reason else ""

    def _judge(self, rule: RolloutRule, soak_s: float) -> Decision:
        """Ask until the rule says something, or the soak is over."""
        self._become("judging", "")
        until = time.monotonic() + soak_s
        asked = self._asker.ask(rule.least_requests)
        self.row.agreement = agreement(self._before, self._asker.answers)
        for look in range(_LOOKS):
            if not is_slower(self.row.before, asked, rule):
                break
            # The studio may be busy with other boards: what is slow has to stay so for a while.
            time.sleep(_PAUSE_S * 2**look)
            asked = quicker(asked, self._asker.ask(rule.least_requests))
        while (found := judge(self.row.before, asked, rule)).verdict == "wait":
            if time.monotonic() > until:
                return Decision("take back", f"{found.reason}, after {soak_s:g} s")
            time.sleep(_PAUSE_S)
            asked = quicker(asked, self._asker.ask(rule.least_requests))
        self.row.now = asked
        return judge_agreement(found, self.row.agreement, rule)

    def _become(self, state: str, text: str) -> None:
        self.row.state, self.row.text = state, text
        self._tell(self.row)


class _TargetJob:
    """A job's part for one target: a folder of its own, messages that say whose they are."""

    def __init__(self, job: Job, target: str) -> None:
        self._job = job
        self._target = target
        self.folder: Path = job.folder / component_of(f"target-{target.replace('/', '+')}")
        self.folder.mkdir(exist_ok=True)

    def progress(self, done: float, total: float, text: str = "") -> None:
        """Only a point of cancelling: the bar is the rollout's."""
        self._job.check()

    def log(self, text: str) -> None:
        """A line with the target's name before it."""
        self._job.log(f"{self._target}: {text}")

    def check(self) -> None:
        """Raise Cancelled when the user asked to stop."""
        self._job.check()

    def event(self, name: str, /, **values: Any) -> None:
        """A message with the target's name."""
        self._job.event(f"target-{name}", target=self._target, **values)
