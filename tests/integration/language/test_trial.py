"""Releases of a language model on trial on a real board over SSH, with clients that converse."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.e2e.conftest import Studio
from tests.rigs.boards import Board, Network, shown
from tests.rigs.language import gguf_file
from tests.rigs.text_trials import Conversing, with_layer_off

pytestmark = [pytest.mark.rig, pytest.mark.needs("sshd", "ip", "unshare", "ssh-keygen")]

NAME = "smollm2"
SHORT = ("--context", "1024", "--slots", "2")


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    with Network() as network, Board(network, tmp_path_factory.mktemp("board")) as made:
        yield made


@pytest.fixture(scope="module")
def model(rigs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / f"{NAME}.gguf"
    shutil.copyfile(gguf_file(rigs), path)
    return path


@pytest.fixture(scope="module")
def deployed(studio: Studio, board: Board, model: Path) -> dict[str, Any]:
    """The model of the wheel on the board."""
    words = ("edge", board.url, "--key-file", board.key_file)
    studio.ok("target", "add", *words, "--accept-host-key", shown(board.host_key))
    return dict(
        studio.ok("deploy", model, "--target", "edge", *SHORT, "--soak-s", "0", timeout=600)
    )


@pytest.fixture
def clients(deployed: dict[str, Any]) -> Iterator[Conversing]:
    address = urlsplit(deployed["endpoint"])
    with Conversing(address.port or 0, 3, long=0.0, host=address.hostname or "") as made:
        yield made


def tests_of(soak: dict[str, Any]) -> dict[str, Any]:
    return {one["test"]: one for one in soak["tests"]}


def test_an_equal_release_is_kept(
    studio: Studio, deployed: dict[str, Any], model: Path, clients: Conversing
) -> None:
    more = ("--context", "1024", "--slots", "3")
    began = time.monotonic()
    found = studio.ok("deploy", model, "--target", "edge", *more, "--trial", timeout=900)
    print(f"decided after {time.monotonic() - began:.0f} s: {found['soak']}")
    assert found["soak"]["decision"] in ("kept", "kept undecided")
    found_tests = tests_of(found["soak"])
    assert found_tests["divergence"]["says"] == "good"
    assert found_tests["agreement"]["events"] == 0
    assert clients.failures == []


def test_a_layer_that_is_off_is_taken_back(
    studio: Studio, deployed: dict[str, Any], model: Path, clients: Conversing, tmp_path: Path
) -> None:
    worse = with_layer_off(model, tmp_path / f"{NAME}.gguf", 0, None)
    ended = studio.run("deploy", worse, "--target", "edge", *SHORT, "--trial", timeout=900)
    assert ended.code != 0
    assert "answers diverge from the previous release (mean KL " in ended.err
    assert clients.failures == []
    status = studio.ok("status", "--target", "edge")
    assert "smollm2" in str(status)
