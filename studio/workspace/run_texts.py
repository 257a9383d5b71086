"""What ``studio run`` prints for people: a run, the list of runs, two runs side by side."""

from __future__ import annotations

from collections.abc import Sequence

from studio.documents.text_table import table
from studio.pipelines.results import ComparedGate, RunComparison
from studio.pipelines.run_report import PipelineReport
from studio.registry.run_records import GateReport
from studio.workspace import RunInfo

_SHORT = 16


def run_lines(report: PipelineReport) -> list[str]:
    """Return the outcome of a run."""
    width = max((len(step.id) for step in report.steps), default=0)
    lines = [
        f"{step.state:<10} {step.id:<{width}} {step.seconds:6.1f} s  {step.message}".rstrip()
        for step in report.steps
    ]
    lines += [_gate(gate) + (f" ({gate.text})" if gate.text else "") for gate in report.gates]
    lines += [f"sha256 {digest[:_SHORT]}  {name}" for name, digest in report.artefacts.items()]
    if report.run:
        lines.append(f"Run: {report.run}")
    if report.report:
        lines.append(f"Report: {report.report}")
    return lines


def runs_lines(runs: Sequence[RunInfo], *, with_gates: bool = False) -> list[str]:
    """Return the list of runs; of one of them also steps and gates."""
    if not runs:
        return ["No pipeline runs yet."]
    rows = [(one.id, one.name, one.state, one.started[:19].replace("T", " ")) for one in runs]
    lines = table(("run", "pipeline", "state", "started"), rows)
    if with_gates:
        (one,) = runs
        steps = [(step.id, step.step, step.state, f"{step.seconds:.1f}") for step in one.steps]
        lines += ["", *table(("id", "step", "state", "s"), steps, "   r")]
        lines += map(_gate, one.gates)
    return lines


def comparison_lines(found: RunComparison) -> list[str]:
    """Return two runs side by side."""
    heads = [f"a: {found.a.run} ({found.a.state})", f"b: {found.b.run} ({found.b.state})"]
    figures = [
        (row.step, row.figure, _value(row.a), _value(row.b), row.change) for row in found.figures
    ]
    gates = [_compared_gate(row) for row in found.gates]
    made = [
        (
            row.name,
            str(row.a or "")[:_SHORT],
            str(row.b or "")[:_SHORT],
            "the same" if row.same else "differs",
        )
        for row in found.artefacts
    ]
    lines = [*heads, ""]
    for head, rows in (
        (("step", "figure", "a", "b", "change"), figures),
        (("gate", "a", "b", "limit"), gates),
        (("artefact", "a", "b", ""), made),
    ):
        if rows:
            lines += [*table(head, rows), ""]
    for row in (*found.variables, *found.tools):
        lines.append(f"{row.name}: {row.a} -> {row.b}")
    return lines


def _gate(gate: GateReport) -> str:
    word = "passed" if gate.passed else "FAILED"
    return f"gate {word:<8} {gate.name}: {_value(gate.value)}, {gate.limit}"


def _compared_gate(gate: ComparedGate) -> tuple[str, ...]:
    words = {True: "passed", False: "FAILED", None: "none"}
    return gate.name, words[gate.passed_a], words[gate.passed_b], gate.limit


def _value(value: float | None) -> str:
    return "no value" if value is None else f"{value:.4g}"
