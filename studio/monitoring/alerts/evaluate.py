"""Rules that turn what was measured into alerts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from studio.monitoring.drift import alarm_text
from studio.monitoring.expiry import findings
from studio.runtime.serve.statistics.speed_monitor import MARGIN

ERROR_RATE = 0.01
SLOWER = 2.0
FELT_MS = 1.0
"""Milliseconds by which a model must be slower than it was for an alert without a rule."""
_FEW_REQUESTS = 20
_MANY_REQUESTS = 100


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that somebody should know.

    Attributes:
        level: ``warning`` or ``critical``.
        value, limit: What was measured, and what was allowed.
    """

    name: str
    level: str
    text: str
    value: float = 0.0
    limit: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """As it is printed and shown."""
        return asdict(self)


class Rules:
    """Judges one status after another; remembers what it must to compare them."""

    def __init__(self) -> None:
        self._before: Mapping[str, Any] = {}
        self._usual_p99 = 0.0

    def judge(self, status: Mapping[str, Any], report: Mapping[str, Any]) -> list[Alert]:
        """Alerts for a status.

        Args:
            status: The document of ``/edgewright/status``.
            report: What the server wrote of its last start or reload.
        """
        found = [
            self._not_ready(status),
            _release_failed(report),
            self._errors(status),
            self._slower(status),
            _slower_than_measured(status),
            self._restarted(status),
            _drifts(status),
        ]
        self._before = status
        upkeep = [Alert(*finding) for finding in findings(status)]
        return [*(alert for alert in found if alert is not None), *upkeep]

    def _not_ready(self, status: Mapping[str, Any]) -> Alert | None:
        if status.get("ready", True):
            return None
        return Alert("not ready", "critical", "The server runs, but is not ready for requests.")

    def _errors(self, status: Mapping[str, Any]) -> Alert | None:
        """Since the last status, or since the start where that is the first."""
        before = self._before if _same_count(self._before, status) else {}
        requests = _number(status, "requests") - _number(before, "requests")
        errors = _number(status, "errors") - _number(before, "errors")
        if not requests or errors <= ERROR_RATE * requests:
            return None
        text = f"{errors:g} of {requests:g} requests failed."
        return Alert("errors", "critical", text, errors / requests, ERROR_RATE)

    def _slower(self, status: Mapping[str, Any]) -> Alert | None:
        """Against the bundle's baseline, or what was usual when the watch began."""
        latency = status.get("latency_ms") or {}
        p99, count = _number(latency, "p99"), _number(latency, "count")
        if self._before.get("digest") not in (None, status.get("digest")):
            self._usual_p99 = 0.0
        usual = _number(status.get("baseline") or {}, "p99_ms") or self._usual_p99
        if not usual:
            self._usual_p99 = p99 if count >= _MANY_REQUESTS else 0.0
            return None
        if count < _FEW_REQUESTS or p99 <= SLOWER * usual:
            return None
        text = f"p99 latency is {p99:.3g} ms (typical {usual:.3g} ms)."
        return Alert("latency", "warning", text, p99, SLOWER * usual)

    def _restarted(self, status: Mapping[str, Any]) -> Alert | None:
        before = self._before
        if not before or before.get("pid") == status.get("pid"):
            return None
        if before.get("digest") != status.get("digest"):
            return None  # another release may need another process
        return Alert("restarted", "warning", "The server restarted since the last poll.")


def _slower_than_measured(status: Mapping[str, Any]) -> Alert | None:
    """The target's own verdict, with the cause that it found; a loss that nobody feels is none."""
    pace = status.get("pace")
    if not isinstance(pace, Mapping) or pace.get("verdict") != "slower":
        return None
    if _number(pace, "now_ms") - _number(pace, "baseline_ms") < FELT_MS:
        return None
    text = f"The model runs slower than it did: {pace.get('text')}"
    return Alert("pace", "warning", text, _number(pace, "ratio"), MARGIN)


def _drifts(status: Mapping[str, Any]) -> Alert | None:
    drift = status.get("drift") or {}
    if not drift.get("alarm"):
        return None
    return Alert(
        "drift",
        "warning",
        alarm_text(drift),
        _number(drift, "differing"),
        _number(drift, "windows"),
    )


def _release_failed(report: Mapping[str, Any]) -> Alert | None:
    if report.get("state") != "failed":
        return None
    reason = str(report.get("error") or "no reason reported").rstrip(".")
    text = f"The new release failed to load ({reason}). The previous release is still running."
    return Alert("release", "warning", text)


def _same_count(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether the counters went on, and did not begin anew with a release or a process."""
    same = all(before.get(key) == now.get(key) for key in ("digest", "pid", "generation"))
    return same and _number(before, "requests") <= _number(now, "requests")


def _number(values: Mapping[str, Any], key: str) -> float:
    value = values.get(key)
    return float(value) if isinstance(value, (int, float)) else 0.0
