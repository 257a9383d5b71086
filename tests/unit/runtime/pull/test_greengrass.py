"""Phases of a Greengrass component on a board, by the scripts of its recipe."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.packages import Bundle
from tests.rigs.pull.component_board import Component, ComponentBoard
from tests.unit.runtime.pull.test_client import with_another_model
from tests.unit.runtime.release.machine import Machine

pytestmark = pytest.mark.slow

Make = Callable[..., Component]


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """A machine for its application alone."""
    return Machine(tmp_path_factory.mktemp("machine"))


@pytest.fixture
def board(tmp_path: Path, runtime: Machine) -> Iterator[ComponentBoard]:
    found = ComponentBoard(tmp_path / "board", runtime)
    yield found
    found.end()


@pytest.fixture
def make(tmp_path: Path, runtime: Machine) -> Make:
    """Makes components of bundles."""
    made: list[Component] = []

    def component(bundle: Bundle, **options: Any) -> Component:
        folder = tmp_path / f"component-{len(made)}"
        made.append(Component(bundle, runtime.runtime, folder, tmp_path / "board", **options))
        return made[-1]

    return component


def test_a_component_lives_and_ends(
    board: ComponentBoard, make: Make, bundles: list[Bundle]
) -> None:
    one = make(bundles[0])
    done = board.phase(one, "Install")
    assert done.returncode == 0, done.stderr
    assert "golden samples agree" in done.stdout
    settings = json.loads((board.root / "pull" / "settings.json").read_text())
    assert (settings["id"], settings["client"]) == ("thing:7", "greengrass")
    running = board.start(one)
    assert board.status["current"] == bundles[0].digest
    running.send_signal(signal.SIGTERM)
    assert running.wait(60) == 0
    assert board.phase(one, "Shutdown").returncode == 0
    assert not board.status["running"]
    assert board.phase(one, "Recover").returncode == 0
    assert board.status["running"]
    assert board.phase(one, "Install").returncode == 0  # after a restart of the board


def test_a_server_that_ends_is_a_failure_of_the_component(
    board: ComponentBoard, make: Make, bundles: list[Bundle]
) -> None:
    one = make(bundles[0])
    board.phase(one, "Install")
    running = board.start(one)
    Machine(board.root, runtime=board.machine.runtime).ok("stop", seconds=2.0)
    assert running.wait(120) == 1
    assert "The server has ended." in running.communicate()[1]


def test_a_worse_and_an_older_component_are_refused(
    board: ComponentBoard, make: Make, bundles: list[Bundle], tmp_path: Path
) -> None:
    board.phase(make(bundles[0]), "Install")
    worse = board.phase(make(with_another_model(bundles[1], bundles[0], tmp_path / "b")), "Install")
    assert worse.returncode == 1
    assert "golden samples differ" in worse.stderr
    assert board.status["current"] == bundles[0].digest
    assert board.phase(make(bundles[1]), "Install").returncode == 0
    older = board.phase(make(bundles[0]), "Install")
    assert older.returncode == 1
    assert "older than the last release" in older.stderr
    assert board.status["current"] == bundles[1].digest


def test_a_component_changes_no_settings_of_a_board(
    board: ComponentBoard, make: Make, bundles: list[Bundle]
) -> None:
    refused = board.phase(make(bundles[0], unsigned=False), "Install")
    assert refused.returncode == 1
    assert "no allowed signers" in refused.stderr
    again = board.phase(make(bundles[0], unsigned=True), "Install")
    assert again.returncode == 1
    assert "no allowed signers" in again.stderr


def test_an_artefact_with_another_release_is_refused(
    board: ComponentBoard, make: Make, bundles: list[Bundle]
) -> None:
    one, other = make(bundles[0]), make(bundles[1])
    (one.folder / "release").rename(one.folder / "before")
    (other.folder / "release").rename(one.folder / "release")
    done = board.phase(one, "Install")
    assert done.returncode == 1
    assert "another release than the component names" in done.stderr
    assert not (board.root / "pull").exists()


def test_settings_that_lead_elsewhere_or_never_end_are_refused(
    board: ComponentBoard, make: Make, bundles: list[Bundle], tmp_path: Path
) -> None:
    one = make(bundles[0])
    place = one.folder / "settings.json"
    place.rename(tmp_path / "elsewhere.json")
    place.symlink_to(tmp_path / "elsewhere.json")
    assert "settings.json cannot be read" in board.phase(one, "Install").stderr
    place.unlink()
    os.mkfifo(place)
    assert "settings.json is no file" in board.phase(one, "Install").stderr
    assert not (board.root / "pull").exists()
