"""The work of the step ``rollout`` in a worker: waves in sequence, targets in parallel."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from studio.api import UsageError
from studio.deployment.admission import downgrade_of
from studio.deployment.contained_packaging import opened
from studio.deployment.options import DeployOptions, TrialOptions
from studio.deployment.trial import parse_rule
from studio.documents.dataclass_json import to_json
from studio.jobs import Job
from studio.packages import Bundle
from studio.packages.packaging_job import package_contained
from studio.packages.results import PackageResult
from studio.rollouts.disruption import DisruptionBudget, Disruptions
from studio.rollouts.maintenance import MaintenanceWindow
from studio.rollouts.plan import planned
from studio.rollouts.results import (
    BEGINNINGS,
    FAILURES,
    KEPT,
    LEFT,
    RolloutResult,
    RolloutWork,
    TargetRow,
)
from studio.rollouts.resume import head_of
from studio.rollouts.rollout_state import RolloutState, place_of
from studio.rollouts.rule import RolloutRule
from studio.rollouts.step import RolloutOptions
from studio.rollouts.target_rollout import TargetRollout
from studio.rollouts.wave_run import WaveLimits, WaveRun, utc_now
from studio.rollouts.wave_verdict import wave_verdict
from studio.rollouts.waves import waves
from studio.settings import Paths

_DONE = "done"
_HALTED = "halted"


def rollout(options: RolloutOptions, job: Job) -> RolloutWork:
    """Release to all targets, or stop after too many failures.

    On a repeated rollout, a target that has the release already is only evaluated. A resumed
    rollout leaves targets alone that have kept it.
    """
    if not options.model and not options.bundle:
        raise UsageError("Missing model or bundle.", hint="Pass a model or a bundle folder.")
    names = [one.name for one in options.target or ()]
    plan = waves(names, options.strategy, options.first_wave, options.wave_size, groups_of(options))
    if options.dry_run:
        bundle = _signed(_packaged(options, job), options, job)
        return RolloutWork(planned(bundle, plan, options, utc_now()), (), None)
    began = time.monotonic()
    ledger, bundle, packaged = _begin(options, job)
    state, rows = Rollout(plan, bundle, options, job, ledger).run()
    ledger.append("ended", state=state)
    result = RolloutResult(
        state=state,
        rollout=ledger.name,
        name=bundle.name,
        version=bundle.version,
        release=bundle.digest,
        targets=tuple(row.outcome for row in rows),
        kept=sum(row.state == KEPT for row in rows),
        seconds=time.monotonic() - began,
    )
    return RolloutWork(result, tuple(rows), packaged)


def _begin(options: RolloutOptions, job: Job) -> tuple[RolloutState, Bundle, PackageResult | None]:
    """Return the ledger, the bundle that outlives this job, and the result of packaging."""
    place = place_of(Paths.of().data)
    if options.resume and options.bundle:
        ledger = RolloutState.find(place, options.resume)
        ledger.claim()
        ledger.append("resumed")
        bundle = Bundle.open(options.bundle)
        packaged = options.packaged
        return ledger, bundle, packaged and replace(packaged, bundle=str(bundle.folder))
    packaged = _packaged(options, job)
    bundle = _signed(packaged, options, job)
    is_own = job.folder in bundle.folder.parents
    head = head_of(options, bundle.folder, packaged)
    ledger = RolloutState.begin(place, head, bundle.digest, bundle.folder if is_own else None)
    ledger.claim()
    if is_own:
        bundle = Bundle.open(ledger.folder / "bundle")
    if packaged and packaged.new:
        packaged = replace(packaged, bundle=str(bundle.folder))
    return ledger, bundle, packaged


def _packaged(options: RolloutOptions, job: Job) -> PackageResult | None:
    return None if options.bundle else package_contained(options.packaging(options.model), job)


def _signed(packaged: PackageResult | None, options: RolloutOptions, job: Job) -> Bundle:
    """Return the bundle, signed once for all targets."""
    source = packaged or options.bundle
    assert source is not None
    return opened(source, options.sign, job)


def groups_of(options: RolloutOptions) -> dict[str, str] | None:
    """Return the value of the label that makes waves, by target; None without such a label."""
    name = options.wave_by
    if not name:
        return None
    return {target: labels.get(name, "") for target, labels in options.target_labels.items()}


def limits_of(options: RolloutOptions) -> WaveLimits:
    """Return what limits the targets that are changed at the same time."""
    budgets = [DisruptionBudget.parse(text) for text in options.max_unavailable or ()]
    names = [target.name for target in options.target or ()]
    return WaveLimits(
        parallel=options.parallel,
        windows=[MaintenanceWindow.parse(text) for text in options.window or ()],
        disruptions=Disruptions(budgets, names, options.target_labels),
    )


class Rollout:
    """A rollout of one bundle through the waves."""

    def __init__(
        self,
        plan: Sequence[Sequence[str]],
        bundle: Bundle,
        options: RolloutOptions,
        job: Job,
        ledger: RolloutState,
    ) -> None:
        self._ledger = ledger
        self._options = options
        self._rule = RolloutRule(
            options.max_error_rate,
            options.max_latency_ratio,
            options.requests,
            options.min_agreement,
        )
        self._job = job
        self._bundle = bundle
        self._targets = {one.name: one for one in options.target or ()}
        held_in = {"canary": 1, "each": len(plan)}.get(options.trial, 0)
        self._waves = [
            [self._member(name, number, number <= held_in) for name in names]
            for number, names in enumerate(plan, 1)
        ]
        self._limits = limits_of(options)

    def _member(self, name: str, wave: int, on_trial: bool) -> TargetRollout:
        row = self._options.rows.get(name) or TargetRow(name, wave)
        if row.state != KEPT:
            row = replace(row, state="waiting")  # a target that has not kept it starts again
        known = {
            self._bundle.digest: {"bundle": str(self._bundle.folder)},
            **self._options.known_bundles,
        }
        return TargetRollout(
            self._targets[name],
            row,
            self._bundle,
            self._job,
            known,
            self._publish,
            self._trial() if on_trial else None,
            self._deploy_options(),
        )

    def _trial(self) -> TrialOptions:
        """Return the options of a deploy with a trial."""
        given = self._options
        return TrialOptions(trial=True, soak_s=given.trial_s, trial_rule=given.trial_rule)

    def _deploy_options(self) -> DeployOptions:
        """Return the options of a deploy that do not depend on the wave."""
        given = self._options
        reason = downgrade_of(given.downgrade)
        return DeployOptions(
            replace=given.replace,
            shadow_cpu=given.shadow_cpu,
            keep_samples=given.keep_samples,
            samples_mb=given.samples_mb,
            downgrade=reason or None,
            sign=given.sign if reason else None,
        )

    def run(self) -> tuple[str, list[TargetRow]]:
        """Go through the waves; return ``done`` or ``halted``, and the row of each target."""
        self._job.event("rollout", targets=to_json([row.outcome for row in self._rows()]))
        for wave in self._waves:
            self._release([member for member in wave if member.row.state != KEPT])
            reason = self._why_halted() or self._judge(wave)
            if reason:
                self._halt(reason)
                return _HALTED, self._rows()
        left = any(row.state == LEFT for row in self._rows())
        return _HALTED if left else _DONE, self._rows()

    def _release(self, members: Sequence[TargetRollout]) -> None:
        """Release to the targets of a wave, as its limits allow; stop after too many failures."""

        def release(member: TargetRollout) -> None:
            member.release(self._rule, self._options.soak_s)

        WaveRun(members, self._limits, release, self._job).run(lambda: bool(self._why_halted()))

    def _why_halted(self) -> str:
        """Return why the rollout is halted; empty while it is not."""
        states = [row.state for row in self._rows()]
        failed = sum(state in FAILURES for state in states)
        begun = sum(state not in BEGINNINGS for state in states)
        if failed <= max(self._options.max_failures, self._options.max_failure_share * begun):
            return ""
        return f"the rollout was halted after {failed} of its targets failed"

    def _judge(self, wave: Sequence[TargetRollout]) -> str:
        """Return why a whole wave is worse, and roll it back; empty if it is not."""
        rows = [member.row for member in wave]
        found = wave_verdict(rows, self._rule, parse_rule(self._options.trial_rule or ()))
        if not found:
            return ""
        reason = f"the whole wave was rolled back: {found}"
        for member in wave:
            if member.row.state == KEPT:
                member.roll_back(reason)
        return f"the rollout was halted, as {reason}"

    def _halt(self, reason: str) -> None:
        """Mark the waiting targets; roll back the others if the options say so."""
        for member in self._members():
            if member.row.state in BEGINNINGS:
                member.leave(reason)
            elif member.row.state == KEPT and self._options.rollback_on_halt:
                member.roll_back(reason)

    def _members(self) -> list[TargetRollout]:
        return [member for wave in self._waves for member in wave]

    def _rows(self) -> list[TargetRow]:
        return [member.row for member in self._members()]

    def _publish(self, row: TargetRow) -> None:
        self._ledger.append("row", row=to_json(row))
        rows = self._rows()
        done = sum(one.state not in BEGINNINGS for one in rows)
        self._job.progress(done, len(rows), f"{done} of {len(rows)} targets")
        self._job.event("rollout", target=to_json(row.outcome))
