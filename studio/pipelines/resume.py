"""A resumed rollback that may have been completed before a crash."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studio.deployment import record
from studio.deployment.options import TargetOptions
from studio.deployment.results import ReleasesResult, SwitchResult
from studio.jobs import End, JobOutcome
from studio.steps.runner import StepRunner

_NONE = "nothing"


class ResumedRollback:
    """A rollback without a named version; repeated, it would return one more version.

    The journal has the active release from before the rollback. If another one is active after a
    crash, the rollback was completed.
    """

    def __init__(self, runner: StepRunner, options: Mapping[str, Any]) -> None:
        self._runner = runner
        self._target = str(options.get("target") or "local")

    def current(self) -> str:
        """Return the active release of the target; a placeholder if it is unknown."""
        there = self._releases()
        return there.current if there and there.current else _NONE

    def done_before(self, served: str) -> JobOutcome | None:
        """Return the outcome of a rollback completed before a crash; None if it was not.

        Args:
            served: Result of ``current`` before the rollback.
        """
        there = self._releases()
        if there is None or not there.current or there.current == served:
            return None
        rows = {row.release: row for row in reversed(there.releases)}
        left, now = rows.get(served), rows.get(there.current)
        result = SwitchResult(
            target=self._target,
            left_version=left.version if left else None,
            to=now.version if now else None,
            release=there.current,
            name=now.name if now else "",
            left=served,
            by=now.by if now else "",
        )
        self._note(result)
        return JobOutcome(End.SUCCEEDED, "Roll back", result)

    def _note(self, result: SwitchResult) -> None:
        """Record the rollback in the registry, unless that was done before the crash."""
        registry = self._runner.registry
        newest = next(iter(registry.releases(self._target)), None)
        if newest is None or (newest.digest, newest.state) != (result.release, "serving"):
            options = TargetOptions(target=registry.target(self._target))
            record.rolled_back(registry, options, result, Path(), {"target": self._target})

    def _releases(self) -> ReleasesResult | None:
        outcome = self._runner.run("releases", {"target": self._target})
        return outcome.result if outcome.ok else None
