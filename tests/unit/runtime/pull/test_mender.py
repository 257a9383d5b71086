"""States of Mender's update module on a board: install, keep, roll back, and what is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.packages import Bundle
from studio.runtime.pull.mender import state
from tests.rigs.pull.mender_board import ModuleBoard, mender_artefact, unpacked
from tests.unit.runtime.pull.test_client import with_another_model

pytestmark = pytest.mark.slow

Lay = Callable[[Bundle], Path]


@pytest.fixture
def make_module(tmp_path: Path) -> Iterator[Callable[..., ModuleBoard]]:
    made: list[ModuleBoard] = []

    def make(**settings: Any) -> ModuleBoard:
        made.append(ModuleBoard(tmp_path / "board", **settings))
        return made[-1]

    yield make
    for one in made:
        one.stop()


@pytest.fixture
def board(make_module: Callable[..., ModuleBoard]) -> ModuleBoard:
    return make_module()


@pytest.fixture
def lay(tmp_path: Path) -> Lay:
    """Lays out the folder that Mender makes of an artefact."""
    trees: list[Path] = []

    def make(bundle: Bundle) -> Path:
        place = tmp_path / f"tree-{len(trees)}"
        trees.append(unpacked(mender_artefact(bundle, place / "artefact"), place / "tree"))
        return trees[-1]

    return make


def test_a_release_is_installed_and_kept(
    board: ModuleBoard, lay: Lay, bundles: list[Bundle]
) -> None:
    tree = lay(bundles[0])
    assert board.call("SupportsRollback", tree).stdout == "Yes\n"
    done = board.call("ArtifactInstall", tree)
    assert done.returncode == 0, done.stderr
    assert "golden samples agree" in done.stdout
    assert f"(release {bundles[0].digest[:12]})" in done.stdout
    assert board.call("NeedsArtifactReboot", tree).stdout == "No\n"
    assert board.call("ArtifactCommit", tree).returncode == 0
    assert board.current == bundles[0].digest
    assert board.running


def test_a_release_that_mender_does_not_keep_gives_way_to_the_one_before(
    board: ModuleBoard, lay: Lay, bundles: list[Bundle]
) -> None:
    board.call("ArtifactInstall", lay(bundles[0]))
    tree = lay(bundles[1])
    board.call("ArtifactInstall", tree)
    assert board.current == bundles[1].digest
    done = board.call("ArtifactRollback", tree)
    assert done.stdout == f"Release {bundles[0].digest[:12]} serves.\n"
    assert board.current == bundles[0].digest
    assert board.running
    assert board.call("ArtifactRollback", tree).returncode == 0
    assert board.current == bundles[0].digest


def test_a_first_release_that_is_not_kept_leaves_nothing_served(
    board: ModuleBoard, lay: Lay, bundles: list[Bundle]
) -> None:
    tree = lay(bundles[0])
    board.call("ArtifactInstall", tree)
    assert board.call("ArtifactRollback", tree).stdout == "No release serves.\n"
    assert board.current == ""
    assert not board.running


def test_a_worse_release_never_serves(
    board: ModuleBoard, lay: Lay, bundles: list[Bundle], tmp_path: Path
) -> None:
    board.call("ArtifactInstall", lay(bundles[0]))
    tree = lay(with_another_model(bundles[1], bundles[0], tmp_path / "bad"))
    done = board.call("ArtifactInstall", tree)
    assert done.returncode == 1
    assert "golden samples differ" in done.stderr
    assert board.call("ArtifactRollback", tree).returncode == 0
    assert board.current == bundles[0].digest
    assert board.running


def test_an_older_release_is_refused(board: ModuleBoard, lay: Lay, bundles: list[Bundle]) -> None:
    board.call("ArtifactInstall", lay(bundles[1]))
    tree = lay(bundles[0])
    done = board.call("ArtifactInstall", tree)
    assert done.returncode == 1
    assert "older than the last release" in done.stderr
    assert board.call("ArtifactRollback", tree).returncode == 0
    assert board.current == bundles[1].digest


def test_a_release_that_has_ended_is_not_kept(
    board: ModuleBoard, lay: Lay, bundles: list[Bundle]
) -> None:
    tree = lay(bundles[0])
    board.call("ArtifactInstall", tree)
    board.stop()
    done = board.call("ArtifactCommit", tree)
    assert done.returncode == 1
    assert "does not serve" in done.stderr


def test_a_board_without_signers_takes_nothing_unsigned(
    make_module: Callable[..., ModuleBoard], lay: Lay, bundles: list[Bundle]
) -> None:
    board = make_module(unsigned=False)
    done = board.call("ArtifactInstall", lay(bundles[0]))
    assert done.returncode == 1
    assert "no allowed signers" in done.stderr
    assert board.current == ""


@pytest.mark.parametrize("name", ["ArtifactFailure", "Cleanup", "", "../x", "--root"])
def test_other_states_do_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert state(tmp_path / "root", name, tmp_path / "files") == 0
    assert capsys.readouterr().out == ""
    assert list(tmp_path.iterdir()) == []


def test_a_rollback_before_an_installation_changes_nothing(
    board: ModuleBoard, lay: Lay, bundles: list[Bundle]
) -> None:
    tree = lay(bundles[0])
    assert board.call("ArtifactRollback", tree).stdout == "No release was installed.\n"
    assert board.call("ArtifactCommit", tree).returncode == 1


def test_a_board_that_is_not_set_up_is_a_sentence(
    board: ModuleBoard, lay: Lay, bundles: list[Bundle], tmp_path: Path
) -> None:
    tree = lay(bundles[0])
    (board.root / "pull" / "settings.json").unlink()
    done = board.call("ArtifactInstall", tree)
    assert done.returncode == 1
    assert f"No pull client is set up in {board.root}." in done.stderr


def test_a_board_whose_releases_come_from_a_server_refuses(
    make_module: Callable[..., ModuleBoard], lay: Lay, bundles: list[Bundle]
) -> None:
    board = make_module()
    settings = board.root / "pull" / "settings.json"
    settings.write_text(
        settings.read_text()
        .replace('"mender"', '"edgewright"')
        .replace('"server": ""', '"server": "https://fleet.example.org"')
    )
    done = board.call("ArtifactInstall", lay(bundles[0]))
    assert done.returncode == 1
    assert "takes releases from edgewright, not from mender" in done.stderr


def test_a_board_that_mender_serves_polls_nothing(board: ModuleBoard) -> None:
    done = board.pull("run", "--once")
    assert done.returncode == 1
    assert "polls no server: mender brings its releases" in done.stderr


def test_the_module_of_a_folder_with_odd_letters_is_one_command(tmp_path: Path) -> None:
    root = tmp_path / "a b; touch x 'y' $(touch z)"
    board = ModuleBoard(root)
    assert board.set_up.returncode == 0, board.set_up.stderr
    assert board.call("SupportsRollback", tmp_path).stdout == "Yes\n"
    assert {one.name for one in tmp_path.iterdir()} == {root.name}
