"""Runs, gates and steps of pipelines as lines of tables and cards."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from studio.gui import figures
from studio.gui.pages.shared.stage_page import StateRow
from studio.gui.widgets.sortable import SortableRow
from studio.pipelines.results import RunComparison
from studio.workspace import RunInfo

COLUMNS = ("Pipeline", "State", "Gates", "Started")
WIDTHS = (0, 104, 60, 112)

TONES = {
    "succeeded": "good",
    "unchanged": "good",
    "running": "accent",
    "failed": "bad",
    "gate not met": "bad",
    "interrupted": "warning",
    "cancelled": "warning",
}

NOT_RUN = "not run"
_LARGE = 1000


def state_word(state: str) -> str:
    """Return the word that is shown for the stored state of a run or of a step."""
    return "gate failed" if state == "gate not met" else state


def run_row(run: RunInfo) -> SortableRow:
    """Return a run in the list."""
    when = local(run.started)
    texts = (run.title or run.name, state_word(run.state), passed_gates(run), when)
    return SortableRow(run.id, texts, (*texts[:3], run.started))


def passed_gates(run: RunInfo) -> str:
    """Return how many gates passed: ``4 of 5``."""
    if not run.gates:
        return "none"
    return f"{sum(gate.passed for gate in run.gates)} of {len(run.gates)}"


def gate_rows(run: RunInfo) -> Iterator[StateRow]:
    """Yield a line for each gate, those that were missed first."""
    for gate in sorted(run.gates, key=lambda gate: gate.passed):
        value = "no value" if gate.value is None else f"{gate.value:.4g}"
        text = f"{value}, {gate.limit}" + (f": {gate.text}" if gate.text else "")
        word, tone = ("passed", "good") if gate.passed else ("failed", "bad")
        yield StateRow(word, tone, gate.name, text)


def step_rows(run: RunInfo) -> Iterator[StateRow]:
    """Yield a line for each step; the record of one that runs is written when it ends."""
    pending = [step.id for step in run.steps if step.state == NOT_RUN]
    current = pending[0] if pending and run.state == "running" else ""
    for step in run.steps:
        state, text = step.state, step.message
        if step.id == current:
            state = "running"
        elif state == "succeeded":
            text = figures.seconds(step.seconds)
        elif state == "unchanged":
            text = "cached: inputs unchanged"
        yield StateRow(state, TONES.get(state, ""), step.id, text)


def artefact_fields(run: RunInfo) -> list[tuple[str, str]]:
    """Return the digests of what was made."""
    return [(name, digest[:16]) for name, digest in run.artefacts.items()]


def run_fields(run: RunInfo) -> list[tuple[str, str]]:
    """Return the facts of a run."""
    journal = run.journal
    fields = [
        ("Run", run.id),
        ("Duration", _took(run)),
        ("Machine", journal.machine),
        ("Variables", ", ".join(f"{k} = {v}" for k, v in journal.values.items()) or "none"),
    ]
    trigger = journal.new_version
    if trigger:
        what = f"{trigger.model}@{trigger.alias} became version {trigger.version}"
        fields.append(("Started by", what))
    if journal.resumed:
        fields.append(("Resumed", ", ".join(map(local, journal.resumed))))
    return fields


def comparison_rows(found: RunComparison) -> Iterator[SortableRow]:
    """Figures, gates and digests of two runs side by side."""
    for position, row in enumerate(found.figures):
        texts = (f"{row.step}: {row.figure}", _number(row.a), _number(row.b), row.change)
        yield SortableRow(("figure", position), texts, texts)
    for position, gate in enumerate(found.gates):
        texts = (f"gate: {gate.name}", _gate_word(gate.passed_a), _gate_word(gate.passed_b), "")
        yield SortableRow(("gate", position), texts, texts)
    for position, made in enumerate(found.artefacts):
        a, b = str(made.a or "none")[:12], str(made.b or "none")[:12]
        texts = (made.name, a, b, "the same" if made.same else "differs")
        yield SortableRow(("artefact", position), texts, texts)
    for position, other in enumerate((*found.variables, *found.tools)):
        texts = (other.name, str(other.a or "none"), str(other.b or "none"), "differs")
        yield SortableRow(("other", position), texts, texts)


def local(text: str) -> str:
    """Return a moment of the registry in local time; the year only where it is another one."""
    try:
        found = datetime.fromisoformat(text).astimezone()
    except ValueError:
        return text
    year = "" if found.year == datetime.now().year else " %Y"
    return found.strftime(f"%d %b{year} %H:%M").lstrip("0")


def _took(run: RunInfo) -> str:
    try:
        began, ended = datetime.fromisoformat(run.started), datetime.fromisoformat(run.ended)
    except ValueError:
        return run.state
    return figures.seconds((ended - began).total_seconds())


def _gate_word(passed: bool | None) -> str:
    return {True: "passed", False: "failed", None: "none"}[passed]


def _number(value: float | None) -> str:
    if value is None:
        return "none"
    return f"{value:,.0f}" if abs(value) >= _LARGE else f"{value:.4g}"
