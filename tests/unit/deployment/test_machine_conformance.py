"""Machines pass the conformance suite of platforms: this computer, and a board over SSH."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.api import Parcel, TargetSpec
from studio.api.testing_platforms import Example, check_platform
from tests.rigs.boards import Board, network
from tests.rigs.containers import REQUEST, make_parcels
from tests.rigs.machine import MachinePlatform

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Example:
    parcels: tuple[Parcel, Parcel] = make_parcels(tmp_path_factory.mktemp("parcels"))
    return Example(*parcels, REQUEST, canary=False)


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Board]:
    with network() as net, Board(net, tmp_path / "board") as board:
        yield board


def test_this_computer(example: Example, tmp_path: Path) -> None:
    target = TargetSpec("here", "local:", settings={"root": str(tmp_path / "root")})
    check_platform(MachinePlatform("local", tmp_path / "jobs"), target, example)


@pytest.mark.rig
def test_a_board_over_ssh(board: Board, example: Example, tmp_path: Path) -> None:
    check_platform(MachinePlatform("ssh", tmp_path / "jobs"), board.spec(), example)
