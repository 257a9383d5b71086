"""The work of the step rollout, in a worker: waves one after the other, targets side by side."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from studio.api import TargetSpec, UsageError
from studio.deployment.admission import downgrade_of
from studio.deployment.contained_packaging import opened
from studio.deployment.trial import asked
from studio.jobs import Arguments, Job, Result
from studio.packages import Bundle
from studio.packages.packaging_job import package_contained
from studio.rollouts.resume import head_of
from studio.rollouts.rollout_state import RolloutState, place_of
from studio.rollouts.rule import RolloutRule
from studio.rollouts.target_rollout import BEGINNINGS, FAILURES, KEPT, TargetRollout, TargetRow
from studio.rollouts.waves import waves
from studio.settings import Paths
from studio.targets.connect import target_of

_DONE = "done"
_HALTED = "halted"


def rollout(arguments: Arguments, job: Job) -> Result:
    """Release on all targets, or stop where too many fail.

    A repeated rollout goes on where the last one stopped: a target that serves the release
    already is only judged. One that is resumed leaves alone what it has kept.
    """
    if not arguments.get("model") and not arguments.get("bundle"):
        raise UsageError("Nothing was named to roll out.", hint="Give a model or a bundle.")
    targets = {one["name"]: target_of(one) for one in arguments["target"]}
    names = [one["name"] for one in arguments["target"]]
    plan = waves(names, arguments["strategy"], arguments["first"], arguments["size"])
    began = time.monotonic()
    ledger, bundle, packaged = _begin(arguments, job)
    state, rows = Rollout(targets, plan, bundle, arguments, job, ledger).run()
    ledger.append("ended", state=state)
    return {
        "state": state,
        "rollout": ledger.name,
        "name": bundle.name,
        "version": bundle.version,
        "release": bundle.digest,
        "targets": [row.to_json() for row in rows],
        "kept": sum(row.state == KEPT for row in rows),
        "seconds": time.monotonic() - began,
        "packaged": packaged,
    }


def _begin(arguments: Arguments, job: Job) -> tuple[RolloutState, Bundle, dict[str, Any] | None]:
    """The ledger, the bundle that lies where it outlives this job, and how it was packaged."""
    place = place_of(Paths.of().data)
    if arguments.get("resume"):
        ledger = RolloutState.find(place, str(arguments["resume"]))
        ledger.claim()
        ledger.append("resumed")
        packaged = arguments.get("packaged")
        bundle = Bundle.open(Path(arguments["bundle"]))
        return ledger, bundle, {**packaged, "bundle": str(bundle.folder)} if packaged else None
    packaged = None if arguments.get("bundle") else package_contained(arguments, job)
    is_new = bool(packaged and packaged["new"])
    bundle, is_own = _signed(packaged, arguments, job)
    head = head_of(arguments, bundle.folder, packaged)
    ledger = RolloutState.begin(place, head, bundle.digest, bundle.folder if is_own else None)
    ledger.claim()
    if is_own:
        bundle = Bundle.open(ledger.folder / "bundle")
    if packaged and is_new:
        packaged["bundle"] = str(bundle.folder)
    return ledger, bundle, packaged


def _signed(
    packaged: Mapping[str, Any] | None, arguments: Arguments, job: Job
) -> tuple[Bundle, bool]:
    """The bundle, signed once for all targets, and whether its folder belongs to this rollout."""
    made = packaged or {"bundle": arguments["bundle"], "new": False}
    bundle = opened(made, arguments.get("sign"), job)
    return bundle, job.folder in bundle.folder.parents


class Rollout:
    """One bundle's way through the waves."""

    def __init__(
        self,
        targets: Mapping[str, TargetSpec],
        plan: Sequence[Sequence[str]],
        bundle: Bundle,
        arguments: Arguments,
        job: Job,
        ledger: RolloutState,
    ) -> None:
        self._ledger = ledger
        self._rule = RolloutRule(
            float(arguments["max_error_rate"]),
            float(arguments["max_latency_ratio"]),
            int(arguments["requests"]),
            float(arguments["min_agreement"]),
        )
        self._soak_s = float(arguments["soak_s"])
        self._parallel = int(arguments["parallel"])
        self._max_failures = int(arguments["max_failures"])
        self._undo = bool(arguments["undo"])
        trial = {
            "quality": True,
            "soak_s": float(arguments["quality_s"]),
            "soak_rule": list(arguments.get("soak_rule") or ()),
        }
        kept = {**asked(arguments), "replace": bool(arguments.get("replace"))}
        if reason := downgrade_of(arguments):
            kept |= {"downgrade": reason, "sign": arguments.get("sign")}
        held_in = {"canary": 1, "each": len(plan)}.get(str(arguments["quality"]), 0)
        self._job = job
        known = {
            bundle.digest: {"bundle": str(bundle.folder)},
            **arguments.get("known_bundles", {}),
        }
        rows = {name: TargetRow.of(row) for name, row in (arguments.get("rows") or {}).items()}
        for row in rows.values():
            if row.state != KEPT:
                row.state = "waiting"  # of all that was not kept, nothing counts any more
        self._waves = [
            [
                TargetRollout(
                    targets[name],
                    rows.get(name) or TargetRow(name, number),
                    bundle,
                    job,
                    known,
                    self._tell,
                    trial if number <= held_in else {},
                    kept,
                )
                for name in names
            ]
            for number, names in enumerate(plan, 1)
        ]

    def run(self) -> tuple[str, list[TargetRow]]:
        """Go through the waves; ``done`` or ``halted``, and what became of each target."""
        self._job.event("rollout", targets=[_shown(row) for row in self._rows()])
        for number, wave in enumerate(self._waves):
            self._release([member for member in wave if member.row.state != KEPT])
            begun = [member for one in self._waves[: number + 1] for member in one]
            failed = sum(member.row.state in FAILURES for member in begun)
            if failed > self._max_failures:
                self._halt(failed)
                return _HALTED, self._rows()
        return _DONE, self._rows()

    def _release(self, members: Sequence[TargetRollout]) -> None:
        """Let them get the release side by side; too many failures end it within the wave.

        What has begun comes to its end, or to its next point of cancelling when the user cancels.
        """
        with ThreadPoolExecutor(self._parallel) as pool:
            work = [pool.submit(one.release, self._rule, self._soak_s) for one in members]
            try:
                for done in as_completed(work):
                    done.result()
                    failed = sum(row.state in FAILURES for row in self._rows())
                    if failed > self._max_failures:
                        break
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def _halt(self, failed: int) -> None:
        """Leave the rest alone, and take back what was kept where that is wanted."""
        reason = f"the rollout was halted after {failed} of its targets failed"
        for member in self._members():
            if member.row.state in BEGINNINGS:
                member.leave(reason)
            elif member.row.state == KEPT and self._undo:
                member.take_back(reason)

    def _members(self) -> list[TargetRollout]:
        return [member for wave in self._waves for member in wave]

    def _rows(self) -> list[TargetRow]:
        return [member.row for member in self._members()]

    def _tell(self, row: TargetRow) -> None:
        self._ledger.append("row", row=row.to_json())
        rows = self._rows()
        done = sum(one.state not in BEGINNINGS for one in rows)
        self._job.progress(done, len(rows), f"{done} of {len(rows)} targets")
        self._job.event("rollout", target=_shown(row))


def _shown(row: TargetRow) -> dict[str, Any]:
    """A row without what only the registry needs."""
    hidden = ("result", "undone")
    return {key: value for key, value in row.to_json().items() if key not in hidden}
