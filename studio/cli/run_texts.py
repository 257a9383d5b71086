"""What ``studio run`` prints for people: a run, the list of runs, two runs side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from studio.documents.text_table import table
from studio.pipelines.run_report import PipelineReport
from studio.workspace import RunInfo

_SHORT = 16


def run_lines(report: PipelineReport) -> list[str]:
    """The outcome of a run."""
    width = max((len(step.id) for step in report.steps), default=0)
    lines = [
        f"{step.state:<10} {step.id:<{width}} {step.seconds:6.1f} s  {step.message}".rstrip()
        for step in report.steps
    ]
    for gate in report.gates:
        word = "passed" if gate.passed else "FAILED"
        lines.append(f"gate {word:<8} {gate.name}: {_value(gate.value)}, {gate.limit}{_of(gate)}")
    for name, digest in report.artefacts.items():
        lines.append(f"sha256 {digest[:_SHORT]}  {name}")
    if report.run:
        lines.append(f"Run: {report.run}")
    if report.report:
        lines.append(f"Report: {report.report}")
    return lines


def runs_lines(runs: Sequence[RunInfo], *, with_gates: bool = False) -> list[str]:
    """The list of runs; of one of them also steps and gates."""
    if not runs:
        return ["No pipeline runs yet."]
    rows = [(one.id, one.name, one.state, one.started[:19].replace("T", " ")) for one in runs]
    lines = table(("run", "pipeline", "state", "started"), rows)
    if with_gates:
        (one,) = runs
        steps = [(s["id"], s["step"], s["state"], f"{s['seconds']:.1f}") for s in one.steps]
        lines += ["", *table(("id", "step", "state", "s"), steps, "   r")]
        for gate in one.gates:
            word = "passed" if gate["passed"] else "FAILED"
            lines.append(f"gate {word:<8} {gate['name']}: {_value(gate['value'])}, {gate['limit']}")
    return lines


def comparison_lines(found: Mapping[str, Any]) -> list[str]:
    """Two runs side by side."""
    heads = [f"{side}: {found[side]['run']} ({found[side]['state']})" for side in ("a", "b")]
    figures = [
        (row["step"], row["figure"], _value(row["a"]), _value(row["b"]), _change(row))
        for row in found["figures"]
    ]
    gates = [
        (row["name"], _met(row["passed_a"]), _met(row["passed_b"]), row["limit"])
        for row in found["gates"]
    ]
    made = [
        (row["name"], (row["a"] or "")[:_SHORT], (row["b"] or "")[:_SHORT], _same(row["same"]))
        for row in found["artefacts"]
    ]
    lines = [*heads, ""]
    for head, rows in (
        (("step", "figure", "a", "b", "change"), figures),
        (("gate", "a", "b", "limit"), gates),
        (("artefact", "a", "b", ""), made),
    ):
        if rows:
            lines += [*table(head, rows), ""]
    for row in (*found["variables"], *found["tools"]):
        lines.append(f"{row['name']}: {row['a']} -> {row['b']}")
    return lines


def _change(row: Mapping[str, Any]) -> str:
    a, b = row["a"], row["b"]
    if a is None or b is None or a == b:
        return ""
    return f"{b - a:+.3g}" if not a else f"{100 * (b / a - 1):+.1f} %"


def _met(passed: bool | None) -> str:
    return {True: "passed", False: "FAILED", None: "none"}[passed]


def _same(same: bool) -> str:
    return "the same" if same else "differs"


def _value(value: float | None) -> str:
    return "no value" if value is None else f"{value:.4g}"


def _of(gate: Any) -> str:
    return f" ({gate.text})" if gate.text else ""
