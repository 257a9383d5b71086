"""The way of a release through goosebit to a board that polls, in the order in which it goes."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio.settings import resource
from tests.e2e.conftest import Studio
from tests.integration.hawkbit.conftest import PullingBoard
from tests.rigs.pull.goosebit import Goosebit

DIGITS = resource("samples", "digits")
MODEL, DATA = str(DIGITS / "digits.onnx"), str(DIGITS / "calibration.npz")


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("key") / "ann"
    words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ann@desk", "-f", str(path)]
    subprocess.run(words, check=True)
    return path


@pytest.fixture(scope="module")
def board(
    fleet: Studio, server: Goosebit, key: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PullingBoard]:
    root = tmp_path_factory.mktemp("board") / "releases"
    one = PullingBoard(fleet, root, "bench", server.url)
    fleet.ok("trust", "--target", "bench", "--signers", key.with_suffix(".pub"))
    yield one
    fleet.run("undeploy", "--target", "bench")


def published(fleet: Studio, key: Path, *more: str) -> dict[str, Any]:
    words = ("deploy", MODEL, "--data", DATA, "--target", "fleet", "--sign", key)
    found: dict[str, Any] = fleet.ok(*words, *more)
    return found


def test_a_release_goes_through_the_server_to_the_board(
    fleet: Studio, board: PullingBoard, server: Goosebit, key: Path
) -> None:
    assert board.poll().returncode == 0
    device = server.devices()["bench"]
    assert (device["last_state"], device["sw_version"]) == ("Registered", "none")
    done = published(fleet, key)
    assert done["state"] == "published"
    ended = board.poll()
    assert "Version 1 of digits serves (release" in ended.stderr
    assert board.state["current"] == done["release"]
    device = server.devices()["bench"]
    assert (device["last_state"], device["progress"]) == ("Finished", 100)
    assert "signed by ann@desk" in server.device_log("bench")
    row = fleet.ok("releases", "--target", "fleet")[0]
    assert (row["release"], row["state"], row["traffic"]) == (done["release"], "serving", 100)


def test_the_model_answers_on_the_board(board: PullingBoard, fleet: Studio) -> None:
    report = json.loads((board.root / "run" / "server.json").read_bytes())
    with np.load(DIGITS / "heldout.npz") as data:
        name = next(one for one in data.files if data[one].ndim > 1)
    assert name
    called = fleet.run("call", "--target", "bench", "--data", DIGITS / "heldout.npz")
    assert called.code == 0, called.err
    assert report["state"] == "ready"


def test_the_same_release_is_published_once(fleet: Studio, key: Path, board: PullingBoard) -> None:
    again = published(fleet, key)
    assert (again["state"], again["bytes_sent"]) == ("serving", 0)
    assert "begins" not in board.poll().stderr


def test_a_service_pulls_without_being_called(
    fleet: Studio, board: PullingBoard, server: Goosebit, key: Path
) -> None:
    board_process = board.start()
    try:
        done = published(fleet, key, "--samples", "3", "--set", "wait_s=120")
        assert done["facts"]["serving"] == 1
    finally:
        board_process.terminate()
        board_process.wait(60)
    assert board.state["current"] == done["release"]
    assert board_process.returncode == 0


def test_a_release_that_fails_its_gate_is_rolled_back_and_reported(
    fleet: Studio, board: PullingBoard, server: Goosebit, key: Path
) -> None:
    before = board.state["current"]
    broken = _with_other_answers(fleet, key)
    fleet.ok("deploy", broken, "--target", "fleet")
    board.poll()
    assert board.state["current"] == before
    assert server.devices()["bench"]["last_state"] == "Error"
    assert "golden samples differ" in server.device_log("bench")
    rows = fleet.ok("releases", "--target", "fleet")
    assert (rows[0]["traffic"], "1 failed" in rows[0]["reason"]) == (0, True)
    assert fleet.ok("verify-log", "--target", "bench")["whole"] is True


def test_a_later_release_reaches_a_board_that_has_failed(
    fleet: Studio, board: PullingBoard, server: Goosebit, key: Path
) -> None:
    done = published(fleet, key, "--samples", "5")
    board.poll()
    assert board.state["current"] == done["release"]
    assert server.devices()["bench"]["last_state"] == "Finished"


def test_a_server_that_was_away_gets_the_outcome(
    fleet: Studio, board: PullingBoard, server: Goosebit, key: Path
) -> None:
    done = published(fleet, key, "--samples", "6")
    path = board.root / "pull" / "state.json"
    assert board.poll().returncode == 0
    state = json.loads(path.read_bytes())
    path.write_text(json.dumps({**state, "reported": False}))
    server.stop()
    ended = board.poll()
    assert ended.returncode == 1
    assert "cannot be reached" in ended.stderr
    server.start()
    assert board.poll().returncode == 0
    assert json.loads(path.read_bytes())["reported"] is True
    assert board.state["current"] == done["release"]


def test_a_client_that_is_killed_at_any_point_ends_with_a_whole_release(
    fleet: Studio, board: PullingBoard, server: Goosebit, key: Path
) -> None:
    done = published(fleet, key, "--samples", "7")
    for delay in (0.3, 0.8, 1.5, 2.5):
        process = board.start()
        time.sleep(delay)
        process.kill()
        process.wait()
    until = time.monotonic() + 120
    while board.state["current"] != done["release"] and time.monotonic() < until:
        board.poll()
    board.poll()
    assert board.state["current"] == done["release"]
    assert server.devices()["bench"]["last_state"] == "Finished"
    assert fleet.ok("verify-log", "--target", "bench")["whole"] is True


def _with_other_answers(fleet: Studio, key: Path) -> Path:
    """A signed bundle with a later counter, whose model does not give its golden answers."""
    folder = fleet.home / "broken"
    fleet.ok("package", MODEL, "--data", DATA, "--samples", "4", "--out", folder)
    raw = json.loads((folder / "manifest.json").read_bytes())
    raw["counter"] += 1
    raw["version"] += 1
    swap_golden(folder, raw)
    (folder / "manifest.json.sig").unlink(missing_ok=True)
    fleet.ok("sign", folder, "--key", key)
    return folder


def swap_golden(folder: Path, raw: dict[str, Any]) -> None:
    """Exchange the golden answers of two samples."""
    names = sorted(n for n in raw["files"] if n.startswith("golden/") and "inputs" not in n)[:2]
    contents = [(folder / one).read_bytes() for one in names]
    facts = [raw["files"][one] for one in names]
    for name, content, fact in zip(names, reversed(contents), reversed(facts), strict=True):
        (folder / name).unlink()
        (folder / name).write_bytes(content)
        raw["files"][name] = fact
    from studio.packages.bundle import write_manifest

    (folder / "manifest.json").unlink()
    write_manifest(folder, raw)
