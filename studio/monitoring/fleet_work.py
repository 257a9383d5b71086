"""The work of the fleet's step: many targets looked at, none waits for another."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from studio.api import StudioError, TargetError, TargetSpec
from studio.jobs import Arguments, Job, Result
from studio.monitoring.alerts.channels import alert_channels
from studio.monitoring.watch import Sample, TargetMonitor
from studio.monitoring.work import Failures, dispatching, told_of
from studio.registry import Registry
from studio.targets.connect import target_of

_AT_ONCE = 32
_CHECK_S = 0.2


class _SilentProgress:
    """Progress of one of many, which nobody follows; ends with the job."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def progress(self, done: float, total: float, text: str = "") -> None:
        """Nothing is shown."""

    def log(self, text: str) -> None:
        """Nothing is kept."""

    def check(self) -> None:
        """Whether the job was cancelled."""
        self._job.check()


def with_targets(registry: Registry, arguments: Arguments) -> dict[str, Any]:
    """Add the targets that are meant: the named ones, or those that something runs on."""
    wanted = [str(name) for name in arguments.get("targets") or ()]
    known = {target.name: target for target in registry.targets()}
    lost = [name for name in wanted if name not in known]
    if lost:
        raise TargetError(f"Unknown target: {lost[0]!r}.")
    serving = registry.history.serving()
    names = wanted or [name for name in known if name in serving]
    return {**arguments, "specs": [_plain(known[name]) for name in names]}


def _plain(target: TargetSpec) -> dict[str, Any]:
    return {
        "name": target.name,
        "url": target.url,
        "host_key": target.host_key,
        "settings": dict(target.settings),
    }


class _Endpoint:
    """One target; at most one look at a time."""

    def __init__(self, spec: Mapping[str, Any], job: Job, rules: Any) -> None:
        self.name = str(spec["name"])
        self.watch = TargetMonitor(target_of(spec), _SilentProgress(job), rules)
        self.look: Future[Sample] | None = None

    def sample(self) -> Sample | None:
        """The sample of a look that is over, once."""
        if self.look is None or not self.look.done():
            return None
        done, self.look = self.look, None
        try:
            return done.result()
        except StudioError as error:  # never reached yet: the others go on
            alert = {"name": "unreachable", "level": "critical", "text": error.message}
            return {"target": self.name, "health": "unreachable", "alerts": [alert], "drift": []}


def monitor_fleet(arguments: Arguments, job: Job) -> Result:
    """Look at all for a while; the last samples are the result."""
    plan, channels = alert_channels(arguments.get("alerts"))
    endpoints = [_Endpoint(spec, job, plan.rules) for spec in arguments["specs"]]
    if not endpoints:
        raise TargetError("Nothing is deployed yet.")
    last: dict[str, Sample] = {}
    failures: Failures = {}
    until = time.monotonic() + float(arguments["seconds"])
    pool = ThreadPoolExecutor(min(_AT_ONCE, len(endpoints)), "look")
    try:
        with dispatching(channels, job, failures) as dispatcher:
            while True:
                began = time.monotonic()
                for one in endpoints:
                    if one.look is None:
                        one.look = pool.submit(one.watch.look)
                end = began + float(arguments["interval"])
                while time.monotonic() < end:
                    job.check()
                    done = all(one.look is None or one.look.done() for one in endpoints)
                    if done and (len(last) < len(endpoints) or end > until):
                        break
                    time.sleep(min(_CHECK_S, max(end - time.monotonic(), 0.0)))
                found = [sample for one in endpoints if (sample := one.sample()) is not None]
                for sample in found:
                    last[str(sample["target"])] = sample
                    dispatcher.take(sample)
                job.event("samples", samples=[brief(sample) for sample in found])
                bad = sum(sample["health"] != "healthy" for sample in last.values())
                job.progress(0, 0, f"{len(last)} endpoints, {bad} not healthy")
                if time.monotonic() >= until and len(last) == len(endpoints):
                    break
        result = {"targets": len(endpoints), "samples": list(last.values())}
        return result | told_of(failures)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        for one in endpoints:
            one.watch.__exit__()


def brief(sample: Sample) -> dict[str, Any]:
    """What a row of the fleet shows: histograms stay where they are."""
    keys = ("target", "at", "health", "throughput", "latency_ms", "errors", "requests")
    more = ("alerts", "model", "version", "memory_mb", "drift_state", "accuracy")
    found = {key: sample.get(key) for key in keys + more}
    found["drifting"] = [s["name"] for s in sample.get("drift") or () if s.get("drifts")]
    return found
