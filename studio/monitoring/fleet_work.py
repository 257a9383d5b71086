"""The work of the fleet's step: polls of many targets in parallel."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

from studio.api import StudioError, TargetError, TargetSpec
from studio.documents.dataclass_json import from_json, to_json
from studio.jobs import Job
from studio.monitoring.alerts.channels import alert_channels
from studio.monitoring.alerts.rules import AlertRule
from studio.monitoring.prometheus.step import FleetOptions
from studio.monitoring.results import (
    UNREACHABLE,
    Alert,
    FleetMessage,
    FleetResult,
    FleetSample,
    TargetSample,
)
from studio.monitoring.watch import TargetMonitor
from studio.monitoring.work import Failures, channel_faults, dispatching
from studio.registry import Registry

_AT_ONCE = 32
_CHECK_S = 0.2


class _SilentProgress:
    """The progress of one target, which is not shown; it is cancelled with the job."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def progress(self, done: float, total: float, text: str = "") -> None:
        """Show nothing."""

    def log(self, text: str) -> None:
        """Log nothing."""

    def check(self) -> None:
        """Raise Cancelled if the job was cancelled."""
        self._job.check()


def with_targets(registry: Registry, options: FleetOptions) -> FleetOptions:
    """Add the named targets, or all that have a release."""
    targets = {target.name: target for target in registry.targets()}
    lost = [name for name in options.targets if name not in targets]
    if lost:
        raise TargetError(f"Unknown target: {lost[0]!r}.")
    serving = registry.history.serving()
    names = options.targets or [name for name in targets if name in serving]
    return replace(options, specs=tuple(targets[name] for name in names))


class _Endpoint:
    """A target with at most one running poll."""

    def __init__(self, target: TargetSpec, job: Job, rules: Sequence[AlertRule]) -> None:
        self.name = target.name
        self.watch = TargetMonitor(target, _SilentProgress(job), rules)
        self.pending: Future[TargetSample] | None = None

    def sample(self) -> TargetSample | None:
        """Return the sample of a finished poll, once; else None."""
        if self.pending is None or not self.pending.done():
            return None
        done, self.pending = self.pending, None
        try:
            return done.result()
        except StudioError as error:  # unreachable so far: a row, not the end of the watch
            alert = Alert(UNREACHABLE, "critical", error.message)
            return TargetSample(self.name, health=UNREACHABLE, alerts=(alert,))


def monitor_fleet(options: FleetOptions, job: Job) -> FleetResult:
    """Poll all targets for a time; the last samples are the result."""
    plan, channels = alert_channels(options.alerts)
    endpoints = [_Endpoint(spec, job, plan.rules) for spec in options.specs]
    if not endpoints:
        raise TargetError("Nothing is deployed yet.")
    last: dict[str, TargetSample] = {}
    failures: Failures = {}
    until = time.monotonic() + options.seconds
    pool = ThreadPoolExecutor(min(_AT_ONCE, len(endpoints)), "look")
    try:
        with dispatching(channels, job, failures) as dispatcher:
            while True:
                began = time.monotonic()
                for one in endpoints:
                    if one.pending is None:
                        one.pending = pool.submit(one.watch.poll)
                end = began + options.interval
                while time.monotonic() < end:
                    job.check()
                    done = all(one.pending is None or one.pending.done() for one in endpoints)
                    if done and (len(last) < len(endpoints) or end > until):
                        break
                    time.sleep(min(_CHECK_S, max(end - time.monotonic(), 0.0)))
                found = [sample for one in endpoints if (sample := one.sample()) is not None]
                for sample in found:
                    last[sample.target] = sample
                    dispatcher.dispatch(sample)
                job.event("samples", **to_json(FleetMessage(tuple(map(brief, found)))))
                job.progress(0, 0, f"{len(last)} of {len(endpoints)} endpoints polled")
                if time.monotonic() >= until and len(last) == len(endpoints):
                    break
        return FleetResult(len(endpoints), tuple(last.values()), channel_faults(failures))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        for one in endpoints:
            one.watch.__exit__()


def brief(sample: TargetSample) -> FleetSample:
    """Return the fields of a row of the fleet, without histograms."""
    drifting = [signal.name for signal in sample.drift if signal.drifts]
    return from_json(FleetSample, {**to_json(replace(sample, drift=())), "drifting": drifting})
