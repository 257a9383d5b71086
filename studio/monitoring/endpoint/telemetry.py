"""What a target kept while nobody asked: lines of counts, read later and made into series."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterable
from dataclasses import dataclass

from studio.api import TargetError, UsageError
from studio.documents.dataclass_json import from_json, read_parts
from studio.monitoring.endpoint.endpoint import Endpoint

_LARGEST = 4 << 20
METRICS = ("throughput", "latency_ms.p50", "latency_ms.p99", "error_rate", "drifting")
"""The figures that its lines hold."""


@dataclass(frozen=True, slots=True)
class TelemetryLine:
    """Counts of one minute or so; older runtimes write some of them.

    Attributes:
        n: Number of the line.
        requests, errors: Since the server began.
        drift: Whether there is an alarm first.
        clock_jumped_s, lost: What happened before the line.
    """

    n: float = 0
    at: float | None = None
    model: object = ""
    version: object = ""
    requests: float | None = None
    errors: float | None = None
    p50: float | None = None
    p99: float | None = None
    drift: tuple[float, ...] = ()
    clock_jumped_s: float = 0.0
    lost: float = 0


@dataclass(frozen=True, slots=True)
class _Telemetry:
    """An answer with lines."""

    lines: tuple[object, ...]


def read_telemetry(endpoint: Endpoint, after: int = 0) -> list[TelemetryLine]:
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
        lines = from_json(_Telemetry, json.loads(content)).lines
    except ValueError:
        raise TargetError("What answers there is not a server of this studio.") from None
    return [read_parts(TelemetryLine, line) for line in lines if isinstance(line, dict)]


def series_of(
    lines: Iterable[TelemetryLine], metric: str
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
    before: dict[str, TelemetryLine] = {}
    for line in sorted(lines, key=lambda one: one.n):
        name = f"{line.model} v{line.version}"
        if line.clock_jumped_s:
            jump = f"{line.clock_jumped_s:g} s before line {line.n}"
            notes.append(f"The target's clock jumped by {jump}.")
        if line.lost:
            notes.append(f"{line.lost:g} lines were lost before line {line.n}: the disk was full.")
        last = None if line.clock_jumped_s else before.get(name)
        value = _value(line, last, metric)
        before[name] = line
        if value is not None and line.at is not None:
            found.setdefault(name, []).append([float(line.at), float(value)])
    return found, notes


def _value(line: TelemetryLine, last: TelemetryLine | None, metric: str) -> float | None:
    if metric == "latency_ms.p50":
        return line.p50
    if metric == "latency_ms.p99":
        return line.p99
    if metric == "drifting":
        return line.drift[0] if line.drift else None
    if last is None:
        return None
    requests, errors = _growth(line.requests, last.requests), _growth(line.errors, last.errors)
    if requests is None or errors is None:
        return None
    if metric == "error_rate":
        return errors / requests if requests else None
    seconds = (line.at or 0.0) - (last.at or 0.0)
    return requests / seconds if seconds > 0 else None


def _growth(now: float | None, then: float | None) -> float | None:
    """How much a counter grew; None where it began anew."""
    return now - then if now is not None and then is not None and now >= then else None
