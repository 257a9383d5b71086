"""Repeated polls of a target's server over connections that may be lost."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from studio.api import Progress, TargetError, TargetSpec
from studio.deployment.liveness import SILENT, Liveness
from studio.monitoring.alerts.dispatch import OwnRules
from studio.monitoring.alerts.evaluate import Rules
from studio.monitoring.alerts.rules import AlertRule
from studio.monitoring.drift import drift_of, drift_state
from studio.monitoring.endpoint.collect import Reading
from studio.monitoring.endpoint.labels import labels_of
from studio.monitoring.endpoint.results import FetchedRequests, Latency, known
from studio.monitoring.endpoint.status import ServerStatus
from studio.monitoring.endpoint.telemetry import TelemetryLine
from studio.monitoring.results import UNREACHABLE, Alert, TargetRelease, TargetSample
from studio.monitoring.views import view_of

_CRITICAL = "critical"


class TargetMonitor:
    """A monitor of one target; its connections stay open between polls.

    Args:
        patient: A target that was never reached gives a sample, not an error.
    """

    def __init__(
        self,
        target: TargetSpec,
        progress: Progress,
        rules: Sequence[AlertRule] = (),
        *,
        patient: bool = False,
    ) -> None:
        self._own = OwnRules(rules)
        self._target = target
        self._view = view_of(target, progress)
        self._rules = Rules()
        self._reached = patient
        self._cpu: tuple[float, float] | None = None

    def __enter__(self) -> TargetMonitor:
        return self

    def __exit__(self, *exception: object) -> None:
        self._view.close()

    def poll(self) -> TargetSample:
        """Return a sample of the target.

        Raises:
            TargetError: when the target has never been reached.
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
        return replace(sample, alerts=(*sample.alerts, *self._own.judge(sample)))

    def send_labels(self, labels: Mapping[str, str]) -> None:
        """Send labels to the server, which compares them with its answers.

        Raises:
            TargetError: when it cannot be reached, or its runtime is too old for labels.
        """
        self._view.open()
        self._view.send_labels(labels)

    def collect_samples(self, folder: Path | None, forget: bool) -> FetchedRequests:
        """Fetch the stored uncertain requests, delete them on the target, or both.

        Raises:
            TargetError: when they cannot be accessed.
        """
        self._view.open()
        found = FetchedRequests() if folder is None else self._view.fetch_samples(folder)
        return replace(found, deleted=self._view.forget_samples()) if forget else found

    def past(self) -> list[TelemetryLine]:
        """Return the minutes that the server recorded.

        Raises:
            TargetError: when it cannot be reached, or records none.
        """
        return self._view.telemetry()

    def log(self, lines: int) -> tuple[str, ...]:
        """Return the last lines of the server's log, the oldest first.

        Raises:
            TargetError: when they cannot be read.
        """
        self._view.open()
        return self._view.log(lines)

    def releases(self) -> tuple[TargetRelease, ...]:
        """Return the releases that the target knows, the newest first.

        Raises:
            TargetError: when they cannot be read.
        """
        self._view.open()
        return self._view.releases()

    # Samples

    def _sample(self, reading: Reading) -> TargetSample:
        status, report = reading.status, self._view.report
        alerts, labels = self._rules.judge(status, report), labels_of(status.labels)
        return replace(
            self._head(_health(status, alerts)),
            throughput=status.throughput_rps,
            latency_ms=_latency(status.latency_ms),
            threads=status.threads,
            placement=status.placement,
            errors=status.errors,
            requests=status.requests,
            in_flight=status.in_flight,
            accuracy=known(labels.accuracy),
            drift=drift_of(status.drift),
            drift_state=drift_state(status.drift),
            labels=labels,
            pace=status.pace,
            board=status.board,
            upkeep=status.upkeep,
            samples=status.samples,
            mirror=status.mirror,
            language=status.language,
            alerts=tuple(alerts),
            model=status.name,
            version=status.version,
            digest=status.digest,
            precision=status.precision,
            generation=status.generation,
            kept_by=report.manager,
            uptime_s=status.uptime_s,
            memory_mb=status.memory_mb,
            cpu_percent=self._cpu_percent(reading),
        )

    def _unreachable(self, sentence: str) -> TargetSample:
        report = self._view.report
        return replace(
            self._head(UNREACHABLE),
            throughput=0.0,
            latency_ms=Latency(count=0),
            errors=0,
            alerts=(Alert(UNREACHABLE, _CRITICAL, sentence),),
            model=report.name,
            version=report.version or None,
            digest=report.digest,
            uptime_s=None,
            memory_mb=None,
        )

    def _head(self, health: str) -> TargetSample:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        live = self._view.live
        return TargetSample(self._target.name, now, health, live.state, live.endpoint, live.scheme)

    def _cpu_percent(self, reading: Reading) -> float | None:
        """Return the processor time since the last sample, in percent of one core."""
        now, used = time.monotonic(), reading.metrics.get("process_cpu_seconds_total")
        before, self._cpu = self._cpu, None if used is None else (now, used)
        if before is None or used is None or used < before[1]:
            return None
        return round(100.0 * (used - before[1]) / max(now - before[0], 1e-3), 1)


def _latency(latency: Latency) -> Latency:
    """Return the latency; its percentiles are None if the last minute had no answers."""
    return Latency(count=0) if latency.count == 0 else latency


def _health(status: ServerStatus, alerts: list[Alert]) -> str:
    if not status.ready:
        return "not ready"
    return "degraded" if any(alert.level == _CRITICAL for alert in alerts) else "healthy"
