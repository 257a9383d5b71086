"""Telemetry that a target stores between polls: lines of counters, converted to series."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterable

from studio.api import TargetError, UsageError
from studio.documents.dataclass_json import from_json, read_parts
from studio.lazy_dataclass import dataclass
from studio.monitoring.endpoint.endpoint import Endpoint

_LARGEST = 4 << 20
METRICS = ("throughput", "latency_ms.p50", "latency_ms.p99", "error_rate", "drifting")
"""Metrics of the telemetry lines."""


@dataclass(frozen=True, slots=True)
class TelemetryLine:
    """Counters of about one minute; older runtimes write some of them.

    Attributes:
        n: Number of the line.
        requests, errors: Counted since the start of the server.
        drift: Its first element is whether there is an alarm.
        clock_jumped_s, lost: Events before the line.
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
    """An answer with telemetry lines."""

    lines: tuple[object, ...]


def read_telemetry(endpoint: Endpoint, after: int = 0) -> list[TelemetryLine]:
    """Return the lines after a number.

    Raises:
        TargetError: when the server does not answer, or its runtime is too old for telemetry.
    """
    connection = endpoint.connect(10.0)
    try:
        answer = endpoint.request(connection, "GET", f"/edgewright/telemetry?after={after}")
        content = answer.read(_LARGEST)
    except (OSError, http.client.HTTPException) as error:
        raise TargetError(f"The server does not answer: {error}.") from None
    finally:
        connection.close()
    if answer.status == 404:
        raise TargetError(
            "The runtime on this target is too old to store history.",
            hint="Deploy again to update it.",
        )
    try:
        lines = from_json(_Telemetry, json.loads(content)).lines
    except ValueError:
        raise TargetError("The server at this address is not an Edgewright server.") from None
    return [read_parts(TelemetryLine, line) for line in lines if isinstance(line, dict)]


def series_of(
    lines: Iterable[TelemetryLine], metric: str
) -> tuple[dict[str, list[list[float]]], list[str]]:
    """Return the points of a metric by model and version, in the order of the lines.

    A line of an older runtime without the metric gives no point. Clock jumps and lost lines become
    notes, and differences across a clock jump are left out.

    Raises:
        UsageError: for a metric that the lines do not contain.
    """
    if metric not in METRICS:
        raise UsageError(
            f"Unknown metric {metric!r}.", hint=f"Valid metrics: {', '.join(METRICS)}."
        )
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
        # A rate over a jumped clock would be wrong, so the next line starts a new difference.
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
    """Return the growth of a counter; None if it was reset."""
    return now - then if now is not None and then is not None and now >= then else None
