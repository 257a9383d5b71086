"""Lines that a target kept, as series: clocks that jump, losses, restarts, older runtimes."""

from __future__ import annotations

import pytest

from studio.api import UsageError
from studio.documents.dataclass_json import from_json
from studio.monitoring.endpoint.telemetry import TelemetryLine, series_of


def line(n: int, at: float, requests: int, **more: object) -> TelemetryLine:
    document = {
        "n": n,
        "at": at,
        "model": "m",
        "version": "1",
        "requests": requests,
        "errors": 0,
        **more,
    }
    return from_json(TelemetryLine, document)


def test_rates_are_those_between_two_lines_in_their_order() -> None:
    lines = [line(3, 180, 400), line(1, 60, 100), line(2, 120, 160)]
    series, notes = series_of(lines, "throughput")
    assert series == {"m v1": [[120.0, 1.0], [180.0, 4.0]]}
    assert notes == []


def test_nothing_is_said_across_a_jump_or_a_restart() -> None:
    lines = [
        line(1, 60, 100),
        line(2, -9000, 160, clock_jumped_s=-9120.0),
        line(3, -8940, 220),
        line(4, -8880, 10),
    ]
    series, notes = series_of(lines, "throughput")
    assert series == {"m v1": [[-8940.0, 1.0]]}
    assert "clock jumped by -9120 s" in notes[0]


def test_lost_lines_are_said_and_older_runtimes_tell_less() -> None:
    lines = [TelemetryLine(1, 60.0), line(2, 120, 10, lost=7, p99=3.5, drift=[1, 20, 4])]
    assert series_of(lines, "latency_ms.p99")[0] == {"m v1": [[120.0, 3.5]]}
    series, notes = series_of(lines, "drifting")
    assert series == {"m v1": [[120.0, 1.0]]}
    assert "7 lines were lost" in notes[0]
    with pytest.raises(UsageError, match="Unknown metric 'mood'"):
        series_of(lines, "mood")
