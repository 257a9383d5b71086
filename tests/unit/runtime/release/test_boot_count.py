"""A release that nobody came to keep, a lost state file, and what a server does of itself."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.packages import Bundle
from studio.runtime.release.boot_count import MOST_STARTS, before_start
from studio.runtime.release.server.server_control import Server
from studio.runtime.shared.chained_log import Journal
from studio.runtime.shared.files import point, write_atomically
from tests.rigs.boards import until
from tests.rigs.bundles import make_bundle
from tests.unit.runtime.release.machine import Machine, machine

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> list[Bundle]:
    """Versions 1 and 2."""
    folder = tmp_path_factory.mktemp("bundles")
    return [make_bundle(folder / str(version), version, samples=1) for version in (1, 2)]


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Machine]:
    with machine(tmp_path / "root") as made:
        yield made


def leave_in_soak(board: Machine, bundles: list[Bundle]) -> None:
    """As a power cut in the midst of a soak leaves it."""
    one, two = bundles
    board.deploy(one)
    board.ready(two)
    Server(board.layout).remember()
    state = {**board.state, "phase": "soak", "pending": two.digest}
    write_atomically(board.layout.state, json.dumps(state).encode())
    point(board.layout.current, "releases/" + two.digest)


def test_a_release_that_nobody_keeps_goes_back(board: Machine, bundles: list[Bundle]) -> None:
    leave_in_soak(board, bundles)
    root = board.layout.root
    for _ in range(MOST_STARTS):
        assert before_start(root) == ""
        assert board.layout.linked() == bundles[1].digest
    assert "had to be started 3 times" in before_start(root)
    assert board.layout.linked() == bundles[0].digest == board.state["current"]
    assert board.state["phase"] == "idle"
    last = Journal(board.layout.log).entries()[-1]
    assert (last["event"], last["release"], last["starts"]) == ("recovered", bundles[1].digest, 3)
    assert before_start(root) == ""
    board.check_invariants()


def test_it_goes_back_by_itself_when_its_worker_keeps_dying(
    board: Machine, bundles: list[Bundle]
) -> None:
    leave_in_soak(board, bundles)
    model = board.layout.release(bundles[1].digest) / "model.onnx"
    model.unlink()
    model.write_bytes(b"this loads nowhere")
    server = Server(board.layout)
    os.kill(int(server.report()["worker"]), 9)
    until(lambda: server.serves(bundles[0].digest), "the old release is served", 90)
    assert board.state["current"] == bundles[0].digest


def test_while_a_command_is_at_work_nothing_is_counted(
    board: Machine, bundles: list[Bundle]
) -> None:
    leave_in_soak(board, bundles)
    with open(board.layout.lock, "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for _ in range(2 * MOST_STARTS):
            assert before_start(board.layout.root) == ""
    assert board.layout.linked() == bundles[1].digest


@pytest.mark.parametrize("content", [None, b"", b'{"phase": "id', b"[]"])
def test_a_lost_state_is_made_again_from_the_log(
    board: Machine, bundles: list[Bundle], content: bytes | None
) -> None:
    one, two = bundles
    board.deploy(one)
    board.deploy(two)
    board.ok("rollback", soak_s=0)
    board.ok("rollback", to="2", soak_s=0)
    before = board.state
    if content is None:
        board.layout.state.unlink()
    else:
        board.layout.state.write_bytes(content)
    begun = board.ok("begin")
    assert (begun["current"], begun["counter"]) == (two.digest, 2)
    again = board.state
    for name in ("current", "previous", "counter"):
        assert again[name] == before[name]
    assert [e["state"] for e in again["history"]] == [e["state"] for e in before["history"]]
    assert Server(board.layout).serves(two.digest)
