"""Plans in words, for the person who approves them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from studio.api import Kind
from studio.documents.plain import one_line, shortened
from studio.documents.text_table import table
from studio.jobs import AnyStep
from studio.plans.record import PlanEntry

_LONGEST = 300
_SHOWN = 12
_LISTED = 50
"""Targets of a wave that a plan names; its seal covers all of them."""


def lines_of(
    step: AnyStep, arguments: Mapping[str, Any], live: Mapping[str, str], preview: Iterable[str]
) -> tuple[str, ...]:
    """Return a plan: the step, its options that differ from the defaults, and a preview."""
    found = [f"{step.title}: {step.summary}"]
    for option in step.form:
        value = arguments.get(option.name)
        if value in (None, "", [], option.default) and option.kind is not Kind.TARGET:
            continue
        found.append(f"  {option.label}: {_value(option.kind, value)}")
    for name, digest in live.items():
        found.append(f"  Runs now on {name}: {digest[:_SHOWN] or 'no release'}")
    found += [f"  {line}" for line in preview]
    return tuple(shortened(one_line(line), _LONGEST) for line in found)


def rollout_lines(document: Mapping[str, Any]) -> list[str]:
    """Return the plan of a rollout: its release, its targets by wave, and its limits."""
    found = [f"Release: version {document.get('version')} of {document.get('name')}, digest "
             f"{str(document.get('release'))[:_SHOWN]}"]  # fmt: skip
    waves: dict[int, list[Mapping[str, Any]]] = {}
    for one in document.get("targets") or ():
        waves.setdefault(int(one["wave"]), []).append(one)
    for number, targets in sorted(waves.items()):
        noun = "target" if len(targets) == 1 else "targets"
        found.append(f"Wave {number}, {len(targets)} {noun}")
        found += [f"  {one['target']}: {one['text']}" for one in targets[:_LISTED]]
        if len(targets) > _LISTED:
            found.append(f"  {len(targets) - _LISTED} more")
    return [*found, *(str(note) for note in document.get("notes") or ())]


def _value(kind: Kind, value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(_value(kind, one) for one in value)
    if kind is Kind.MODEL:
        names = f"{value['model_name']} {value['name']}"
        return f"{names} (#{value['variant']}, digest {value['digest'][:_SHOWN]})"
    if kind is Kind.TARGET:
        return f"{value['name']} at {value['url']}"
    return str(value)


def listed(entries: Sequence[PlanEntry]) -> list[str]:
    """Return the lines of a list of plans."""
    rows = [
        (one.digest[:_SHOWN], one.state, one.plan.step, ", ".join(one.plan.targets), _at(one))
        for one in entries
    ]
    return table(("plan", "state", "step", "targets", "made"), rows) if rows else ["No plans."]


def shown(one: PlanEntry) -> list[str]:
    """Return the lines of one plan."""
    source = " through an agent" if one.plan.source == "agent" else ""
    found = [f"Plan {one.digest}", *one.plan.lines, ""]
    found.append(f"Made by {one.plan.author}{source} at {_at(one)}. State: {one.state}.")
    if one.plan.needs_second and one.state == "waiting":
        found.append("It needs the approval of a second person.")
    if one.is_foreign:
        found.append("Another studio of the shared registry made it, and carries it out.")
    if one.by and one.state != "rejected":
        found.append(f"Approved by {one.by}.")
    if one.outcome:
        found.append(one.outcome)
    return found


def _at(one: PlanEntry) -> str:
    return datetime.fromtimestamp(one.plan.made, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
