"""Requests with a bundle's golden samples to an endpoint."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import numpy

from studio.api import Array, StudioError, TargetError, TargetSpec
from studio.jobs import Job
from studio.monitoring.endpoint.client import InferenceClient
from studio.monitoring.endpoint.endpoint import reached
from studio.rollouts.results import RequestStats
from studio.runtime.release.trial.golden_check import read_sample


class GoldenRequests:
    """A sender of requests to one target that counts the answers.

    Attributes:
        answers: The last answer to each sample; None if it is missing or unreadable.
    """

    def __init__(
        self, target: TargetSpec, bundle: Path, job: Job, known: Mapping[str, Mapping[str, str]]
    ) -> None:
        self._target = target
        self._samples = _samples(bundle)
        self._job = job
        self._known = known
        self.answers: list[dict[str, Array] | None] = [None] * len(self._samples)

    def send(self, count: int) -> RequestStats:
        """Send a number of requests in sequence, and return their statistics.

        Raises:
            TargetError: when the target has no release.
        """
        seconds: list[float] = []
        errors = 0
        self.answers = [None] * len(self._samples)
        with (
            reached(self._target, self._job, self._known) as link,
            closing(InferenceClient(link)) as client,
        ):
            name = client.model().name
            for number in range(count):
                self._job.check()
                sample = number % len(self._samples)
                began = time.perf_counter()
                try:
                    # Only the first answer to each sample is parsed; the others are only timed.
                    if number < len(self._samples):
                        self.answers[sample] = client.outputs(name, self._samples[sample])
                    else:
                        client.infer(name, self._samples[sample])
                except TargetError:
                    errors += 1
                else:
                    seconds.append(time.perf_counter() - began)
        return _figures(count, errors, seconds)

    def send_if_served(self, count: int) -> RequestStats | None:
        """Send requests; return None if the target has no release, or one with other inputs."""
        try:
            found = self.send(count)
        except StudioError:
            return None
        return found if found.errors < found.requests else None


def _figures(requests: int, errors: int, seconds: list[float]) -> RequestStats:
    if not seconds:
        return RequestStats(requests, errors)
    p50, p99 = numpy.percentile(numpy.asarray(seconds) * 1000, [50, 99])
    return RequestStats(requests, errors, float(p50), float(p99))


def _samples(bundle: Path) -> list[dict[str, Array]]:
    found = []
    for path in sorted((bundle / "golden").glob("*.npz")):
        feeds, _ = read_sample(path)
        found.append(feeds)
    return found
