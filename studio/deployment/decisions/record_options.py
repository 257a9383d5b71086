"""The options of a deployment about the record of decisions on a target."""

from __future__ import annotations

from studio.jobs.options_form import option
from studio.lazy_dataclass import dataclass

DECISIONS_MB = 512.0


@dataclass(frozen=True, kw_only=True)
class RecordOptions:
    """The record of decisions that a machine keeps; a rollout leaves it as it is."""

    keep_decisions: int | None = option(
        None,
        minimum=0,
        maximum=36_500,
        unit="days",
        title="Record decisions",
        placeholder="unchanged; at first off",
        help="Days for which the target records each answer: time, request, version, digest of "
        "the input, short meaning (see studio decisions). 0 records no more (default: "
        "unchanged; at first off).",
        advanced=True,
    )
    decisions_mb: float = option(
        DECISIONS_MB,
        minimum=0.1,
        maximum=1_000_000,
        unit="MB",
        title="Disk quota for decisions",
        help="Maximum disk space for recorded decisions on the target. Beyond it, decisions are "
        "counted and not recorded.",
        advanced=True,
    )


@dataclass(frozen=True, slots=True)
class Keeping:
    """The record of decisions on a target: its days (0: no more), and its size."""

    days: int
    bytes: int


def keeping(options: RecordOptions) -> Keeping | None:
    """Return how decisions are to be recorded; None unless a number of days is given."""
    if options.keep_decisions is None:
        return None
    return Keeping(options.keep_decisions, int((options.decisions_mb or DECISIONS_MB) * 1e6))
