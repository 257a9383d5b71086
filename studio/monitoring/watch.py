"""A look at a target's server, again and again, over connections that may be lost."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from studio.api import Progress, TargetError, TargetSpec
from studio.deployment.liveness import SILENT, Liveness
from studio.monitoring.alerts.dispatch import OwnRules
from studio.monitoring.alerts.evaluate import Alert, Rules
from studio.monitoring.alerts.rules import AlertRule
from studio.monitoring.drift import drift_of, drift_state
from studio.monitoring.endpoint.collect import Reading
from studio.monitoring.endpoint.labels import labels_of
from studio.monitoring.views import view_of

Sample = dict[str, Any]
"""One look: the keys of ``studio monitor --json``."""

_CRITICAL = "critical"


class TargetMonitor:
    """Looks at one target; what was opened stays open between two looks."""

    def __init__(
        self, target: TargetSpec, progress: Progress, rules: Sequence[AlertRule] = ()
    ) -> None:
        self._own = OwnRules(rules)
        self._target = target
        self._view = view_of(target, progress)
        self._rules = Rules()
        self._reached = False
        self._cpu: tuple[float, float] | None = None

    def __enter__(self) -> TargetMonitor:
        return self

    def __exit__(self, *exception: object) -> None:
        self._view.close()

    def look(self) -> Sample:
        """Take one sample.

        Raises:
            TargetError: when the target itself was never reached.
        """
        try:
            self._view.open()
        except TargetError as error:
            self._view.close()
            if not self._reached:
                raise
            self._view.live = Liveness(SILENT)
            return self._unreachable(error.message)
        self._reached = True
        try:
            reading = self._view.read()
        except TargetError as error:
            self._view.rest()
            return self._unreachable(error.message)
        sample = self._sample(reading)
        sample["alerts"] += [alert.to_json() for alert in self._own.judge(sample)]
        return sample

    def tell_labels(self, labels: Mapping[str, str]) -> None:
        """Let what serves hold true answers against its own.

        Raises:
            TargetError: when it cannot be reached, or its runtime is too old for it.
        """
        self._view.open()
        self._view.tell_labels(labels)

    def take_samples(self, folder: Path | None, forget: bool) -> dict[str, Any]:
        """Fetch the uncertain requests that are kept there, delete them there, or both.

        Raises:
            TargetError: when there is no way to them.
        """
        self._view.open()
        found = {} if folder is None else self._view.fetch_samples(folder)
        return {**found, "deleted": self._view.forget_samples()} if forget else found

    # Samples

    def _sample(self, reading: Reading) -> Sample:
        status = reading.status
        alerts = self._rules.judge(status, self._view.report)
        return {
            **self._head(_health(status, alerts)),
            "throughput": float(status.get("throughput_rps") or 0.0),
            "latency_ms": _latency(status.get("latency_ms") or {}),
            "threads": status.get("threads"),
            "errors": int(status.get("errors") or 0),
            "requests": int(status.get("requests") or 0),
            "in_flight": int(status.get("in_flight") or 0),
            "accuracy": labels_of(status).get("accuracy"),
            "drift": drift_of(status),
            "drift_state": drift_state(status),
            "labels": labels_of(status),
            "pace": status.get("pace"),
            "board": status.get("board"),
            "upkeep": status.get("upkeep"),
            "samples": status.get("samples"),
            "mirror": status.get("mirror"),
            "alerts": [alert.to_json() for alert in alerts],
            "model": status.get("name", ""),
            "version": status.get("version"),
            "digest": status.get("digest", ""),
            "precision": status.get("precision", ""),
            "generation": status.get("generation"),
            "kept_by": self._view.report.get("manager", ""),
            "uptime_s": status.get("uptime_s"),
            "memory_mb": status.get("memory_mb"),
            "cpu_percent": self._cpu_percent(reading),
        }

    def _unreachable(self, sentence: str) -> Sample:
        report = self._view.report
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
        where = self._view.live.to_json()
        return {"target": self._target.name, "at": now, "health": health, **where}

    def _cpu_percent(self, reading: Reading) -> float | None:
        """Of one core, since the last look."""
        now, used = time.monotonic(), reading.metrics.get("process_cpu_seconds_total")
        before, self._cpu = self._cpu, None if used is None else (now, used)
        if before is None or used is None or used < before[1]:
            return None
        return round(100.0 * (used - before[1]) / max(now - before[0], 1e-3), 1)


def _latency(told: Mapping[str, Any]) -> dict[str, Any]:
    """Percentiles; None where no request of the last minute was answered: that is no latency."""
    names = ("p50", "p90", "p99")
    known = {name: told.get(name) if told.get("count") != 0 else None for name in names}
    return {**known, "count": told.get("count")}


def _health(status: Mapping[str, Any], alerts: list[Alert]) -> str:
    if not status.get("ready", True):
        return "not ready"
    return "degraded" if any(alert.level == _CRITICAL for alert in alerts) else "healthy"
