"""The work of a live watch, inside a worker."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from studio.api import Cancelled, StudioError
from studio.documents.dataclass_json import to_json
from studio.jobs import Job
from studio.monitoring.alerts.channels import alert_channels
from studio.monitoring.endpoint.call_step import CallOptions
from studio.monitoring.endpoint.snippet_work import described_call
from studio.monitoring.endpoint.snippets import LANGUAGES
from studio.monitoring.endpoint.telemetry import TelemetryLine, series_of
from studio.monitoring.live_step import LiveOptions
from studio.monitoring.results import (
    UNREACHABLE,
    CallsMessage,
    LogMessage,
    PastMessage,
    PastPoint,
    ReleasesMessage,
    TargetSample,
)
from studio.monitoring.watch import TargetMonitor
from studio.monitoring.work import Failures, dispatching, wait_until

LOG_S = 2.0
"""The log is read over the same connection, less often than the status."""


def watch(options: LiveOptions, job: Job) -> TargetSample:
    """Poll an endpoint until the job is cancelled.

    Messages: ``sample`` for each poll, ``past`` once, ``log`` and ``releases`` when they have
    changed, ``calls`` for each release, ``channel`` as of ``monitor``.
    """
    plan, channels = alert_channels(options.alerts)
    failures: Failures = {}
    with (
        TargetMonitor(options.target, job, plan.rules, patient=True) as monitor,
        dispatching(channels, job, failures) as dispatcher,
    ):
        extras = _Extras(options, job, monitor)
        while True:
            polled = time.monotonic()
            sample = monitor.poll()
            job.event("sample", **to_json(sample))
            dispatcher.dispatch(sample)
            extras.report(sample)
            job.progress(0, 0, f"{sample.throughput or 0.0:.1f} requests/s")
            wait_until(job, polled + options.interval)


class _Extras:
    """Everything but the samples; a part that cannot be read is left out."""

    def __init__(self, options: LiveOptions, job: Job, monitor: TargetMonitor) -> None:
        self._options = options
        self._job = job
        self._monitor = monitor
        self._release: object = None
        self._has_past = False
        self._log: tuple[str, ...] | None = None
        self._log_due = 0.0

    def report(self, sample: TargetSample) -> None:
        """Send what has changed since the last poll."""
        answers = sample.health != UNREACHABLE
        release = (sample.digest, sample.generation, answers)
        if release != self._release:
            self._release = release
            self._try(self._send_releases)
            if answers:
                self._try(self._send_calls)
        if answers and not self._has_past:
            self._has_past = True
            self._try(self._send_past)
        if self._options.lines and time.monotonic() >= self._log_due:
            self._log_due = time.monotonic() + LOG_S
            self._try(self._send_log)

    def _try(self, send: Callable[[], None]) -> None:
        try:
            send()
        except Cancelled:
            raise
        except StudioError as error:
            self._job.log(error.message)

    def _send_releases(self) -> None:
        self._job.event("releases", **to_json(ReleasesMessage(self._monitor.releases())))

    def _send_calls(self) -> None:
        known, endpoint = self._options.known, self._options.endpoint
        options = CallOptions(target=self._options.target, known=known, endpoint=endpoint)
        call, _ = described_call(options, self._job)
        programs = {name: write(call) for name, write in LANGUAGES.items()}
        message = CallsMessage(call.place.url, call.model, call.request_url, programs)
        self._job.event("calls", **to_json(message))

    def _send_past(self) -> None:
        self._job.event("past", **to_json(PastMessage(past_points(self._monitor.past()))))

    def _send_log(self) -> None:
        lines = self._monitor.log(self._options.lines)
        if lines != self._log:
            self._log = lines
            self._job.event("log", **to_json(LogMessage(lines)))


def past_points(lines: Sequence[TelemetryLine]) -> tuple[PastPoint, ...]:
    """Return the recorded minutes of a server, the oldest first."""
    throughput, errors = (_by_time(lines, name) for name in ("throughput", "error_rate"))
    return tuple(
        PastPoint(line.at, str(line.version), line.p50, line.p99,
                  throughput.get(line.at), errors.get(line.at))
        for line in sorted(lines, key=lambda one: one.n)
        if line.at is not None
    )  # fmt: skip


def _by_time(lines: Sequence[TelemetryLine], metric: str) -> dict[float, float]:
    series, _ = series_of(lines, metric)
    return {at: value for points in series.values() for at, value in points}
