"""A board, a server, and bundles of one small model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.packages import Bundle
from tests.rigs.bundles import make_bundle
from tests.rigs.pull.board import PullBoard
from tests.rigs.pull.ddi_server import DdiServer

MakeBoard = Callable[..., PullBoard]


@pytest.fixture(scope="package")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> list[Bundle]:
    """Versions 1 and 2 of a model."""
    folder = tmp_path_factory.mktemp("bundles")
    return [make_bundle(folder / str(n), n) for n in (1, 2)]


@pytest.fixture
def server() -> Iterator[DdiServer]:
    with DdiServer() as one:
        yield one


@pytest.fixture
def make_board(tmp_path: Path, server: DdiServer) -> Iterator[MakeBoard]:
    """Makes boards that poll the server."""
    made: list[PullBoard] = []

    def make(name: str = "board", **settings: Any) -> PullBoard:
        given = {"server": server.url, **settings}
        board = PullBoard(tmp_path / name, **given)
        made.append(board)
        return board

    yield make
    for board in made:
        board.stop()
