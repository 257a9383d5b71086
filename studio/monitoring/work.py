"""The work of the monitor step, inside a worker."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from studio.jobs import Arguments, Job, Result
from studio.monitoring.alerts.channels import Send, alert_channels
from studio.monitoring.alerts.dispatch import Dispatcher
from studio.monitoring.alerts.silences import HOLDS, Silences
from studio.monitoring.endpoint.labels import read_labels
from studio.monitoring.watch import Sample, TargetMonitor
from studio.settings import Paths
from studio.targets.connect import target_of

Failures = dict[str, str]
"""The last sentence about a channel that took a notice not, by its name."""

_CHECK_S = 0.2
_HOUR_S = 3600.0


def monitor(arguments: Arguments, job: Job) -> Result:
    """Look at what a target serves, once or for a while; the last look is the result.

    Raises:
        TargetError: when the target itself cannot be reached.
    """
    seconds, interval = float(arguments["seconds"]), float(arguments["interval"])
    plan, channels = alert_channels(arguments.get("alerts"))
    labels = read_labels(Path(arguments["labels"])) if arguments.get("labels") else None
    began = time.monotonic()
    target = target_of(arguments["target"])
    failures: Failures = {}
    with (
        TargetMonitor(target, job, plan.rules) as watch,
        dispatching(channels, job, failures) as dispatcher,
    ):
        if labels is not None:
            watch.tell_labels(labels)
        taken = _samples(watch, arguments)
        while True:
            looked = time.monotonic()
            sample = watch.look() | ({"taken": taken} if taken else {})
            job.event("sample", **sample)
            dispatcher.take(sample)
            _tell(job, sample, looked - began, seconds)
            if looked + interval > began + seconds:
                break
            _wait(job, looked + interval)
    return sample | told_of(failures)


def _samples(watch: TargetMonitor, arguments: Arguments) -> dict[str, Any]:
    folder, forget = arguments.get("samples"), bool(arguments.get("forget_samples"))
    if not folder and not forget:
        return {}
    return watch.take_samples(Path(folder) if folder else None, forget)


@contextmanager
def dispatching(
    channels: Mapping[str, tuple[Sequence[str], Send]], job: Job, failures: Failures
) -> Iterator[Dispatcher]:
    """Tell channels of alerts; what did not get there is said in the job, and kept.

    Args:
        failures: Has the last sentence about each channel that took the last notice not.
    """

    def failed(channel: str, sentence: str) -> None:
        failures[channel] = sentence
        job.log(f"Alert channel {channel}: {sentence}")
        job.event("channel", channel=channel, text=sentence, failed=True)

    def taken(channel: str) -> None:
        if failures.pop(channel, None):
            job.event("channel", channel=channel, text="It takes notices again.", failed=False)

    holds = Silences(Paths.of().data / HOLDS)
    made = Dispatcher(channels, failed, holds=holds, held=job.log, taken=taken)
    try:
        yield made
    finally:
        made.close()


def told_of(failures: Failures) -> dict[str, Any]:
    """The part of a result that says which channels took a notice not; nothing where all did."""
    rows = [{"channel": name, "text": text} for name, text in failures.items()]
    return {"channels": rows} if rows else {}


def _tell(job: Job, sample: Sample, done: float, total: float) -> None:
    text = f"{sample['health']}, {sample['throughput']:.1f} requests/s"
    # A watch of days is open-ended: a bar that never moves would say nothing.
    job.progress(min(done, total), total if total <= _HOUR_S else 0.0, text)


def _wait(job: Job, until: float) -> None:
    """Sleep in small pieces, so that a cancel is heard."""
    while (left := until - time.monotonic()) > 0:
        job.check()
        time.sleep(min(left, _CHECK_S))
