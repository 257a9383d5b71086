"""Comparison of two runs: steps, numbers, gates and digests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from studio.documents.dataclass_json import InvalidDocument, JsonValue, from_json
from studio.pipelines.results import (
    ComparedFigure,
    ComparedGate,
    ComparedRun,
    ComparedStep,
    ComparedValue,
    RunComparison,
)
from studio.profiling.results import ProfileResult
from studio.registry.run_records import RunJournal

Json = Mapping[str, JsonValue]

_FIGURES: Mapping[str, tuple[str, ...]] = {
    "open": ("bytes", "macs", "parameters"),
    "edit": ("bytes",),
    "quantize": ("size_ratio", "metric.before", "metric.after", "metric.drop", "sqnr_db"),
    "evaluate": ("metric.value",),
    "package": ("bytes",),
    "deploy": ("seconds", "bytes_sent"),
    "call": ("failed", "latency_ms.p50", "latency_ms.p99"),
    "monitor": ("latency_ms.p50", "throughput"),
}
"""Compared numbers of each step's result."""


def compare(
    a: RunJournal, b: RunJournal, results_a: Mapping[str, Json], results_b: Mapping[str, Json]
) -> RunComparison:
    """Compare run ``b`` with run ``a``.

    Args:
        a, b: Journals of the runs.
        results_a, results_b: The result of each step, by id.
    """
    return RunComparison(
        a=ComparedRun(a.id, a.state, a.started),
        b=ComparedRun(b.id, b.state, b.started),
        steps=tuple(_steps(a, b)),
        figures=tuple(_figures(a, b, results_a, results_b)),
        gates=tuple(_gates(a, b)),
        artefacts=tuple(_pairs(a.artefacts or {}, b.artefacts or {})),
        variables=tuple(row for row in _pairs(a.values, b.values) if not row.same),
        tools=tuple(row for row in _pairs(a.tools, b.tools) if not row.same),
    )


def _pairs(a: Json, b: Json) -> Iterator[ComparedValue]:
    for name in dict.fromkeys([*a, *b]):
        first, second = a.get(name), b.get(name)
        yield ComparedValue(name, first, second, first == second)


def _steps(a: RunJournal, b: RunJournal) -> Iterator[ComparedStep]:
    first, second = {step.id: step for step in a.steps}, {step.id: step for step in b.steps}
    for name in dict.fromkeys([*first, *second]):
        one, two = first.get(name), second.get(name)
        yield ComparedStep(
            name=name,
            step=(one or second[name]).step,
            a=one.state if one else None,
            b=two.state if two else None,
            seconds_a=one.seconds if one else None,
            seconds_b=two.seconds if two else None,
            same_inputs=bool(one and two and one.key and one.key == two.key),
        )


def _figures(
    a: RunJournal, b: RunJournal, results_a: Mapping[str, Json], results_b: Mapping[str, Json]
) -> Iterator[ComparedFigure]:
    for name, step in {step.id: step.step for step in (*b.steps, *a.steps)}.items():
        one, two = results_a.get(name) or {}, results_b.get(name) or {}
        for title, first, second in _numbers(step, one, two):
            if first is not None or second is not None:
                yield ComparedFigure(name, title, first, second)


def _numbers(step: str, one: Json, two: Json) -> Iterator[tuple[str, float | None, float | None]]:
    for path in _FIGURES.get(step, ()):
        yield path, _number(one, path), _number(two, path)
    if step == "profile":
        first, second = _latencies(one), _latencies(two)
        for title in dict.fromkeys([*first, *second]):
            yield title, first.get(title), second.get(title)


def _latencies(result: Json) -> dict[str, float]:
    try:
        profile = from_json(ProfileResult, result)
    except InvalidDocument:
        return {}
    medians = {f"{run.model} p50 ms": run.latency_ms.p50 for run in profile.runs}
    ratios = {f"{one.b} against {one.a}": one.ratio for one in profile.main_verdicts}
    return {name: value for name, value in {**medians, **ratios}.items() if value is not None}


def _number(result: Json, path: str) -> float | None:
    value: JsonValue | Json = result
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return float(value) if isinstance(value, int | float) else None


def _gates(a: RunJournal, b: RunJournal) -> Iterator[ComparedGate]:
    first, second = {gate.name: gate for gate in a.gates}, {gate.name: gate for gate in b.gates}
    for name in dict.fromkeys([*first, *second]):
        one, two = first.get(name), second.get(name)
        yield ComparedGate(
            name=name,
            a=one.value if one else None,
            b=two.value if two else None,
            passed_a=one.passed if one else None,
            passed_b=two.passed if two else None,
            limit=(two or first[name]).limit,
        )
