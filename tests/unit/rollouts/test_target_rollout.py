"""What is asked of a target of a rollout: as much as its kind can do, and the row says the rest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from studio.api import TargetSpec
from studio.deployment.options import DeployOptions, TrialOptions
from studio.deployment.results import DeployResult, ReleasesResult
from studio.rollouts import target_rollout as members
from studio.rollouts.results import KEPT, RequestStats, TargetRow
from studio.rollouts.rule import RolloutRule
from studio.rollouts.target_rollout import TargetRollout
from tests.rigs.bundles import QuietJob, make_bundle

RULE = RolloutRule(max_error_rate=0.05, max_latency_ratio=1.5, least_requests=20)
OPTIONS = DeployOptions(keep_samples=5, samples_mb=8.0, shadow_cpu=2.0)
TRIAL = TrialOptions(trial=True, soak_s=1.0, trial_rule=())


class Seen:
    """Stands in for the steps on the target; notes what a deploy was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked = DeployOptions()
        monkeypatch.setattr(members, "deploy_noted", self.deploy)
        monkeypatch.setattr(members, "releases", lambda *_: ReleasesResult("there", ""))
        monkeypatch.setattr(members.GoldenRequests, "send", lambda *_: RequestStats(50, 0, 1.0))

    def deploy(self, options: DeployOptions, job: object) -> DeployResult:
        self.asked = options
        return DeployResult("there", "d", 1, "cnn", "fp32", "serving", soak={})


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Seen:
    return Seen(monkeypatch)


def released(folder: Path, url: str, **options: Any) -> TargetRow:
    row = TargetRow("there", 1)
    target, bundle = TargetSpec("there", url), make_bundle(folder / "bundle", 1)
    job = QuietJob(folder / "job")
    member = TargetRollout(target, row, bundle, job, {}, lambda _: None, **options)  # type: ignore[arg-type]
    member.release(RULE, 5.0)
    return member.row


def test_a_machine_keeps_and_compares_beside_a_trial(seen: Seen, tmp_path: Path) -> None:
    row = released(tmp_path, "local:", trial=TRIAL, options=OPTIONS)
    assert row.state == KEPT
    asked = seen.asked
    assert (asked.trial, asked.soak_s, asked.trial_rule) == (True, 1.0, ())
    assert (asked.keep_samples, asked.samples_mb, asked.shadow_cpu) == (5, 8.0, 2.0)
    assert "cannot keep" not in row.text


def test_a_platform_is_not_asked_and_says_why(seen: Seen, tmp_path: Path) -> None:
    row = released(tmp_path, "kubernetes:lab/there", options=OPTIONS)
    assert row.state == KEPT
    assert (seen.asked.keep_samples, seen.asked.shadow_cpu) == (0, 0)
    assert "; no shadow comparison: there runs each release in a separate server" in row.text
    assert "there cannot keep requests: only boards over SSH" in row.text


def test_a_container_engine_compares_and_keeps_nothing(seen: Seen, tmp_path: Path) -> None:
    row = released(tmp_path, "docker://", options=OPTIONS)
    assert seen.asked.keep_samples == 0
    assert seen.asked.shadow_cpu == OPTIONS.shadow_cpu
    assert "; there cannot keep requests" in row.text


def test_without_a_wish_nothing_is_asked_and_nothing_waited_for(seen: Seen, tmp_path: Path) -> None:
    released(tmp_path, "local:")
    assert (seen.asked.keep_samples, seen.asked.shadow_cpu) == (0, 0.0)
    assert seen.asked.soak_s == 0.0
