"""Built-in rules that derive alerts from the status of a server."""

from __future__ import annotations

from studio.monitoring.drift import alarm_text
from studio.monitoring.endpoint.results import NodePlacement, SpeedReport
from studio.monitoring.endpoint.status import DriftReport, ServerReport, ServerStatus
from studio.monitoring.expiry import expiry_alerts
from studio.monitoring.results import Alert
from studio.runtime.serve.statistics.speed_monitor import MARGIN

ERROR_RATE = 0.01
SLOWER = 2.0
FELT_MS = 1.0
"""Smallest slow-down in milliseconds for an alert without a rule."""
_FEW_REQUESTS = 20
_MANY_REQUESTS = 100


class Rules:
    """The evaluation of a server's statuses, with the state to compare them."""

    def __init__(self) -> None:
        self._before: ServerStatus | None = None
        self._usual_p99 = 0.0

    def judge(self, status: ServerStatus, report: ServerReport) -> list[Alert]:
        """Return the alerts for a status and the report of the server's last start or reload."""
        found = [
            _not_ready(status),
            _release_failed(report),
            self._errors(status),
            self._slower(status),
            _slower_than_measured(status.pace),
            self._restarted(status),
            _drifts(status.drift),
            _falls_back(status.placement),
        ]
        self._before = status
        return [*filter(None, found), *expiry_alerts(status.upkeep)]

    def _errors(self, status: ServerStatus) -> Alert | None:
        """Return an alert on the error rate since the last status, or since the start."""
        requests, errors, before = status.requests, status.errors, self._before
        if before is not None and _same_count(before, status):
            requests, errors = requests - before.requests, errors - before.errors
        if not requests or errors <= ERROR_RATE * requests:
            return None
        text = f"{errors:g} of {requests:g} requests failed."
        return Alert("errors", "critical", text, errors / requests, ERROR_RATE)

    def _slower(self, status: ServerStatus) -> Alert | None:
        """Return an alert on latency against the bundle's baseline, or the typical value so far."""
        p99, count = status.latency_ms.p99 or 0.0, status.latency_ms.count or 0
        if self._before is not None and self._before.digest not in ("", status.digest):
            self._usual_p99 = 0.0
        usual = status.baseline.p99_ms or self._usual_p99
        if not usual:
            self._usual_p99 = p99 if count >= _MANY_REQUESTS else 0.0
            return None
        if count < _FEW_REQUESTS or p99 <= SLOWER * usual:
            return None
        text = f"p99 latency is {p99:.3g} ms (typical {usual:.3g} ms)."
        return Alert("latency", "warning", text, p99, SLOWER * usual)

    def _restarted(self, status: ServerStatus) -> Alert | None:
        before = self._before
        if before is None or before.pid == status.pid:
            return None
        if before.digest != status.digest:
            return None  # a new release may start a new process
        return Alert("restarted", "warning", "The server restarted since the last poll.")


def _not_ready(status: ServerStatus) -> Alert | None:
    if status.ready:
        return None
    return Alert("not ready", "critical", "The server runs, but is not ready for requests.")


def _slower_than_measured(pace: SpeedReport | None) -> Alert | None:
    """Return an alert on the target's own verdict, unless the difference is too small to matter."""
    if pace is None or pace.verdict != "slower":
        return None
    if (pace.now_ms or 0.0) - (pace.baseline_ms or 0.0) < FELT_MS:
        return None
    text = f"The model runs slower than it did: {pace.text}"
    return Alert("pace", "warning", text, pace.ratio or 0.0, MARGIN)


def _drifts(drift: DriftReport | None) -> Alert | None:
    if drift is None or not drift.alarm:
        return None
    counts = float(drift.differing or 0), float(drift.windows or 0)
    return Alert("drift", "warning", alarm_text(drift), *counts)


def _falls_back(placement: NodePlacement | None) -> Alert | None:
    if placement is None or not placement.fallback:
        return None
    text = f"The accelerator does not compute the model. {placement.fallback}"
    return Alert("provider", "warning", text)


def _release_failed(report: ServerReport) -> Alert | None:
    if report.state != "failed":
        return None
    reason = (report.error or "no reason reported").rstrip(".")
    text = f"The new release failed to load ({reason}). The previous release is still running."
    return Alert("release", "warning", text)


def _same_count(before: ServerStatus, now: ServerStatus) -> bool:
    """Return whether the counters continued, with no new release or process in between."""
    same = (before.digest, before.pid, before.generation) == (now.digest, now.pid, now.generation)
    return same and before.requests <= now.requests
