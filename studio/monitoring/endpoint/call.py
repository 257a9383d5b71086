"""Requests to a deployed model, and statistics of their answers."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy

from studio.api import Feeds, StudioError, TargetError
from studio.datasets import open_dataset
from studio.datasets.suffixes import PREPROCESS
from studio.jobs import Job
from studio.monitoring.endpoint.call_step import CallOptions
from studio.monitoring.endpoint.client import InferenceClient, ServedModel, random_feeds
from studio.monitoring.endpoint.endpoint import Link, reached
from studio.monitoring.endpoint.results import CallResult, Percentiles
from studio.monitoring.endpoint.snippet_work import print_call
from studio.monitoring.released_bundles import KnownBundles
from studio.settings.project_preprocess import ProjectPreprocess

_HOPELESS = 5
"""Number of failures without an answer after which the call gives up."""

_MOST_SAMPLES = 256
"""Number of samples kept in memory and sent in rotation."""


@dataclass(slots=True)
class Tally:
    """Counters of all connections so far.

    Attributes:
        seconds: Time of each answered request.
        failures: Number of failures by message.
    """

    seconds: list[float] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)

    @property
    def done(self) -> int:
        """Number of finished requests."""
        return len(self.seconds) + self.failures.total()


def call(options: CallOptions, job: Job) -> CallResult:
    """Send the requests, as a step's work in a worker.

    Raises:
        TargetError: when no request is answered.
    """
    if options.print:
        return print_call(options, options.print, job)
    with reached(options.target, job, options.known) as endpoint:
        return _call(endpoint, options, job)


def _call(endpoint: Link, options: CallOptions, job: Job) -> CallResult:
    with closing(InferenceClient(endpoint)) as client:
        model = client.model()
    ProjectPreprocess.path = ProjectPreprocess.path or _released_preprocess(options.known)
    feeds = _feeds(options.data, model)
    tally = Tally()
    began = time.monotonic()
    _send_all(endpoint, model.name, feeds, options, tally, job)
    seconds = time.monotonic() - began
    if not tally.seconds:
        raise TargetError(f"All requests failed: {next(iter(tally.failures))}")
    return CallResult(
        target=options.target.name,
        model=model.name,
        version=model.version,
        requests=options.requests,
        answered=len(tally.seconds),
        failed=tally.failures.total(),
        failures=dict(tally.failures),
        seconds=seconds,
        latency_ms=percentiles(tally.seconds),
    )


def _released_preprocess(known: KnownBundles) -> Path | None:
    """Return the preprocessing of the newest release, for pictures without one of their own."""
    bundles = (Path(place) for one in known.values() for place in one.values() if place)
    return next((one / PREPROCESS for one in bundles if (one / PREPROCESS).is_file()), None)


def _feeds(data: Path | None, model: ServedModel) -> Sequence[Feeds]:
    if data is None:
        return [random_feeds(model.inputs)]
    dataset = open_dataset(data, model.inputs, _MOST_SAMPLES)
    return [sample.feeds for sample in dataset]


def _send_all(
    endpoint: Link,
    name: str,
    feeds: Sequence[Feeds],
    options: CallOptions,
    tally: Tally,
    job: Job,
) -> None:
    total = options.requests
    numbers = iter(range(total))
    lock = threading.Lock()
    stop = threading.Event()

    def turns() -> Iterator[Feeds]:
        while not stop.is_set():
            if not tally.seconds and tally.failures.total() >= _HOPELESS:
                return  # give up on a server that answers nothing
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            yield feeds[number % len(feeds)]

    threads = [
        threading.Thread(target=_send, args=(endpoint, name, turns(), tally, lock))
        for _ in range(options.connections)
    ]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            while thread.is_alive():
                job.progress(tally.done, total, f"{tally.done} of {total} requests")
                thread.join(0.1)
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _send(
    endpoint: Link, name: str, turns: Iterator[Feeds], tally: Tally, lock: threading.Lock
) -> None:
    with closing(InferenceClient(endpoint)) as client:
        for feeds in turns:
            began = time.perf_counter()
            try:
                client.infer(name, feeds)
            except StudioError as error:
                with lock:
                    tally.failures[error.message] += 1
                continue
            with lock:
                tally.seconds.append(time.perf_counter() - began)


def percentiles(seconds: Sequence[float]) -> Percentiles:
    """Return the percentiles of times, in milliseconds."""
    if not seconds:
        return Percentiles()
    return Percentiles(*map(float, numpy.percentile(numpy.asarray(seconds) * 1000, [50, 90, 99])))
