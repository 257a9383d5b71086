"""The events of finished steps."""

from __future__ import annotations

from typing import Any

import pytest

from studio.jobs import End, JobOutcome
from studio.workspace.hooks.step_events import events_of

TARGET = {"target": {"name": "bench", "url": "ssh://pi@192.0.2.7"}}


def done(**result: Any) -> JobOutcome:
    return JobOutcome(End.SUCCEEDED, result=result)


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        ("deploy", "release.deployed"),
        ("rollback", "release.rolled-back"),
        ("undeploy", "release.undeployed"),
        ("promote", "release.promoted"),
    ],
)
def test_a_success_has_its_type_and_the_brief_facts(step: str, kind: str) -> None:
    (event,) = events_of(step, TARGET, done(release="abc", version=2, steps=[1], packaged={}))
    assert event.kind == kind
    assert event.subject == "bench"
    assert event.data == {"release": "abc", "version": 2}


def test_a_dry_run_has_no_event() -> None:
    assert list(events_of("deploy", {**TARGET, "dry_run": True}, done(release="abc"))) == []


def test_a_trial_ends_with_its_verdict() -> None:
    arguments = {**TARGET, "trial": True}
    kept = list(events_of("deploy", arguments, done(release="abc")))
    lost = list(events_of("deploy", arguments, JobOutcome(End.FAILED, error="TakenBack")))
    failed = list(events_of("deploy", arguments, JobOutcome(End.FAILED, error="TargetError")))
    assert [one.kind for one in kept] == ["release.deployed", "trial.ended"]
    assert kept[1].data["kept"] is True
    assert [one.kind for one in lost] == ["release.rolled-back", "trial.ended"]
    assert lost[1].data["kept"] is False
    assert [one.kind for one in failed] == ["release.failed"]


def test_a_rollout_names_the_state_of_each_target() -> None:
    targets = [{"target": "a", "state": "kept", "text": "x"}, {"target": "b", "state": "failed"}]
    (event,) = events_of("rollout", {"target": []}, done(state="halted", targets=targets))
    assert event.kind == "rollout.ended"
    assert event.data["state"] == "halted"
    assert event.data["targets"] == [
        {"target": "a", "state": "kept"},
        {"target": "b", "state": "failed"},
    ]
