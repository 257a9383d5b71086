"""A look at a target's server, again and again, over connections that may be lost."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

from studio.api import Channel, Progress, TargetError, TargetSpec, Tunnel
from studio.deployment.agent import server_info
from studio.deployment.connect import open_channel, root_of
from studio.monitoring.alerts import Alert, Rules
from studio.monitoring.collect import Reading, read
from studio.monitoring.endpoint import Endpoint, endpoint_of

Sample = dict[str, Any]
"""One look: the keys of ``studio monitor --json``."""

_CRITICAL = "critical"
_ADDRESS = ("port", "scheme", "fingerprint", "token_required")


class Watch:
    """Looks at one target; the channel stays open between two looks."""

    def __init__(self, target: TargetSpec, progress: Progress) -> None:
        self._target = target
        self._progress = progress
        self._rules = Rules()
        self._open = ExitStack()
        self._channel: Channel | None = None
        self._root = ""
        self._tunnel: Tunnel | None = None
        self._endpoint: Endpoint | None = None
        self._report: Mapping[str, Any] = {}
        self._reached = False
        self._cpu: tuple[float, float] | None = None

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *exception: object) -> None:
        self._open.close()

    def look(self) -> Sample:
        """Take one sample.

        Raises:
            TargetError: when the target itself was never reached.
        """
        try:
            self._connect()
        except TargetError as error:
            self._disconnect()
            if not self._reached:
                raise
            return self._unreachable(error.message)
        self._reached = True
        try:
            reading = self._read()
        except TargetError as error:
            self._close_tunnel()
            return self._unreachable(error.message)
        return self._sample(reading)

    def _connect(self) -> None:
        """Open what is not open, and read what the server wrote of itself."""
        if self._channel is None:
            self._channel = open_channel(self._target, self._progress)
            self._open.callback(self._channel.close)
            self._root = root_of(self._target, self._channel)
        report = server_info(self._channel, self._root)
        if any(report.get(name) != self._report.get(name) for name in _ADDRESS):
            self._close_tunnel()
        self._report = report

    def _read(self) -> Reading:
        port = int(self._report.get("port") or 0)
        if not port:
            raise TargetError("Nothing was deployed on this target yet.")
        if self._report.get("state") == "stopped":
            raise TargetError("The server on this target was stopped.")
        if not self._report.get("running", True):
            raise TargetError("The server on this target does not run.")
        if self._tunnel is None or self._endpoint is None:
            assert self._channel is not None
            self._tunnel = self._channel.forward(port)
            self._endpoint = endpoint_of(
                self._target, self._channel, self._root, self._report, self._tunnel
            )
        return read(self._endpoint)

    def _disconnect(self) -> None:
        self._close_tunnel()
        self._channel = None
        self._open.close()

    def _close_tunnel(self) -> None:
        if self._tunnel is not None:
            self._tunnel.close()
        self._tunnel = self._endpoint = None

    # Samples

    def _sample(self, reading: Reading) -> Sample:
        status = reading.status
        alerts = self._rules.judge(status, self._report)
        latency = status.get("latency_ms") or {}
        return {
            **self._head(_health(status, alerts)),
            "throughput": float(status.get("throughput_rps") or 0.0),
            "latency_ms": {key: latency.get(key) for key in ("p50", "p90", "p99", "count")},
            "errors": int(status.get("errors") or 0),
            "requests": int(status.get("requests") or 0),
            "in_flight": int(status.get("in_flight") or 0),
            "drift": [],
            "alerts": [alert.to_json() for alert in alerts],
            "model": status.get("name", ""),
            "version": status.get("version"),
            "digest": status.get("digest", ""),
            "precision": status.get("precision", ""),
            "generation": status.get("generation"),
            "uptime_s": status.get("uptime_s"),
            "memory_mb": status.get("memory_mb"),
            "cpu_percent": self._cpu_percent(reading),
        }

    def _unreachable(self, sentence: str) -> Sample:
        report = self._report
        return {
            **self._head("unreachable"),
            "throughput": 0.0,
            "latency_ms": {"p50": None, "p90": None, "p99": None, "count": 0},
            "errors": 0,
            "drift": [],
            "alerts": [Alert("unreachable", _CRITICAL, sentence).to_json()],
            "model": report.get("name", ""),
            "version": report.get("version") or None,
            "digest": report.get("digest", ""),
            "uptime_s": None,
            "memory_mb": None,
        }

    def _head(self, health: str) -> Sample:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        return {"target": self._target.name, "at": now, "health": health}

    def _cpu_percent(self, reading: Reading) -> float | None:
        """Of one core, since the last look."""
        now, used = time.monotonic(), reading.metrics.get("process_cpu_seconds_total")
        before, self._cpu = self._cpu, None if used is None else (now, used)
        if before is None or used is None or used < before[1]:
            return None
        return round(100.0 * (used - before[1]) / max(now - before[0], 1e-3), 1)


def _health(status: Mapping[str, Any], alerts: list[Alert]) -> str:
    if not status.get("ready", True):
        return "not ready"
    return "degraded" if any(alert.level == _CRITICAL for alert in alerts) else "healthy"
