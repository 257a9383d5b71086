"""Sentences for people about robustness."""

from __future__ import annotations

from dataclasses import fields

from studio.documents.text_table import table
from studio.features.evidence.groups.results import Interval
from studio.features.evidence.robustness.results import (
    CorruptionRow,
    FamilyFigures,
    RobustnessResult,
)

GATE_FAILED = 3
_SUMMARY = ("mean", "worst")


def robustness(result: RobustnessResult) -> list[str]:
    """Return the table of the corruptions, and the mean of each family."""
    rows = [
        ["clean", "", f"{result.clean:.4f}", _range(result.interval), "", ""],
        *(_row(row) for row in result.rows),
    ]
    head = ("corruption", "severity", result.figure or result.metric, "95 % CI", "change", "p")
    lines = table(head, rows, right=" rrrrr")
    lines.append(f"Mean of each family: {_families(result.robustness)}.")
    if result.attack is not None:
        attack = result.attack
        lines.append(
            f"Attack: {attack.held} of {attack.samples} samples stay right under changes of up to "
            f"{attack.epsilon:g} of the range ({attack.runs} runs each). A stronger attack may "
            "break more."
        )
    lines.append(
        f"{result.samples} samples; corruptions of {result.applied_to}, "
        f"range {result.low:.4g} to {result.high:.4g}, seed {result.seed}."
    )
    if result.required is not None:
        verdict = "reaches" if result.passed else "is below"
        lines.append(f"The worst family {verdict} {result.required:g}.")
    return lines


def exit_code(result: RobustnessResult) -> int:
    """Return 3 when a family is below the required figure."""
    return 0 if result.passed else GATE_FAILED


def _row(row: CorruptionRow) -> list[str]:
    change = "" if row.change.value is None else f"{row.change.value:+.4f}"
    p = row.change.p
    return [
        f"{row.family}: {row.corruption}" if row.corruption != row.family else row.family,
        str(row.severity),
        f"{row.value:.4f}",
        _range(row.interval),
        change,
        "" if p is None else "< 0.001" if p < 0.001 else f"{p:.3f}",
    ]


def _range(interval: Interval) -> str:
    if interval.low is None or interval.high is None:
        return "unknown"
    return f"{interval.low:.4f} to {interval.high:.4f}"


def _families(figures: FamilyFigures) -> str:
    names = [one.name for one in fields(figures) if one.name not in _SUMMARY]
    known = ((name, getattr(figures, name)) for name in names)
    return ", ".join(f"{name} {value:.4f}" for name, value in known if value is not None)
