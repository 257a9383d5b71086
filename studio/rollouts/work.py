"""The work of the step rollout, in a worker: waves one after the other, targets side by side."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from studio.api import TargetSpec, UsageError
from studio.deployment.connect import target_of
from studio.deployment.packaging import package_contained
from studio.jobs import Arguments, Job, Result
from studio.packages import Bundle
from studio.rollouts.member import BEGINNINGS, KEPT, Member, Row
from studio.rollouts.rule import Rule
from studio.rollouts.waves import waves

_DONE = "done"
_HALTED = "halted"


def rollout(arguments: Arguments, job: Job) -> Result:
    """Release on all targets, or stop where too many fail.

    A repeated rollout goes on where the last one stopped: a target that serves the release
    already is only judged.
    """
    if not arguments.get("model") and not arguments.get("bundle"):
        raise UsageError("Nothing was named to roll out.", hint="Give a model or a bundle.")
    targets = {one["name"]: target_of(one) for one in arguments["target"]}
    names = [one["name"] for one in arguments["target"]]
    plan = waves(names, arguments["strategy"], arguments["first"], arguments["size"])
    began = time.monotonic()
    packaged = None if arguments.get("bundle") else package_contained(arguments, job)
    bundle = Bundle.open(Path(packaged["bundle"] if packaged else arguments["bundle"]))
    state, rows = Rollout(targets, plan, bundle, arguments, job).run()
    return {
        "state": state,
        "name": bundle.name,
        "version": bundle.version,
        "release": bundle.digest,
        "targets": [row.to_json() for row in rows],
        "kept": sum(row.state == KEPT for row in rows),
        "seconds": time.monotonic() - began,
        "packaged": packaged,
    }


class Rollout:
    """One bundle's way through the waves."""

    def __init__(
        self,
        targets: Mapping[str, TargetSpec],
        plan: Sequence[Sequence[str]],
        bundle: Bundle,
        arguments: Arguments,
        job: Job,
    ) -> None:
        self._rule = Rule(
            float(arguments["max_error_rate"]),
            float(arguments["max_latency_ratio"]),
            int(arguments["requests"]),
        )
        self._soak_s = float(arguments["soak_s"])
        self._parallel = int(arguments["parallel"])
        self._max_failures = int(arguments["max_failures"])
        self._undo = bool(arguments["undo"])
        self._job = job
        known = {
            bundle.digest: {"bundle": str(bundle.folder)},
            **arguments.get("known_bundles", {}),
        }
        self._waves = [
            [
                Member(targets[name], Row(name, number), bundle, job, known, self._tell)
                for name in names
            ]
            for number, names in enumerate(plan, 1)
        ]

    def run(self) -> tuple[str, list[Row]]:
        """Go through the waves; ``done`` or ``halted``, and what became of each target."""
        for number, wave in enumerate(self._waves):
            with ThreadPoolExecutor(self._parallel) as pool:
                # list: an exception of a thread is raised here.
                list(pool.map(lambda member: member.release(self._rule, self._soak_s), wave))
            begun = [member for one in self._waves[: number + 1] for member in one]
            failed = sum(member.row.state != KEPT for member in begun)
            if failed > self._max_failures:
                self._halt(failed)
                return _HALTED, self._rows()
        return _DONE, self._rows()

    def _halt(self, failed: int) -> None:
        """Leave the rest alone, and take back what was kept where that is wanted."""
        reason = f"the rollout was halted after {failed} of its targets failed"
        for member in self._members():
            if member.row.state in BEGINNINGS:
                member.row.state, member.row.text = "not begun", reason
            elif member.row.state == KEPT and self._undo:
                member.take_back(reason)
        self._tell()

    def _members(self) -> list[Member]:
        return [member for wave in self._waves for member in wave]

    def _rows(self) -> list[Row]:
        return [member.row for member in self._members()]

    def _tell(self) -> None:
        rows = self._rows()
        done = sum(row.state not in BEGINNINGS for row in rows)
        self._job.progress(done, len(rows), f"{done} of {len(rows)} targets")
        self._job.event("rollout", targets=[row.to_json() for row in rows])
