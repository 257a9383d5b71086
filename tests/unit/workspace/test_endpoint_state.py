"""The one state of an endpoint."""

from __future__ import annotations

from typing import Any

import pytest

from studio.monitoring.endpoint.results import AccuracyEstimate, DriftState
from studio.monitoring.fleet_work import brief
from studio.monitoring.results import Alert, FleetSample, TargetSample
from studio.workspace.endpoint_state import (
    RANK,
    EndpointState,
    EndpointStates,
    changing_targets,
    status_of,
)

DRIFT = Alert("drift", "warning", "image.brightness differs.")
SLOW = Alert("latency", "warning", "The p99 latency is 90 ms.")
FAILING = Alert("errors", "critical", "2 of 31 requests failed.")
LOW = DriftState(estimate=AccuracyEstimate(0.81, 0.79, 0.84, 500, 0.95))
FINE = DriftState(estimate=AccuracyEstimate(0.94, 0.92, 0.96, 500, 0.95))


@pytest.mark.parametrize(
    ("health", "alerts", "drift", "word", "tone", "reason"),
    [
        ("healthy", (), None, "healthy", "good", ""),
        ("healthy", (), FINE, "healthy", "good", ""),
        ("healthy", (DRIFT,), None, "drift", "warning", DRIFT.text),
        ("healthy", (SLOW, DRIFT), None, "drift", "warning", DRIFT.text),
        ("healthy", (), DriftState(alarm=True, why="It differs."), "drift", "warning",
         "It differs."),
        ("healthy", (DRIFT,), LOW, "low accuracy", "warning",
         "The estimated accuracy is 81.0%, below the 95.0% of the reference data."),
        ("healthy", (SLOW,), None, "degraded", "warning", SLOW.text),
        ("degraded", (SLOW, FAILING), LOW, "degraded", "bad", FAILING.text),
        ("healthy", (FAILING,), None, "degraded", "bad", FAILING.text),
        ("not ready", (), None, "degraded", "bad", ""),
        ("unreachable", (DRIFT,), LOW, "unreachable", "bad", DRIFT.text),
        ("unknown", (), None, "not checked", "", ""),
    ],
)  # fmt: skip
def test_a_sample_has_one_state_and_the_reason_that_decides(
    health: str, alerts: tuple[Alert, ...], drift: DriftState | None,
    word: str, tone: str, reason: str,
) -> None:  # fmt: skip
    sample = TargetSample("roof", health=health, alerts=alerts, drift_state=drift)
    status = status_of(sample)
    assert (status.word, status.tone) == (word, tone)
    assert (status.reasons or ("",))[0] == reason
    assert status_of(brief(sample)) == status, "the fleet says the same"


def test_a_deployment_explains_an_endpoint_that_does_not_answer() -> None:
    sample = FleetSample("roof", health="unreachable")
    assert status_of(sample, deploying=True).state is EndpointState.DEPLOYING


def test_the_worst_state_comes_first() -> None:
    assert list(RANK) == list(EndpointState)
    assert RANK[EndpointState.UNREACHABLE] < RANK[EndpointState.DRIFT] < RANK[EndpointState.HEALTHY]


def states(busy: set[str]) -> tuple[EndpointStates, list[str]]:
    changed: list[str] = []
    return EndpointStates(changed.append, lambda: busy), changed


def test_a_change_is_told_once() -> None:
    known, changed = states(set())
    for _ in range(3):
        known.ingest([FleetSample("roof", health="healthy")])
    assert changed == ["roof"]
    known.ingest([FleetSample("roof", health="healthy", alerts=(DRIFT,))])
    assert changed == ["roof", "roof"]
    assert known.worst(["roof", "hall"]).word == "drift"
    assert known.worst([]).word == "no release"


def test_jobs_and_the_registry_change_a_state_without_a_sample() -> None:
    busy: set[str] = set()
    known, changed = states(busy)
    known.refresh(["roof"])
    assert known.of("roof").word == "not checked"
    known.ingest([FleetSample("roof", health="healthy")])
    busy.add("roof")
    known.refresh(["roof"])
    assert known.of("roof").word == "deploying"
    busy.clear()
    known.refresh(["roof"])
    assert known.of("roof").word == "healthy"
    known.refresh([])
    assert known.of("roof").word == "no release"
    known.refresh(["roof"])
    assert known.of("roof").word == "not checked", "a new release was not seen yet"
    assert len(changed) == 6


def test_only_what_changes_a_release_makes_a_target_busy() -> None:
    def job(step: str, running: bool = True, **arguments: Any) -> Any:
        spec = type("Spec", (), {"step": step, "arguments": arguments})()
        return type("Job", (), {"spec": spec, "running": running})()

    found = changing_targets([
        job("deploy", target={"name": "roof", "url": "ssh://roof"}),
        job("rollback", target={"name": "hall"}),
        job("deploy", target={"name": "plan"}, dry_run=True),
        job("monitor-live", target={"name": "seen"}),
        job("deploy", running=False, target={"name": "done"}),
    ])  # fmt: skip
    assert found == {"roof", "hall"}
