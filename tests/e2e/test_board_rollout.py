"""A rollout to three real boards over SSH: a canary, a board that fails, a kill, and going on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from studio.api import UsageError
from studio.packages import Bundle
from studio.rollouts.rollout_state import RolloutState, ledgers, unfinished
from tests.e2e.conftest import Studio
from tests.rigs.boards import Board, Network, fingerprint, until
from tests.rigs.bundles import make_bundle

pytestmark = [
    pytest.mark.slow,
    pytest.mark.rig,
    pytest.mark.needs("sshd", "ip", "unshare", "ssh-keygen"),
]

NAMES = ("roof", "gate", "lab")
QUICK = ("--requests", "8", "--soak-s", "1", "--max-latency-ratio", "50")
KEPT = ("--keep-samples", "7", "--samples-mb", "9", "--shadow-cpu", "5")


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    return Studio(tmp_path_factory.mktemp("studio"))


@pytest.fixture(scope="module")
def boards(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Board]]:
    with ExitStack() as stack:
        network = stack.enter_context(Network())
        folder = tmp_path_factory.mktemp("boards")
        yield {name: stack.enter_context(Board(network, folder / name)) for name in NAMES}


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> list[Bundle]:
    folder = tmp_path_factory.mktemp("bundles")
    return [make_bundle(folder / str(number), number) for number in (1, 2, 3)]


def current(board: Board) -> str:
    """What its own disk says that it serves."""
    return board.run("sh", "-c", "readlink /root/.edgewright/current").strip().rpartition("/")[2]


def allowed(board: Board) -> list[dict[str, Any]]:
    """What its server may keep and compare, by the notes on its own disk; empty for a lost one."""
    notes = (f"/root/.edgewright/run/{name}" for name in ("sampling.json", "mirror.json"))
    return [json.loads(board.run("sh", "-c", f"cat {note} || echo '{{}}'")) for note in notes]


def states(result: dict[str, Any]) -> list[str]:
    return [row["state"] for row in result["targets"]]


def test_three_boards_get_releases_and_lose_none(
    studio: Studio, boards: dict[str, Board], bundles: list[Bundle]
) -> None:
    for name, board in boards.items():
        shown = fingerprint(board.key_file.with_name("host"))
        words = (name, board.url, "--key-file", board.key_file, "--accept-host-key", shown)
        studio.ok("target", "add", *words)
    studio.ok("target", "group", "all", *NAMES)

    told = studio.ok("rollout", bundles[0].folder, "--target", "@all", *QUICK, timeout=900)
    assert (told["state"], states(told)) == ("done", ["kept"] * 3)

    # The second board is unplugged: the canary is kept, the rollout halts, the third never begins.
    boards["gate"].cut()
    words = ("--target", "@all", "--strategy", "waves", "--wave-size", "1", *QUICK)
    ended = studio.run("rollout", bundles[1].folder, *words, "--json", timeout=600)
    assert (ended.code, ended.json["state"]) == (3, "halted")
    assert states(ended.json) == ["kept", "failed", "not begun"] or states(ended.json) == [
        *("failed", "not begun", "not begun")
    ]
    boards["gate"].mend()
    told = studio.ok("rollout", "--resume", "last", timeout=600)
    assert (told["state"], states(told)) == ("done", ["kept"] * 3)
    assert [current(board) for board in boards.values()] == [bundles[1].digest] * 3
    assert told["targets"][-1]["agreement"] is not None

    rows = studio.ok("target", "status", "@all")["targets"]
    assert [row["state"] for row in rows] == ["serving"] * 3


def test_a_studio_that_is_killed_leaves_whole_boards_and_goes_on(
    studio: Studio, boards: dict[str, Board], bundles: list[Bundle]
) -> None:
    place = studio.home / "edgewright" / "data" / "rollouts"
    before = len(ledgers(place))
    words = ["--target", "@all", "--strategy", "waves", "--wave-size", "1", *QUICK, *KEPT]
    command = [sys.executable, "-m", "studio.cli.main", "rollout", str(bundles[2].folder), *words]
    killed = subprocess.Popen(
        command,
        env=studio.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )

    def second_has_begun() -> bool:
        if len(ledgers(place)) == before:
            return False
        try:
            rows = RolloutState.find(place, "last").read().rows.values()
        except UsageError:
            return False  # its folder is there, its first line is not yet
        return [row.state for row in rows][1:] == ["deploying"]

    until(second_has_begun, "the second board gets it", 180)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    until(lambda: unfinished(place) != "", "its worker has ended, too", 30)
    whole = {bundles[1].digest, bundles[2].digest}
    assert {current(board) for board in boards.values()} <= whole
    told = studio.ok("rollout", "--resume", "last", timeout=600)
    assert (told["state"], states(told)) == ("done", ["kept"] * 3)
    assert [current(board) for board in boards.values()] == [bundles[2].digest] * 3
    # What was allowed at the start holds for the boards that got it after the kill, too.
    new, old = bundles[2].digest, bundles[1].digest
    for board in boards.values():
        samples, compared = allowed(board)
        assert samples == {"of": new, "most": 7, "room": 9_000_000}
        assert (compared["of"], compared["release"], compared["share"]) == (new, old, 0.05)
    for name in NAMES:
        studio.run("undeploy", "--target", name, "--purge")
