"""What a target kept while nobody asked: lines of counts, read later and made into series."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterable, Mapping
from typing import Any

from studio.api import TargetError, UsageError
from studio.monitoring.endpoint.endpoint import Endpoint

_LARGEST = 4 << 20
METRICS = ("throughput", "latency_ms.p50", "latency_ms.p99", "error_rate", "drifting")
"""The figures that its lines hold."""


def read_telemetry(endpoint: Endpoint, after: int = 0) -> list[dict[str, Any]]:
    """The lines behind a number.

    Raises:
        TargetError: when the server does not answer, or its runtime is too old to keep any.
    """
    connection = endpoint.connect(10.0)
    try:
        answer = endpoint.ask(connection, "GET", f"/edgewright/telemetry?after={after}")
        content = answer.read(_LARGEST)
    except (OSError, http.client.HTTPException) as error:
        raise TargetError(f"The server does not answer: {error}.") from None
    finally:
        connection.close()
    if answer.status == 404:
        raise TargetError("The runtime on this target keeps no history yet.", hint="Deploy again.")
    try:
        lines = json.loads(content)["lines"]
    except (ValueError, KeyError, TypeError):
        raise TargetError("What answers there is not a server of this studio.") from None
    return [line for line in lines if isinstance(line, dict)]


def series_of(
    lines: Iterable[Mapping[str, Any]], metric: str
) -> tuple[dict[str, list[list[float]]], list[str]]:
    """Points of one figure by model and version, in the order in which they were written.

    A line of an older runtime that lacks the figure gives no point. Where the clock jumped, or
    lines were lost, a note says so; differences across such a place are left out.

    Raises:
        UsageError: for a figure that the lines never hold.
    """
    if metric not in METRICS:
        raise UsageError(f"A target keeps no {metric!r}.", hint=f"It keeps: {', '.join(METRICS)}.")
    found: dict[str, list[list[float]]] = {}
    notes: list[str] = []
    before: dict[str, Mapping[str, Any]] = {}
    for line in sorted(lines, key=lambda one: _number(one, "n") or 0.0):
        name = f"{line.get('model', '')} v{line.get('version', '')}"
        if jump := _number(line, "clock_jumped_s"):
            notes.append(f"The target's clock jumped by {jump:g} s before line {line.get('n')}.")
        if lost := _number(line, "lost"):
            notes.append(
                f"{lost:g} lines were lost before line {line.get('n')}: the disk was full."
            )
        last = None if jump else before.get(name)
        value, at = _value(line, last, metric), _number(line, "at")
        before[name] = line
        if value is not None and at is not None:
            found.setdefault(name, []).append([at, value])
    return found, notes


def _value(line: Mapping[str, Any], last: Mapping[str, Any] | None, metric: str) -> float | None:
    if metric.startswith("latency_ms."):
        return _number(line, metric.partition(".")[2])
    if metric == "drifting":
        drift = line.get("drift")
        return float(drift[0]) if isinstance(drift, list) and drift else None
    requests, errors = _since(line, last, "requests"), _since(line, last, "errors")
    if requests is None or errors is None:
        return None
    if metric == "error_rate":
        return errors / requests if requests else None
    seconds = (_number(line, "at") or 0.0) - (_number(last or {}, "at") or 0.0)
    return requests / seconds if seconds > 0 else None


def _since(line: Mapping[str, Any], last: Mapping[str, Any] | None, key: str) -> float | None:
    """How much a counter grew; None where it began anew."""
    if last is None:
        return None
    now, then = _number(line, key), _number(last, key)
    return now - then if now is not None and then is not None and now >= then else None


def _number(values: Mapping[str, Any], key: str) -> float | None:
    value = values.get(key)
    is_one = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if is_one and value is not None else None
