"""A rollback that may have been done already when a run goes on after a crash."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studio.deployment import record
from studio.jobs import End, JobOutcome
from studio.steps.runner import StepRunner

_NONE = "nothing"


class ResumedRollback:
    """A rollback without a named version, which done twice would go back twice.

    What the target serves is written down before; when it is something else after a crash, the
    rollback was done.
    """

    def __init__(self, runner: StepRunner, options: Mapping[str, Any]) -> None:
        self._runner = runner
        self._target = str(options.get("target") or "local")

    def current(self) -> str:
        """What the target serves now; empty where that cannot be learned."""
        return str(self._releases().get("current") or _NONE)

    def done_before(self, served: str) -> JobOutcome | None:
        """The outcome of a rollback that was done before a crash; None when it was not.

        Args:
            served: What ``current`` said before.
        """
        there = self._releases()
        current = str(there.get("current") or "")
        if not current or current == served:
            return None
        rows = {str(row["release"]): row for row in reversed(there["releases"])}
        left, now = rows.get(served, {}), rows.get(current, {})
        result = {
            "target": self._target,
            "from": left.get("version"),
            "to": now.get("version"),
            "release": current,
            "name": now.get("name", ""),
            "left": served,
            "switch_seconds": 0.0,
            "seconds": 0.0,
            "by": now.get("by", ""),
        }
        self._note(result)
        return JobOutcome(End.SUCCEEDED, "Roll back", result)

    def _note(self, result: dict[str, Any]) -> None:
        """Note it in the registry, unless that was done before the crash, too."""
        registry = self._runner.registry
        newest = next(iter(registry.releases(self._target)), None)
        if newest is None or (newest.digest, newest.state) != (result["release"], "serving"):
            record.rolled_back(registry, {"target": {"name": self._target}}, result, Path())

    def _releases(self) -> Mapping[str, Any]:
        outcome = self._runner.run("releases", {"target": self._target})
        return outcome.result if outcome.ok else {}
