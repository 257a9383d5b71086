"""Rollouts over several targets of this computer, each with a real server of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.api import TargetSpec, UsageError
from studio.workspace import Workspace
from tests.unit.runtime.models import make_cnn, make_cnn_versions

pytestmark = pytest.mark.slow

NAMES = ["one", "two", "three"]


@pytest.fixture
def workspace(studio_home: Path, tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.open() as opened:
        for name in NAMES:
            root = str(tmp_path / "roots" / name)
            opened.add_target(TargetSpec(name, "local:", "", {"root": root}))
        yield opened
        for name in NAMES:
            opened.run("undeploy", target=name, purge=True)


def roll_out(workspace: Workspace, model: Path, **options: Any) -> dict[str, Any]:
    outcome = workspace.run(
        "rollout", model=str(model), target=NAMES, requests=10, soak_s=2, **options
    )
    assert outcome.ok, outcome.sentence
    return outcome.document


def served(workspace: Workspace) -> list[str]:
    """The release that each target says it serves."""
    return [str(workspace.run("releases", target=name).result.current) for name in NAMES]


def states(result: dict[str, Any]) -> list[str]:
    return [row["state"] for row in result["targets"]]


def test_waves_halt_and_go_on(workspace: Workspace, tmp_path: Path) -> None:
    first, second = make_cnn_versions(tmp_path)
    result = roll_out(workspace, first, strategy="waves", first_wave=1, wave_size=1)
    old = result["release"]
    assert (result["state"], states(result)) == ("done", ["kept"] * 3)
    assert [row["wave"] for row in result["targets"]] == [1, 2, 3]
    assert served(workspace) == [old] * 3

    # The second target cannot be deployed to: what came before it stays, the rest never begins.
    workspace.add_target(TargetSpec("two", "local:", "", {"root": "/proc/no/such/folder"}))
    result = roll_out(workspace, second, strategy="waves", wave_size=1)
    assert (result["state"], states(result)) == ("halted", ["kept", "failed", "not begun"])
    assert "halted after 1" in result["targets"][2]["text"]
    workspace.add_target(TargetSpec("two", "local:", "", {"root": str(tmp_path / "roots" / "two")}))
    assert served(workspace) == [result["release"], old, old]

    # Repeated, it goes on where it stopped; nothing is switched where it serves already.
    result = roll_out(workspace, second, strategy="waves", wave_size=1)
    assert (result["state"], states(result)) == ("done", ["kept"] * 3)
    assert served(workspace) == [result["release"]] * 3
    assert workspace.registry.releases("three")[0].state == "serving"


def test_a_halted_rollout_takes_all_back(workspace: Workspace, tmp_path: Path) -> None:
    first, second = make_cnn_versions(tmp_path)
    old = roll_out(workspace, first, strategy="all")["release"]
    workspace.add_target(TargetSpec("three", "local:", "", {"root": "/proc/no/such/folder"}))
    result = roll_out(workspace, second, strategy="all", rollback_on_halt=True)
    assert (result["state"], states(result)) == ("halted", ["taken back", "taken back", "failed"])
    workspace.add_target(
        TargetSpec("three", "local:", "", {"root": str(tmp_path / "roots" / "three")})
    )
    assert served(workspace) == [old] * 3
    assert workspace.registry.releases("one")[0].state == "serving"
    assert workspace.registry.releases("one")[1].state == "rolled back"


def test_a_trial_in_the_first_wave_is_told_of_it_alone(
    workspace: Workspace, tmp_path: Path
) -> None:
    first, second = make_cnn_versions(tmp_path)
    roll_out(workspace, first, strategy="all")
    rule = ["judge=errors", "undecided=keep"]
    result = roll_out(
        workspace, second, strategy="canary", trial="canary", trial_s=1, trial_rule=rule
    )
    assert states(result) == ["kept"] * 3
    canary, *others = result["targets"]
    assert 1.0 <= canary["trial"]["seconds"] < 30.0  # a second is a second
    assert canary["trial"]["decision"] == "kept undecided"  # nobody asked meanwhile
    assert "; trial: kept undecided after " in canary["text"]
    assert [one["trial"] for one in others] == [{}, {}]


def test_a_trial_that_is_lost_is_taken_back_and_halts(workspace: Workspace, tmp_path: Path) -> None:
    first, second = make_cnn_versions(tmp_path)
    old = roll_out(workspace, first, strategy="all")["release"]
    # Golden samples would be compared as well, and decide it where two seconds are enough.
    rule = ["undecided=take back", "requests=clients"]
    result = roll_out(workspace, second, trial="canary", trial_s=2, trial_rule=rule)
    assert (result["state"], states(result)) == ("halted", ["taken back"] + ["not begun"] * 2)
    row = result["targets"][0]
    assert row["trial"]["decision"] == "taken back"
    assert "inconclusive after" in row["text"]
    assert served(workspace) == [old] * 3
    failed, before = workspace.registry.releases("one")[:2]
    assert (failed.state, failed.digest) == ("failed", result["release"])
    assert (before.state, before.digest) == ("serving", old)
    then, now = (
        workspace.versions.at(at, "one").targets[0].served for at in (failed.created, "now")
    )
    assert then is not None
    assert now is not None
    assert (then.release, then.on_trial) == (result["release"], True)
    assert (now.release, now.on_trial) == (old, False)


def test_a_rule_without_a_trial_or_of_no_known_name_changes_nothing(
    workspace: Workspace, tmp_path: Path
) -> None:
    model = str(make_cnn(tmp_path / "1.onnx", seed=1))
    wrong: tuple[tuple[dict[str, Any], str], ...] = (
        ({"trial_rule": ["errors=1"]}, "A trial's rule needs a trial."),
        ({"trial": "each", "trial_rule": ["disagrement=1"]}, "disagrement"),
        ({"trial": "some"}, "Trial must be one of none, canary, each, not 'some'"),
    )
    for options, said in wrong:
        with pytest.raises(UsageError, match=said):
            workspace.run("rollout", model=model, target=NAMES, **options)
    assert workspace.registry.releases("one") == []


def test_each_target_keeps_and_compares_what_was_allowed(
    workspace: Workspace, tmp_path: Path
) -> None:
    """Also those that a rollout reaches only when it is resumed; the next one ends it again."""
    first, second = make_cnn_versions(tmp_path)
    old = roll_out(workspace, first, strategy="all")["release"]
    workspace.add_target(TargetSpec("two", "local:", "", {"root": "/proc/no/such/folder"}))
    allowed = {"keep_samples": 6, "samples_mb": 3, "shadow_cpu": 4}
    result = roll_out(workspace, second, strategy="waves", wave_size=1, **allowed)
    assert states(result) == ["kept", "failed", "not begun"]
    workspace.add_target(TargetSpec("two", "local:", "", {"root": str(tmp_path / "roots" / "two")}))
    outcome = workspace.run("rollout", resume="last")
    assert states(outcome.document) == ["kept"] * 3, outcome.sentence
    new = result["release"]
    for name in NAMES:
        run = tmp_path / "roots" / name / "run"
        kept = json.loads((run / "sampling.json").read_text())
        assert kept == {"of": new, "most": 6, "room": 3_000_000}
        compared = json.loads((run / "mirror.json").read_text())
        assert (compared["of"], compared["release"], compared["share"]) == (new, old, 0.04)
    roll_out(workspace, second, strategy="all")
    for name in NAMES:
        run = tmp_path / "roots" / name / "run"
        assert not (run / "sampling.json").exists()
        assert not (run / "mirror.json").exists()
