"""Lines for people about a rollout."""

from __future__ import annotations

from studio.documents.text_table import table
from studio.rollouts.results import PLANNED, RolloutResult

_GATE_FAILED = 3


def rollout(result: RolloutResult) -> list[str]:
    """Return a line for each target, then the outcome."""
    if result.state == PLANNED:
        return _plan(result)
    rows = [
        (one.target, str(one.wave), one.state, f"{one.seconds:.1f} s", one.text)
        for one in result.targets
    ]
    return [
        *table(("target", "wave", "state", "time", ""), rows),
        f"Version {result.version} of {result.name}: {result.state}, kept on "
        f"{result.kept} of {len(rows)} targets after {result.seconds:.1f} s.",
    ]


def _plan(result: RolloutResult) -> list[str]:
    rows = [(str(one.wave), one.target, one.text) for one in result.targets]
    return [
        *table(("wave", "target", "change"), rows),
        *result.notes,
        f"Version {result.version} of {result.name} to {len(rows)} targets. Nothing was changed.",
    ]


def exit_code(result: RolloutResult) -> int:
    """Return the exit code of a failed gate if the rollout was halted, else 0."""
    return 0 if result.is_done else _GATE_FAILED
