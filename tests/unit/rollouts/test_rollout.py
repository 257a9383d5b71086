"""Rollouts over several targets of this computer, each with a real server of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.api import TargetSpec
from studio.workspace import Workspace
from tests.unit.runtime.models import make_cnn

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
    return dict(outcome.result)


def served(workspace: Workspace) -> list[str]:
    """The release that each target says it serves."""
    return [str(workspace.run("releases", target=name).result["current"]) for name in NAMES]


def states(result: dict[str, Any]) -> list[str]:
    return [row["state"] for row in result["targets"]]


def test_waves_halt_and_go_on(workspace: Workspace, tmp_path: Path) -> None:
    first, second = (make_cnn(tmp_path / f"{seed}.onnx", seed=seed) for seed in (1, 2))
    result = roll_out(workspace, first, strategy="waves", first=1, size=1)
    old = result["release"]
    assert (result["state"], states(result)) == ("done", ["kept"] * 3)
    assert [row["wave"] for row in result["targets"]] == [1, 2, 3]
    assert served(workspace) == [old] * 3

    # The second target cannot be deployed to: what came before it stays, the rest never begins.
    workspace.add_target(TargetSpec("two", "local:", "", {"root": "/proc/no/such/folder"}))
    result = roll_out(workspace, second, strategy="waves", size=1)
    assert (result["state"], states(result)) == ("halted", ["kept", "failed", "not begun"])
    assert "halted after 1" in result["targets"][2]["text"]
    workspace.add_target(TargetSpec("two", "local:", "", {"root": str(tmp_path / "roots" / "two")}))
    assert served(workspace) == [result["release"], old, old]

    # Repeated, it goes on where it stopped; nothing is switched where it serves already.
    result = roll_out(workspace, second, strategy="waves", size=1)
    assert (result["state"], states(result)) == ("done", ["kept"] * 3)
    assert served(workspace) == [result["release"]] * 3
    assert workspace.registry.releases("three")[0].state == "serving"


def test_a_halted_rollout_takes_all_back(workspace: Workspace, tmp_path: Path) -> None:
    first, second = (make_cnn(tmp_path / f"{seed}.onnx", seed=seed) for seed in (1, 2))
    old = roll_out(workspace, first, strategy="all")["release"]
    workspace.add_target(TargetSpec("three", "local:", "", {"root": "/proc/no/such/folder"}))
    result = roll_out(workspace, second, strategy="all", undo=True)
    assert (result["state"], states(result)) == ("halted", ["taken back", "taken back", "failed"])
    workspace.add_target(
        TargetSpec("three", "local:", "", {"root": str(tmp_path / "roots" / "three")})
    )
    assert served(workspace) == [old] * 3
    assert workspace.registry.releases("one")[0].state == "serving"
    assert workspace.registry.releases("one")[1].state == "rolled back"
