"""PP-OCRv5 as one app, which must read what the chain of its own wheel reads: desk and board."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Studio
from tests.integration.apps.ocr import Texts, of_board, of_chain, of_desk
from tests.rigs.boards import Board, Network, shown
from tests.rigs.ocr_app import make_ocr_app

PAGES = int(os.environ.get("PAGES", "100"))
_LONG = 900

Paper = tuple[Path, Texts]


@pytest.fixture(scope="module")
def paper(rigs: Path, tmp_path_factory: pytest.TempPathFactory) -> Paper:
    """The app with its pages, and what the chain reads on them."""
    folder = make_ocr_app(tmp_path_factory.mktemp("paper") / "app", PAGES)
    return folder, of_chain(rigs, folder / "pages")


def test_texts_are_those_of_the_chain(studio: Studio, paper: Paper) -> None:
    folder, wanted = paper
    assert sum(map(len, wanted)) > 10 * PAGES
    assert of_desk(studio, folder) == wanted


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    with Network() as network, Board(network, tmp_path_factory.mktemp("board")) as board:
        yield board


@pytest.mark.needs("sshd", "ip", "unshare", "nsenter")
def test_texts_of_a_board_are_those_of_the_chain(
    studio: Studio, board: Board, paper: Paper
) -> None:
    folder, wanted = paper
    key = ("--key-file", board.key_file, "--accept-host-key", shown(board.host_key))
    studio.ok("target", "add", "desk-side", board.url, *key)
    deployed = studio.ok("deploy", folder, "--target", "desk-side", timeout=_LONG)
    found = of_board(board.run, str(deployed["endpoint"]), PAGES, _LONG)
    studio.ok("undeploy", "--target", "desk-side", "--purge", timeout=_LONG)
    assert found == wanted
