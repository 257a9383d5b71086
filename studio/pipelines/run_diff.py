"""Two runs of pipelines side by side: steps, figures, gates and digests that differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Json = Mapping[str, Any]

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
"""The figures of a step's result that are worth a line."""


def compare(a: Json, b: Json, results_a: Json, results_b: Json) -> dict[str, Any]:
    """How run ``b`` differs from run ``a``.

    Args:
        a, b: Their journals.
        results_a, results_b: The result of each step, by id.
    """
    return {
        "a": _head(a),
        "b": _head(b),
        "steps": list(_steps(a, b)),
        "figures": list(_figures(a, b, results_a, results_b)),
        "gates": list(_gates(a, b)),
        "artefacts": list(_pairs(a.get("artefacts") or {}, b.get("artefacts") or {})),
        "variables": [row for row in _pairs(_vars(a), _vars(b)) if not row["same"]],
        "tools": [
            row for row in _pairs(a.get("tools") or {}, b.get("tools") or {}) if not row["same"]
        ],
    }


def _head(run: Json) -> dict[str, Any]:
    return {"run": run["id"], "state": run["state"], "started": run["started"]}


def _vars(run: Json) -> Json:
    return {**(run.get("values") or {})}


def _pairs(a: Json, b: Json) -> Iterator[dict[str, Any]]:
    for name in dict.fromkeys([*a, *b]):
        first, second = a.get(name), b.get(name)
        yield {"name": name, "a": first, "b": second, "same": first == second}


def _by_id(run: Json) -> dict[str, Json]:
    return {str(step["id"]): step for step in run.get("steps") or ()}


def _steps(a: Json, b: Json) -> Iterator[dict[str, Any]]:
    first, second = _by_id(a), _by_id(b)
    for name in dict.fromkeys([*first, *second]):
        one, two = first.get(name), second.get(name)
        yield {
            "name": name,
            "step": (one or two or {}).get("step"),
            "a": one["state"] if one else None,
            "b": two["state"] if two else None,
            "seconds_a": one["seconds"] if one else None,
            "seconds_b": two["seconds"] if two else None,
            "same_inputs": bool(one and two and one.get("key") and one["key"] == two.get("key")),
        }


def _figures(a: Json, b: Json, results_a: Json, results_b: Json) -> Iterator[dict[str, Any]]:
    names = {**_by_id(b), **_by_id(a)}
    for name, step in names.items():
        one, two = results_a.get(name) or {}, results_b.get(name) or {}
        for title, first, second in _numbers(str(step["step"]), one, two):
            if first is not None or second is not None:
                yield {"step": name, "figure": title, "a": first, "b": second}


def _numbers(step: str, one: Json, two: Json) -> Iterator[tuple[str, float | None, float | None]]:
    for path in _FIGURES.get(step, ()):
        yield path, _number(one, path), _number(two, path)
    if step == "profile":
        first, second = _latencies(one), _latencies(two)
        for title in dict.fromkeys([*first, *second]):
            yield title, first.get(title), second.get(title)


def _latencies(result: Json) -> dict[str, float]:
    found = {
        f"{run['model']} p50 ms": float(run["latency_ms"]["p50"])
        for run in result.get("runs") or ()
        if run.get("latency_ms")
    }
    ratios = {
        f"{verdict['b']} against {verdict['a']}": float(verdict["ratio"])
        for verdict in result.get("verdicts") or ()
        if verdict.get("ratio") is not None
    }
    return {**found, **ratios}


def _number(result: Json, path: str) -> float | None:
    value: Any = result
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return float(value) if isinstance(value, int | float) else None


def _gates(a: Json, b: Json) -> Iterator[dict[str, Any]]:
    first = {gate["name"]: gate for gate in a.get("gates") or ()}
    second = {gate["name"]: gate for gate in b.get("gates") or ()}
    for name in dict.fromkeys([*first, *second]):
        one, two = first.get(name), second.get(name)
        yield {
            "name": name,
            "a": one["value"] if one else None,
            "b": two["value"] if two else None,
            "passed_a": one["passed"] if one else None,
            "passed_b": two["passed"] if two else None,
            "limit": (two or one or {}).get("limit"),
        }
