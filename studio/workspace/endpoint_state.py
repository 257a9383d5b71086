"""The one state of an endpoint, as the Monitor page, the rail and the fleet show it."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from studio.documents.dataclass_json import read_parts
from studio.jobs import Effect, RunningJob
from studio.lazy_dataclass import dataclass
from studio.monitoring.endpoint.results import AccuracyEstimate, DriftState
from studio.monitoring.results import UNREACHABLE, Alert, FleetSample, TargetSample
from studio.registry import ReleaseRecord
from studio.steps.catalogue import steps

GOOD, WARNING, BAD, BUSY, UNKNOWN = "good", "warning", "bad", "accent", ""


class EndpointState(enum.Enum):
    """A state word, the worst first; its value is what people read."""

    UNREACHABLE = "unreachable"
    DEGRADED = "degraded"
    LOW_ACCURACY = "low accuracy"
    DRIFT = "drift"
    DEPLOYING = "deploying"
    NOT_CHECKED = "not checked"
    HEALTHY = "healthy"
    NO_RELEASE = "no release"


RANK = {state: place for place, state in enumerate(EndpointState)}
_TONES = {
    EndpointState.UNREACHABLE: BAD,
    EndpointState.LOW_ACCURACY: WARNING,
    EndpointState.DRIFT: WARNING,
    EndpointState.DEPLOYING: BUSY,
    EndpointState.HEALTHY: GOOD,
}


@dataclass(frozen=True, slots=True)
class EndpointStatus:
    """A state with its tone and its reasons.

    Attributes:
        tone: ``good``, ``warning``, ``bad``, ``accent``, or empty where it is unknown.
        reasons: A sentence for each cause, the deciding one first.
    """

    state: EndpointState = EndpointState.NOT_CHECKED
    tone: str = UNKNOWN
    reasons: tuple[str, ...] = ()

    @property
    def word(self) -> str:
        """The state as people read it."""
        return self.state.value


NO_RELEASE = EndpointStatus(EndpointState.NO_RELEASE)


def status_of(sample: TargetSample | FleetSample, *, deploying: bool = False) -> EndpointStatus:
    """Return the status that a sample shows.

    A deployment explains an endpoint that does not answer or is not ready, so it comes first.

    Args:
        deploying: A job changes the release of the target at the moment.
    """
    if deploying:
        return EndpointStatus(EndpointState.DEPLOYING, BUSY, ("A deployment is in progress.",))
    alerts = sorted(sample.alerts, key=lambda alert: alert.level != "critical")
    texts = [alert.text or f"{alert.name.capitalize()}." for alert in alerts]
    estimate = low_accuracy(sample.drift_state)
    state = _state(sample, alerts, is_low=bool(estimate))
    if state is EndpointState.LOW_ACCURACY and estimate:
        texts.insert(0, estimate)
    if state is EndpointState.DRIFT:
        first = [text for alert, text in zip(alerts, texts, strict=True) if alert.name == "drift"]
        why = sample.drift_state.why if sample.drift_state else ""
        texts = first + [text for text in texts if text not in first] or [why]
    tone = _TONES.get(state, UNKNOWN)
    if state is EndpointState.DEGRADED:
        critical = sample.health != "healthy" or alerts[0].level == "critical"
        tone = BAD if critical else WARNING
    return EndpointStatus(state, tone, tuple(filter(None, texts)))


def _state(
    sample: TargetSample | FleetSample, alerts: Iterable[Alert], *, is_low: bool
) -> EndpointState:
    names = {alert.name for alert in alerts}
    if sample.health == UNREACHABLE:
        return EndpointState.UNREACHABLE
    critical = any(alert.level == "critical" for alert in alerts)
    if sample.health in ("degraded", "not ready") or critical:
        return EndpointState.DEGRADED
    if is_low or "accuracy" in names:
        return EndpointState.LOW_ACCURACY
    if "drift" in names or (sample.drift_state and sample.drift_state.alarm):
        return EndpointState.DRIFT
    if names:
        return EndpointState.DEGRADED
    return EndpointState.HEALTHY if sample.health == "healthy" else EndpointState.NOT_CHECKED


def low_accuracy(drift: DriftState | None) -> str:
    """Return a sentence if the estimated accuracy is below the reference data; else empty."""
    estimate: AccuracyEstimate | None = (drift.estimate or None) if drift else None
    if estimate is None or estimate.reference is None or estimate.high is None:
        return ""
    if estimate.high >= estimate.reference or estimate.accuracy is None:
        return ""
    return (
        f"The estimated accuracy is {estimate.accuracy:.1%}, below the "
        f"{estimate.reference:.1%} of the reference data."
    )


def changing_targets(jobs: Iterable[RunningJob]) -> set[str]:
    """Return the targets whose release a running job changes."""
    found = set()
    for job in jobs:
        if not job.running:
            continue
        asked = read_parts(_TargetChange, job.spec.arguments)
        if asked.target.name and not asked.dry_run and _changes_release(job.spec.step):
            found.add(asked.target.name)
    return found


@dataclass(frozen=True, slots=True)
class _ChangedTarget:
    """The target in the arguments of a job."""

    name: str = ""


@dataclass(frozen=True, slots=True)
class _TargetChange:
    """The arguments that the steps of a deployment share."""

    target: _ChangedTarget = _ChangedTarget()
    dry_run: bool = False


def _changes_release(name: str) -> bool:
    step = steps().get(name)
    is_deployment = step is not None and step.work.startswith("studio.deployment.")
    return is_deployment and step is not None and step.effect is Effect.ACTS


def endpoint_of(model: str, running: Mapping[str, ReleaseRecord]) -> str:
    """Return the target that serves a model; empty where none does."""
    return next((name for name in sorted(running) if running[name].facts.name == model), "")


class EndpointStates:
    """The last status of each endpoint, and the endpoint that the pages show.

    Attributes:
        chosen: The target that Monitor and Try it show; empty before a choice.
    """

    def __init__(self, changed: Callable[[str], None], deploying: Callable[[], set[str]]) -> None:
        self._changed = changed
        self._deploying = deploying
        self._samples: dict[str, TargetSample | FleetSample] = {}
        self._known: dict[str, EndpointStatus] = {}
        self._checked: dict[str, datetime] = {}
        self._model = ""
        self.chosen = ""

    def follow(self, model: str, running: Mapping[str, ReleaseRecord]) -> None:
        """Choose an endpoint of the current model when it is another model than before.

        Args:
            running: The release of each target that serves.
        """
        if model and model != self._model:
            self._model = model
            self.chosen = endpoint_of(model, running) or self.chosen

    def ingest(self, samples: Iterable[TargetSample | FleetSample]) -> None:
        """Apply the newest samples; who listens is called for each changed status."""
        busy = self._deploying()
        for sample in samples:
            self._samples[sample.target] = sample
            self._checked[sample.target] = datetime.now(UTC)
            self._put(sample.target, status_of(sample, deploying=sample.target in busy))

    def refresh(self, serving: Iterable[str]) -> None:
        """Apply what jobs and the registry have changed.

        Args:
            serving: The targets that have a release.
        """
        names, busy = set(serving), self._deploying()
        for name in {*self._known, *names, *busy}:
            sample = self._samples.get(name)
            if name in busy:
                self._put(name, status_of(FleetSample(name), deploying=True))
            elif name not in names:
                self._put(name, NO_RELEASE)
                self._samples.pop(name, None)
            elif sample is None:
                self._put(name, EndpointStatus())
            else:
                self._put(name, status_of(sample))

    @property
    def busy(self) -> set[str]:
        """The targets whose release is being changed."""
        return self._deploying()

    def of(self, target: str) -> EndpointStatus:
        """Return the status of an endpoint; not checked before its first sample."""
        return self._known.get(target, EndpointStatus())

    def checked_at(self, target: str) -> datetime | None:
        """Return when the last sample of an endpoint came; None without one."""
        return self._checked.get(target) if target in self._samples else None

    def worst(self, targets: Iterable[str]) -> EndpointStatus:
        """Return the worst status of some endpoints; no release without any."""
        found = [self.of(name) for name in targets]
        return min(found, key=lambda status: RANK[status.state], default=NO_RELEASE)

    def _put(self, target: str, status: EndpointStatus) -> None:
        before = self._known.get(target)
        self._known[target] = status
        if before is None or replace(before, reasons=()) != replace(status, reasons=()):
            self._changed(target)
