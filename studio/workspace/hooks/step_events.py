"""Events of finished steps for the channels of the alert file (``cloudevents``)."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from studio.api import StudioError
from studio.jobs import JobOutcome, RunningJob
from studio.settings import Paths
from studio.settings.secrets import SecretStore
from studio.steps.catalogue import steps
from studio.workspace.alert_file import AlertFile

if TYPE_CHECKING:  # what sends is loaded with the first event
    from studio.monitoring.webhooks.channel import EventChannel
    from studio.monitoring.webhooks.outbox import Delivered

log = logging.getLogger(__name__)

KIND = "cloudevents"
_END_S = 6.0
"""Time for what is being sent when the workspace closes; the rest stays in the outbox."""

_BRIEF = ("target", "release", "version", "name", "state", "endpoint", "by", "at", "reason", "to")
_MOST_TARGETS = 1000


class StepEvent(NamedTuple):
    """An event of a finished step.

    Attributes:
        kind: Its type without the prefix.
    """

    kind: str
    subject: str
    data: Mapping[str, Any]


class EventHooks:
    """The events of this process's jobs, put into outboxes and sent in the background."""

    def __init__(self, paths: Paths, alerts: AlertFile) -> None:
        self._paths = paths
        self._alerts = alerts
        self._threads: list[threading.Thread] = []
        self._jobs: set[str] = set()
        self._changed = threading.Condition()

    def started(self, job: RunningJob) -> None:
        """Remember a job that will have events: its caller may close before they are stored."""
        if _kind(job.spec.step):
            with self._changed:
                self._jobs.add(job.id)

    def finished(self, job: RunningJob) -> None:
        """Put the events of a finished job into the outboxes, and begin to send them."""
        try:
            self._store(job)
        finally:
            with self._changed:
                self._jobs.discard(job.id)
                self._changed.notify_all()

    def _store(self, job: RunningJob) -> None:
        outcome = job.outcome
        if outcome is None or not _kind(job.spec.step):
            return
        events = list(events_of(job.spec.step, job.spec.arguments, outcome))
        channels = self.channels() if events else []
        for channel in channels:
            for number, one in enumerate(events):
                channel.add(one.kind, one.subject, one.data, f"{job.id} {number}")
        if channels:
            self._threads = [one for one in self._threads if one.is_alive()]
            self._threads.append(_started(lambda: [one.deliver() for one in channels]))

    def channels(self) -> list[EventChannel]:
        """Return the channels of this kind; a file that cannot be read has none."""
        if not self._alerts.path.is_file():
            return []
        from studio.monitoring.webhooks.channel import EventChannel

        try:
            plan, _, _ = self._alerts.read()
            data = self._paths.data
            specs = [one for one in plan.channels if one.kind == KIND]
            return [EventChannel(one.name, one.options, data, self._secret) for one in specs]
        except StudioError as error:
            log.error("events are not sent: %s", error)
            return []

    def send(self) -> dict[str, Delivered]:
        """Send all that waits, and return what came of it by channel."""
        return {one.name: one.deliver(now=True) for one in self.channels()}

    def close(self) -> None:
        """Wait for a short time for what is being sent."""
        with self._changed:
            self._changed.wait_for(lambda: not self._jobs, _END_S)
        for thread in self._threads:
            thread.join(_END_S)

    def _secret(self, name: str) -> str:
        return (os.environ.get(name) or SecretStore(self._paths).get(name)) if name else ""


def _kind(step: str) -> str:
    """Return the kind of the event of a step; empty for one without, or for other work."""
    found = steps().get(step)
    return found.event if found is not None else ""


def events_of(step: str, arguments: Mapping[str, Any], outcome: JobOutcome) -> Iterator[StepEvent]:
    """Yield the events of a finished step; a dry run has none."""
    if arguments.get("dry_run"):
        return
    document = outcome.document if outcome.ok else {}
    target = arguments.get("target")
    subject = str(target.get("name") or "") if isinstance(target, dict) else ""
    found: dict[str, Any] = {k: document[k] for k in _BRIEF if document.get(k) is not None}
    if step == "rollout":
        found["targets"] = [
            {"target": one.get("target"), "state": one.get("state")}
            for one in document.get("targets", ())[:_MOST_TARGETS]
        ]
    if outcome.ok:
        yield StepEvent(_kind(step), subject, found)
    elif outcome.error == "TakenBack":
        yield StepEvent("release.rolled-back", subject, {"reason": outcome.sentence})
    else:
        yield StepEvent("release.failed", subject, {"step": step, "reason": outcome.sentence})
    judged = outcome.ok or outcome.error == "TakenBack"
    if step == "deploy" and arguments.get("trial") and judged:
        yield StepEvent("trial.ended", subject, {**found, "kept": outcome.ok})


def _started(call: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=call, name="events", daemon=True)
    thread.start()
    return thread
