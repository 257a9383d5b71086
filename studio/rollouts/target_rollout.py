"""The rollout on one target, and its state."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy

from studio.api import Array, Cancelled, StudioError, TakenBack, TargetError, TargetSpec
from studio.deployment.options import DeployOptions, TargetOptions, TrialOptions
from studio.deployment.step import RollbackOptions, UndeployOptions
from studio.deployment.trial import (
    error_of_trial,
    summary_of_trial,
    why_no_trial,
    without_unsupported,
)
from studio.deployment.work import deploy_noted, releases, rollback, undeploy
from studio.documents.dataclass_json import JsonValue, to_json
from studio.jobs import Job
from studio.monitoring.endpoint.client import InferenceClient
from studio.monitoring.endpoint.endpoint import reached
from studio.packages import Bundle
from studio.registry import component_of
from studio.rollouts.results import KEPT, LEFT, RequestStats, TargetRow
from studio.rollouts.rule import (
    Answers,
    Decision,
    RolloutRule,
    agreement,
    is_slower,
    judge,
    judge_agreement,
    quicker,
)
from studio.runtime.release.trial.golden_check import read_sample


class GoldenRequests:
    """A sender of requests to one target that counts the answers.

    Attributes:
        answers: The last answer to each sample; None if it is missing or unreadable.
    """

    def __init__(
        self, target: TargetSpec, bundle: Path, job: Job, known: Mapping[str, Mapping[str, str]]
    ) -> None:
        self._target = target
        self._samples = _samples(bundle)
        self._job = job
        self._known = known
        self.answers: list[dict[str, Array] | None] = [None] * len(self._samples)

    def send(self, count: int) -> RequestStats:
        """Send a number of requests in sequence, and return their statistics.

        Raises:
            TargetError: when the target has no release.
        """
        seconds: list[float] = []
        errors = 0
        self.answers = [None] * len(self._samples)
        with (
            reached(self._target, self._job, self._known) as link,
            closing(InferenceClient(link)) as client,
        ):
            name = client.model().name
            for number in range(count):
                self._job.check()
                sample = number % len(self._samples)
                began = time.perf_counter()
                try:
                    # Only the first answer to each sample is parsed; the others are only timed.
                    if number < len(self._samples):
                        self.answers[sample] = client.outputs(name, self._samples[sample])
                    else:
                        client.infer(name, self._samples[sample])
                except TargetError:
                    errors += 1
                else:
                    seconds.append(time.perf_counter() - began)
        return _figures(count, errors, seconds)

    def send_if_served(self, count: int) -> RequestStats | None:
        """Send requests; return None if the target has no release, or one with other inputs."""
        try:
            found = self.send(count)
        except StudioError:
            return None
        return found if found.errors < found.requests else None


def _figures(requests: int, errors: int, seconds: list[float]) -> RequestStats:
    if not seconds:
        return RequestStats(requests, errors)
    p50, p99 = numpy.percentile(numpy.asarray(seconds) * 1000, [50, 99])
    return RequestStats(requests, errors, float(p50), float(p99))


def _samples(bundle: Path) -> list[dict[str, Array]]:
    found = []
    for path in sorted((bundle / "golden").glob("*.npz")):
        feeds, _ = read_sample(path)
        found.append(feeds)
    return found


_PAUSE_S = 0.5
_LOOKS = 3


class TargetRollout:
    """The deploy, the verdict and the rollback on one target; not thread-safe."""

    def __init__(
        self,
        target: TargetSpec,
        row: TargetRow,
        bundle: Bundle,
        job: Job,
        known: Mapping[str, Mapping[str, str]],
        on_change: Callable[[TargetRow], None],
        trial: TrialOptions | None = None,
        options: DeployOptions | None = None,
    ) -> None:
        """Prepare the deploy.

        Args:
            trial: Options of the trial; None without one.
            options: Options of the deploy besides its target and bundle.
        """
        self.row = row
        self._target = target
        self._bundle = bundle
        self._job = _TargetJob(job, target.name)
        self._requests = GoldenRequests(target, bundle.folder, self._job, known)
        self._before: Answers = ()
        self._trial = trial
        wanted = replace(options or DeployOptions(), target=target, bundle=bundle.folder)
        self._options, self._not_kept = without_unsupported(target, wanted)
        self._on_change = on_change

    def release(self, rule: RolloutRule, soak_s: float) -> None:
        """Deploy and evaluate the release; roll it back unless it is kept."""
        began = time.monotonic()
        try:
            self._deploy(rule)
            verdict = self._judge(rule, soak_s)
        except Cancelled:
            raise
        except TakenBack as error:  # the target itself has rolled back
            self._become("taken back", error.message, trial=error.evidence)
            return
        except StudioError as error:
            self._become("failed", f"{error.message} {error.hint}".strip())
            return
        finally:
            self.row = replace(self.row, seconds=round(time.monotonic() - began, 3))
        if verdict.verdict == "keep":
            self._become(KEPT, f"{verdict.reason}{self._of_trial()}{self._of_kept()}")
        else:
            self.roll_back(verdict.reason)

    def leave(self, reason: str) -> None:
        """Leave the target unchanged, and record the reason."""
        self._become(LEFT, reason)

    def roll_back(self, reason: str) -> None:
        """Activate the previous release; without one, undeploy."""
        if self.row.served == self._bundle.digest:
            self._become("taken back", f"{reason}; it had served this release before")
            return
        try:
            self.row = replace(self.row, undone=self._undo())
        except Cancelled:
            raise
        except StudioError as error:
            self._become("failed", f"{reason}; rollback failed: {error.message}")
            return
        self._become("taken back", reason)

    def _undo(self) -> dict[str, JsonValue]:
        """Roll back, or undeploy if there was no previous release."""
        if self.row.served:
            return dict(to_json(rollback(RollbackOptions(target=self._target), self._job)))
        return dict(to_json(undeploy(UndeployOptions(target=self._target), self._job)))

    def _deploy(self, rule: RolloutRule) -> None:
        served = releases(TargetOptions(target=self._target), self._job).current
        # An interrupted rollout has already switched: its ledger has the previous release.
        if served != self._bundle.digest or self.row.served is None:
            self.row = replace(self.row, served=served)
        if served and served != self._bundle.digest:
            before = self._requests.send_if_served(rule.least_requests)
            self.row = replace(self.row, before=before)
            self._before = self._requests.answers
        why_not = why_no_trial(self._target) if self._trial else ""
        trial = None if why_not else self._trial
        self._become("deploying", "in trial against the previous release" if trial else "")
        self.row = replace(self.row, trial={"why_not": why_not} if why_not else {})
        # Without a trial the golden samples decide, so there is no soak.
        watched = trial or TrialOptions(soak_s=0.0)
        options = replace(
            self._options,
            trial=watched.trial,
            soak_s=watched.soak_s,
            trial_rule=watched.trial_rule,
        )
        result = deploy_noted(options, self._job)
        self.row = replace(self.row, result=to_json(result))
        if result.state == "failed":
            raise error_of_trial(result)
        if trial:
            self.row = replace(self.row, trial=dict(result.soak or {}))

    def _of_trial(self) -> str:
        """Return the addition about the trial to the reason of a kept release."""
        if why_not := self.row.trial.get("why_not"):
            return f"; without a trial: {why_not}".rstrip(".")
        summary = summary_of_trial(self.row.trial)
        return f"; trial: {summary}" if summary else ""

    def _of_kept(self) -> str:
        """Return the addition about options on requests that the target does not support."""
        reason = self._not_kept
        return f"; {reason[0].lower()}{reason[1:]}".rstrip(".") if reason else ""

    def _judge(self, rule: RolloutRule, soak_s: float) -> Decision:
        """Send requests until the rule gives a verdict, or the soak ends."""
        self._become("judging", "")
        until = time.monotonic() + soak_s
        asked = self._requests.send(rule.least_requests)
        likeness = agreement(self._before, self._requests.answers)
        self.row = replace(self.row, agreement=likeness)
        for look in range(_LOOKS):
            if not is_slower(self.row.before, asked, rule):
                break
            # The studio may be busy with other boards, so measure again after growing pauses.
            time.sleep(_PAUSE_S * 2**look)
            asked = quicker(asked, self._requests.send(rule.least_requests))
        while (found := judge(self.row.before, asked, rule)).verdict == "wait":
            if time.monotonic() > until:
                return Decision("take back", f"{found.reason}, after {soak_s:g} s")
            time.sleep(_PAUSE_S)
            asked = quicker(asked, self._requests.send(rule.least_requests))
        self.row = replace(self.row, now=asked)
        return judge_agreement(found, self.row.agreement, rule)

    def _become(self, state: str, text: str, trial: Mapping[str, JsonValue] | None = None) -> None:
        trial = self.row.trial if trial is None else trial
        self.row = replace(self.row, state=state, text=text, trial=trial)
        self._on_change(self.row)


class _TargetJob:
    """A job for one target, with its own folder, and messages with the target's name."""

    def __init__(self, job: Job, target: str) -> None:
        self._job = job
        self._target = target
        self.folder: Path = job.folder / component_of(f"target-{target.replace('/', '+')}")
        self.folder.mkdir(exist_ok=True)

    def progress(self, done: float, total: float, text: str = "") -> None:
        """Ignore the progress, but allow a cancellation: the bar shows the rollout."""
        self._job.check()

    def log(self, text: str) -> None:
        """Log a line with the target's name."""
        self._job.log(f"{self._target}: {text}")

    def check(self) -> None:
        """Raise Cancelled if the user cancelled the job."""
        self._job.check()

    def event(self, name: str, /, **values: Any) -> None:
        """Send a message with the target's name."""
        self._job.event(f"target-{name}", target=self._target, **values)
