"""The log of a deployment: its steps with their times, its release, and its operator."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from studio.api import TargetSpec
from studio.deployment.bundle_facts import facts_of
from studio.deployment.results import DeployResult, DeployStep, TrialEvidence
from studio.documents.dataclass_json import JsonValue, read_parts, to_json
from studio.jobs import Job
from studio.packages import Bundle
from studio.registry.activity import spelled


@dataclass
class StepRow:
    """A step of a running deployment.

    Attributes:
        state: ``running``, then ``done``, ``skipped`` or ``failed``.
        bytes: Number of bytes sent.
    """

    name: str
    state: str = "running"
    text: str = ""
    seconds: float = 0.0
    bytes: int = 0

    def skip(self, text: str) -> None:
        """Mark the step as skipped, with the reason."""
        self.state, self.text = "skipped", text

    def result(self) -> DeployStep:
        """Return the step as results have it."""
        return DeployStep(self.name, self.state, self.text, round(self.seconds, 4), self.bytes)


class StepLog:
    """The log of a deployment's steps, in order."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self.rows: list[StepRow] = []

    @contextmanager
    def step(self, name: str, text: str = "") -> Iterator[StepRow]:
        """Time a step, and report its begin and its end to the job."""
        row = StepRow(name, text=text)
        self.rows.append(row)
        began = time.monotonic()
        self._publish()
        self._job.progress(0, 0, name.capitalize())  # else the last step's text stays
        try:
            yield row
        except BaseException as error:
            row.state, row.text = "failed", str(error)
            raise
        finally:
            row.seconds = time.monotonic() - began
            if row.state == "running":
                row.state = "done"
            if row.state != "failed":
                self._publish()

    def results(self) -> tuple[DeployStep, ...]:
        """Return all steps as results have them."""
        return tuple(row.result() for row in self.rows)

    def _publish(self) -> None:
        self._job.event("step", steps=to_json(self.results()))


def instant(seconds_ago: float = 0.0) -> str:
    """Return the time a number of seconds ago, as text."""
    return spelled(datetime.now(UTC) - timedelta(seconds=max(0.0, seconds_ago)))


def begun(soak: Mapping[str, JsonValue]) -> str:
    """Return the time at which a release became active, before its trial if it had one.

    A release on trial already answers the clients.
    """
    return instant(read_parts(TrialEvidence, soak).seconds or 0.0)


def release_on(target: TargetSpec, bundle: Bundle, state: str) -> DeployResult:
    """Return a result with the release of a bundle on a target."""
    precision = facts_of(bundle).model.precision or ""
    return DeployResult(target.name, bundle.digest, bundle.version, bundle.name, precision, state)
