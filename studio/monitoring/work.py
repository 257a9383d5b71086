"""The work of the monitor step, inside a worker."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace

from studio.documents.dataclass_json import to_json
from studio.jobs import Job
from studio.monitoring.alerts.channels import Send, alert_channels
from studio.monitoring.alerts.dispatch import Dispatcher
from studio.monitoring.alerts.silences import HOLDS, Silences
from studio.monitoring.endpoint.labels import read_labels
from studio.monitoring.results import ChannelFault, ChannelMessage, TargetSample
from studio.monitoring.step import MonitorOptions
from studio.monitoring.watch import TargetMonitor
from studio.settings import Paths

Failures = dict[str, str]
"""The last message of each failing channel, by name."""

_CHECK_S = 0.2
_HOUR_S = 3600.0


def monitor(options: MonitorOptions, job: Job) -> TargetSample:
    """Poll an endpoint once or for a time; the last sample is the result.

    Raises:
        TargetError: when the target cannot be reached.
    """
    seconds, interval = options.seconds, options.interval
    plan, channels = alert_channels(options.alerts)
    labels = read_labels(options.labels) if options.labels else None
    began = time.monotonic()
    failures: Failures = {}
    with (
        TargetMonitor(options.target, job, plan.rules) as watch,
        dispatching(channels, job, failures) as dispatcher,
    ):
        if labels is not None:
            watch.send_labels(labels)
        taken = None
        if options.samples or options.delete_samples:
            taken = watch.collect_samples(options.samples, options.delete_samples)
        while True:
            polled = time.monotonic()
            sample = replace(watch.poll(), taken=taken)
            job.event("sample", **to_json(sample))
            dispatcher.dispatch(sample)
            _report_progress(job, sample, polled - began, seconds)
            if polled + interval > began + seconds:
                break
            wait_until(job, polled + interval)
    return replace(sample, channels=channel_faults(failures))


@contextmanager
def dispatching(
    channels: Mapping[str, tuple[Sequence[str], Send]], job: Job, failures: Failures
) -> Iterator[Dispatcher]:
    """Dispatch alerts to channels; report failed deliveries in the job.

    Args:
        failures: Receives the last message of each failing channel, by name.
    """

    def failed(channel: str, sentence: str) -> None:
        failures[channel] = sentence
        job.log(f"Alert channel {channel}: {sentence}")
        job.event("channel", **to_json(ChannelMessage(channel, sentence, True)))

    def delivered(channel: str) -> None:
        if failures.pop(channel, None):
            again = ChannelMessage(channel, "It works again.", False)
            job.event("channel", **to_json(again))

    holds = Silences(Paths.of().data / HOLDS)
    with closing(Dispatcher(channels, failed, holds=holds, held=job.log, taken=delivered)) as made:
        yield made


def channel_faults(failures: Failures) -> tuple[ChannelFault, ...]:
    """Return the channels that failed to deliver the last notification."""
    return tuple(ChannelFault(name, text) for name, text in failures.items())


def _report_progress(job: Job, sample: TargetSample, done: float, total: float) -> None:
    text = f"{sample.health}, {sample.throughput or 0.0:.1f} requests/s"
    # A watch of days is open-ended: its progress bar would not seem to move.
    job.progress(min(done, total), total if total <= _HOUR_S else 0.0, text)


def wait_until(job: Job, until: float) -> None:
    """Sleep in short intervals, so that a cancellation takes effect soon."""
    while (left := until - time.monotonic()) > 0:
        job.check()
        time.sleep(min(left, _CHECK_S))
