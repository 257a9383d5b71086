"""A protected board, met under other names and by other studios, over real SSH."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from studio.api import TargetSpec
from studio.registry.registry import Registry
from studio.targets.protection import MARK
from tests.e2e.conftest import Studio
from tests.rigs.boards import Board, network, require_boards, shown

pytestmark = [pytest.mark.rig, pytest.mark.slow]
LABEL = {"approval": "required"}


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    require_boards()
    with network() as made, Board(made, tmp_path_factory.mktemp("board") / "b") as one:
        yield one


@pytest.fixture
def studio_of(tmp_path: Path, board: Board) -> Iterator[Callable[[str], Studio]]:
    """A studio whose ssh_config has another name for the board, and which trusts its key."""

    def call(name: str) -> Studio:
        studio = Studio(tmp_path / name)
        ssh = studio.user / ".ssh"
        ssh.mkdir(mode=0o700)
        host = f"Host door\n  HostName {board.address}\n  User root\n"
        (ssh / "config").write_text(host)
        (ssh / "known_hosts").write_text(f"{board.address},door {board.host_key}\n")
        return studio

    yield call
    (board.home / MARK).unlink(missing_ok=True)


def add(studio: Studio, board: Board, name: str, url: str = "") -> None:
    """Add the board under a name."""
    key = ("--key-file", board.key_file, "--accept-host-key", shown(board.host_key))
    studio.ok("target", "add", name, url or board.url, *key)


def labels(studio: Studio, name: str) -> dict[str, str]:
    """The labels of a target."""
    [row] = studio.ok("target", "label", name)
    return dict(row["labels"])


@pytest.fixture
def ours(studio_of: Callable[[str], Studio], board: Board) -> Studio:
    """The studio that protects the board."""
    ours = studio_of("ours")
    add(ours, board, "cam")
    ours.ok("target", "label", "cam", "approval=required")
    assert (board.home / MARK).exists()
    return ours


def test_an_alias_of_ssh_config_gets_the_label_when_it_is_added(ours: Studio, board: Board) -> None:
    (board.home / MARK).unlink()  # its host key and address are enough
    add(ours, board, "again", "ssh://door")
    assert labels(ours, "again") == LABEL


@pytest.mark.parametrize("marked", [True, False])
def test_an_alias_that_was_never_connected_to_is_refused_at_the_change(
    ours: Studio, board: Board, marked: bool
) -> None:
    """By the mark of the board, or by its host key and address alone."""
    key = {"key_file": str(board.key_file), "root": "/tmp/other"}
    folder = ours.home / "edgewright" / "data" / "registry"
    with closing(Registry.open(folder)) as registry:
        registry.add_target(TargetSpec("again", "ssh://door", "", key))
    if not marked:
        (board.home / MARK).unlink()
    ended = ours.run("undeploy", "--target", "again")
    assert ended.code == 4
    assert "again is a protected board: only an approved plan changes it." in ended.err
    assert "studio target label again approval=required" in ended.err


def test_another_studio_meets_the_mark(
    ours: Studio, studio_of: Callable[[str], Studio], board: Board
) -> None:
    other = studio_of("other")
    add(other, board, "bench")
    assert labels(other, "bench") == LABEL


def test_the_end_of_the_protection_names_the_mark(ours: Studio) -> None:
    ours.ok("target", "probe", "cam")
    ended = ours.run("target", "label", "cam", "approval=")
    assert f"until it is deleted there: ~/{MARK}" in ended.err
