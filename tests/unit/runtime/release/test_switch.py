"""The switch: what is served changes whole or not at all, whatever happens in between."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.packages import Bundle
from studio.runtime.release.server.server_control import Server
from studio.runtime.release.store.binding import Binding
from studio.runtime.shared.chained_log import Journal
from studio.runtime.shared.files import point
from tests.rigs.boards import until
from tests.rigs.bundles import make_bundle
from tests.rigs.load import Load
from tests.unit.runtime.release.machine import Machine, machine

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> list[Bundle]:
    """Versions 1 to 4."""
    folder = tmp_path_factory.mktemp("bundles")
    return [make_bundle(folder / str(version), version) for version in range(1, 5)]


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Machine]:
    with machine(tmp_path / "root") as made:
        yield made


def served(board: Machine) -> str:
    """The digest of what the server says that it serves."""
    report = Server(board.layout).report()
    link = http.client.HTTPConnection("127.0.0.1", report["port"], timeout=10)
    link.request("GET", "/edgewright/status")
    answer = json.loads(link.getresponse().read())
    link.close()
    return str(answer["digest"])


def test_a_slow_board_has_more_time(board: Machine, bundles: list[Bundle]) -> None:
    digest = bundles[0].digest
    board.deploy(bundles[0])
    took_s = board.ok("probe", release=digest)["probe_s"]
    assert json.loads(board.layout.binding(digest).read_bytes())["probe_s"] == round(took_s, 3)
    assert Binding("r", "", "python3", 40.0).ready_s == 320.0
    assert Binding("r", "", "python3", 0.1).ready_s == 60.0
    assert Binding("r", "", "python3").ready_s == 60.0


def test_deploy_deploy_rollback(board: Machine, bundles: list[Bundle]) -> None:
    one, two = bundles[:2]
    first = board.deploy(one)
    assert served(board) == one.digest
    second = board.deploy(two)
    assert second["pid"] == first["pid"]
    assert second["port"] == first["port"]
    assert served(board) == two.digest
    back = board.ok("rollback", soak_s=0)
    assert (back["from"], back["to"]) == (2, 1)
    assert served(board) == one.digest
    assert board.state["counter"] == 1
    assert [entry["state"] for entry in board.state["history"]] == [
        "active",
        "active",
        "rolled back",
        "active",
    ]
    forward = board.ok("rollback", to="2", soak_s=0)
    assert (forward["from"], forward["to"]) == (1, 2)
    assert board.refused("rollback", to="7")["code"] == "no-such-release"
    board.check_invariants()


def test_a_rollback_passes_over_a_release_that_failed(
    board: Machine, bundles: list[Bundle]
) -> None:
    board.deploy(bundles[0])
    board.ready(bundles[1])
    bad = board.layout.release(bundles[1].digest) / "model.onnx"
    good = bad.read_bytes()
    spoil(board, bundles[1])
    board.refused("switch", release=bundles[1].digest, soak_s=0)
    bad.unlink()
    bad.write_bytes(good)
    board.ready(bundles[2])
    board.ok("switch", release=bundles[2].digest, soak_s=0)
    assert board.ok("rollback", soak_s=0)["to"] == 1


def test_the_last_two_are_kept(board: Machine, bundles: list[Bundle]) -> None:
    for bundle in bundles[:3]:
        board.deploy(bundle)
    kept = {path.name for path in board.layout.releases.iterdir() if path.is_dir()}
    assert kept == {bundles[1].digest, bundles[2].digest}
    names = {file.digest for bundle in bundles[1:3] for file in bundle.files}
    assert {path.name for path in board.layout.blobs.iterdir()} == names
    assert board.runtime.exists()
    refusal = board.refused("rollback", to="1")
    assert "beside version 3: 2" in refusal["message"]


def test_a_repeated_deploy_changes_nothing(board: Machine, bundles: list[Bundle]) -> None:
    board.deploy(bundles[0])
    assert board.deploy(bundles[0])["state"] == "unchanged"
    assert len(board.state["history"]) == 1


def test_a_release_that_cannot_be_served_is_taken_back(
    board: Machine, bundles: list[Bundle]
) -> None:
    board.deploy(bundles[0])
    board.ready(bundles[1])
    spoil(board, bundles[1])
    refusal = board.refused("switch", release=bundles[1].digest, soak_s=0)
    assert refusal["code"] == "not-ready"
    assert served(board) == bundles[0].digest
    assert board.state["history"][-1]["state"] == "failed"
    board.check_invariants()
    assert Server(board.layout).report()["state"] == "ready"


def test_a_first_release_that_cannot_be_served_leaves_nothing(
    board: Machine, bundles: list[Bundle]
) -> None:
    board.ready(bundles[0])
    spoil(board, bundles[0])
    board.refused("switch", release=bundles[0].digest, soak_s=0)
    assert board.layout.linked() == ""
    assert not Server(board.layout).runs()
    board.check_invariants()


def spoil(board: Machine, bundle: Bundle) -> None:
    model = board.layout.release(bundle.digest) / "model.onnx"
    model.unlink()
    model.write_bytes(b"not a model")


def test_a_switch_that_was_interrupted_is_undone(board: Machine, bundles: list[Bundle]) -> None:
    one, two = bundles[:2]
    board.deploy(one)
    board.ready(two)
    # As a kill between the rename and the commit leaves it.
    state = dict(board.state, phase="switch", pending=two.digest)
    board.layout.state.write_text(json.dumps(state))
    point(board.layout.current, "releases/" + two.digest)
    os.kill(Server(board.layout).service()["pid"], signal.SIGHUP)
    until(lambda: served(board) == two.digest, "the uncommitted release is served")
    board.token = ""
    board.begin(two.digest)
    assert served(board) == one.digest
    board.check_invariants()
    assert "recovered" in [entry["event"] for entry in Journal(board.layout.log).entries()]


def test_a_dead_server_is_started_again(board: Machine, bundles: list[Bundle]) -> None:
    board.deploy(bundles[0])
    server = Server(board.layout)
    before = server.service()["pid"]
    os.kill(before, signal.SIGTERM)
    until(lambda: not server.runs(), "the server has ended")
    assert board.ok("status")["running"] is False
    assert board.ok("start")["release"] == bundles[0].digest
    assert server.service()["pid"] != before
    assert served(board) == bundles[0].digest
    assert board.ok("stop")["stopped"] is True
    assert board.ok("stop")["stopped"] is False
    board.deploy(bundles[1])
    assert served(board) == bundles[1].digest


def test_removed_and_purged(board: Machine, bundles: list[Bundle]) -> None:
    board.deploy(bundles[0])
    assert board.ok("remove")["release"] == bundles[0].digest
    assert board.layout.linked() == ""
    assert not Server(board.layout).runs()
    assert board.refused("rollback")["code"] == "nothing-deployed"
    board.deploy(bundles[0])  # the same release may come back
    (board.layout.run / "app").mkdir()
    (board.layout.run / "app" / "outbox.sqlite").write_bytes(b"events of the app")
    board.ok("remove", purge=True)
    assert not (board.layout.run / "app").exists()
    assert list(board.layout.blobs.iterdir()) == []
    assert list(board.layout.releases.iterdir()) == []
    assert Journal(board.layout.log).broken_at() == 0


def test_no_request_fails_while_releases_change(board: Machine, bundles: list[Bundle]) -> None:
    board.deploy(bundles[0])
    with Load(Server(board.layout).report()["port"]) as load:
        load.more(200)
        for bundle in bundles[1:]:
            board.deploy(bundle)
            load.more(50)
        board.ok("rollback")
        load.more(50)
    assert load.failures == []
    assert served(board) == bundles[2].digest


def test_no_request_fails_when_the_interpreter_changes(
    board: Machine, bundles: list[Bundle]
) -> None:
    board.deploy(bundles[0])
    with Load(Server(board.layout).report()["port"]) as load:
        load.more(50)
        board.begin(bundles[1].digest)
        board.send(bundles[1])
        board.ok(
            "stage",
            manifest=bundles[1].text,
            runtime=board.runtime.stem,
            python=str(Path(sys.executable).parent / "python3"),
        )
        board.ok("switch", release=bundles[1].digest, soak_s=0)
        load.more(50)
    assert load.failures == []
    assert served(board) == bundles[1].digest


def test_a_lost_listener_does_not_stop_a_switch(board: Machine, bundles: list[Bundle]) -> None:
    """A connection that is cut closes the pipes of the command that runs."""
    board.ready(bundles[0])
    request = {"owner": board.owner, "token": board.token, "release": bundles[0].digest}
    command = [*board.command, "switch", "--root", str(board.layout.root)]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    process.stderr.close()
    process.stdin.write(json.dumps(request).encode())
    process.stdin.close()
    until(lambda: board.state["phase"] == "switch", "the switch has begun")
    process.send_signal(signal.SIGHUP)
    assert process.wait(60) == 0
    assert board.state["current"] == bundles[0].digest
