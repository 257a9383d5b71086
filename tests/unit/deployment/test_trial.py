"""How long a release is watched: what was given counts, a second too; what was not is the usual."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.api import validate
from studio.deployment.options import TrialOptions
from studio.deployment.step import DEPLOY
from studio.deployment.trial import TRIAL_S, USUAL_S, soak_rule, trial_s
from studio.rollouts.step import ROLLOUT
from studio.steps.replay import pipeline_of
from studio.workspace import Workspace
from tests.unit.runtime.models import make_cnn_versions

_NAMES = ("soak_s", "trial", "trial_rule")


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({}, USUAL_S),
        ({"trial": True}, TRIAL_S),
        ({"trial_rule": ["errors=0.1"]}, TRIAL_S),
        ({"trial": True, "soak_s": "1"}, 1.0),
        ({"trial": True, "soak_s": 300}, 300.0),
        ({"trial": True, "soak_s": 0}, 0.0),
        ({"soak_s": 1}, 1.0),
        ({"soak_s": 0}, 0.0),
        ({"soak_s": 20}, 20.0),
    ],
)
def test_what_is_given_counts(given: dict[str, object], wanted: float) -> None:
    options = TrialOptions(**{name: validate(DEPLOY.form, given)[name] for name in _NAMES})
    assert trial_s(options.soak_s, soak_rule(options)) == wanted


def test_a_rollouts_trial_may_last_a_second() -> None:
    assert validate(ROLLOUT.form, {"trial_s": 1})["trial_s"] == 1.0
    assert validate(ROLLOUT.form, {})["trial_s"] == TRIAL_S


@pytest.fixture
def workspace(studio_home: Path) -> Iterator[Workspace]:
    with Workspace.open() as opened:
        yield opened
        opened.run("undeploy", target="local", purge=True)


@pytest.mark.slow
def test_a_trial_of_a_second_is_over_after_a_second(workspace: Workspace, tmp_path: Path) -> None:
    """Nobody asks meanwhile, so the time alone ends it."""
    first, second = map(str, make_cnn_versions(tmp_path))
    assert workspace.run("deploy", model=first, soak_s=0).ok
    done = workspace.run("deploy", model=second, trial=True, soak_s=1)
    assert done.ok, done.sentence
    soak = done.result.soak
    assert soak["decision"] == "kept undecided"
    assert 1.0 <= soak["seconds"] < 30.0
    # Told as a pipeline, the second is said: without it a trial would last 300.
    action = workspace.registry.ledger.actions()[0]
    assert action.step == "deploy"
    assert "soak_s = 1" in pipeline_of(workspace.registry, action)


@pytest.mark.slow
def test_a_worse_release_is_rolled_back_by_golden_samples_alone(
    workspace: Workspace, tmp_path: Path
) -> None:
    first, second = map(str, make_cnn_versions(tmp_path))
    assert workspace.run("deploy", model=first, soak_s=0).ok
    planned = workspace.run("deploy", model=second, trial=True, dry_run=True)
    (row,) = (one for one in planned.result.steps if one.name == "trial")
    assert row.state == "warning"
    assert "8 golden samples" in row.text
    alone = ["requests=clients"]
    done = workspace.run("deploy", model=second, trial=True, trial_rule=alone, soak_s=3)
    assert done.ok
    assert done.result.soak["tests"][1]["of"] == 0
    assert workspace.run("rollback", target="local").ok
    ended = workspace.run("deploy", model=second, trial=True, soak_s=120)
    assert not ended.ok
    assert "of them golden samples" in ended.sentence
