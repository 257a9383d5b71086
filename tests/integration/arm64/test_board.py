"""The digits model on an emulated arm64 board with systemd, by the commands that a user types.

The tests go on from each other, in order: the machine takes half a minute to start.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Studio
from tests.integration.arm64 import image, machine
from tests.integration.arm64.machine import Machine
from tests.rigs.boards import until

pytestmark = [pytest.mark.rig, pytest.mark.needs(*image.PROGRAMS, *machine.PROGRAMS)]

ON_BOARD = ("--target", "board")
RUNTIME_MB = 10  # numpy and onnxruntime are more than this, a digits model and its bundle are less


@pytest.fixture(scope="module")
def board(rigs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    if os.geteuid() != 0:
        pytest.skip("only root can unpack an image")
    with Machine(image.image(rigs), tmp_path_factory.mktemp("machine")) as board:
        yield board


@pytest.fixture(scope="module")
def small(studio: Studio, digits: Path) -> Path:
    """The model in int8."""
    path = studio.home / "int8.onnx"
    studio.ok("quantize", digits / "digits.onnx", "--data", digits / "heldout.npz", "--out", path)
    return path


def call(studio: Studio, digits: Path, requests: int = 100) -> tuple[int, int]:
    """How many requests were answered, and how many failed."""
    words = ("call", *ON_BOARD, "--requests", str(requests), "--data", digits / "heldout.npz")
    told = studio.ok(*words)
    return told["answered"], told["failed"]


def test_first_contact_needs_the_fingerprint(studio: Studio, board: Machine) -> None:
    add = ("target", "add", "board", board.url, "--key-file", board.key_file)
    refused = studio.run(*add)
    assert refused.code == 4
    assert board.fingerprint in refused.err
    facts = studio.ok(*add, "--accept-host-key", board.fingerprint)
    assert facts["arch"] == "aarch64"
    assert "Debian" in facts["os"]
    assert facts["runtimes"] == {}
    assert "systemd" in facts["services"]
    assert studio.ok("target", "probe", "board")["python"].startswith("3.13")


def test_deploys_with_wheels_of_its_processor(studio: Studio, board: Machine, digits: Path) -> None:
    told = studio.ok("deploy", digits / "digits.onnx", *ON_BOARD, timeout=900)
    assert told["state"] == "serving"
    assert told["bytes_sent"] > RUNTIME_MB * 1_000_000
    code = "import platform, onnxruntime; print(platform.machine(), onnxruntime.__version__)"
    (python,) = board.run("find /root -path '*/env/*/bin/python3'").split()
    assert board.run(f'ORT_DISABLE_TELEMETRY=1 {python} -c "{code}"').startswith("aarch64 1.")
    assert call(studio, digits) == (100, 0)


def test_sends_the_next_version_alone(
    studio: Studio, board: Machine, digits: Path, small: Path
) -> None:
    told = studio.ok("deploy", small, *ON_BOARD, timeout=900)
    assert told["bytes_sent"] < 1_000_000
    assert call(studio, digits) == (100, 0)


def test_goes_back(studio: Studio, board: Machine, digits: Path) -> None:
    told = studio.ok("rollback", *ON_BOARD)
    assert (told["from"], told["to"]) == (2, 1)
    assert studio.ok("monitor", *ON_BOARD)["version"] in (1, "1")
    assert call(studio, digits) == (100, 0)


def test_profiles_on_the_board(studio: Studio, board: Machine, digits: Path, small: Path) -> None:
    told = studio.ok("profile", digits / "digits.onnx", small, *ON_BOARD, "--seconds", "5")
    assert len(told["runs"]) == 2
    for run in told["runs"]:
        assert run["latency_ms"]["p50"] > 0  # p99 is not told from few samples
        assert run["samples"] > 0
    (verdict,) = told["verdicts"]
    assert verdict["low"] <= verdict["ratio"] <= verdict["high"]
    assert "aarch64" in str(told["environment"])
    assert told["environment"]["arch"] == "aarch64"
    assert told["environment"]["end"]["load"] is not None
    assert told["placement"]["fallback"] == 0.0


def test_profiles_its_operators_and_says_that_it_has_no_sensor(
    studio: Studio, board: Machine, digits: Path
) -> None:
    """An emulated machine measures no power; the kernels of its onnxruntime are others."""
    words = ("--seconds", "2", "--threads", "1", "--operators", "--energy")
    told = studio.ok("profile", digits / "digits.onnx", *ON_BOARD, *words, timeout=900)
    assert told["operators"][0]["attributed"] > 0.95
    assert told["energy"]["state"] == "no sensor"
    assert told["energy"]["reason"]


def test_profiles_minutes_on_the_board(studio: Studio, board: Machine, digits: Path) -> None:
    words = ("--mode", "sustained", "--minutes", "0.5", "--threads", "1")
    told = studio.ok("profile", digits / "digits.onnx", *ON_BOARD, *words, timeout=900)
    assert told["complete"]
    assert len(told["runs"][0]["sustained"]["series"]) >= 15


def test_is_watched(studio: Studio, board: Machine, digits: Path) -> None:
    call(studio, digits)
    seen = studio.ok("monitor", *ON_BOARD)
    assert seen["health"] == "healthy"
    assert seen["errors"] == 0
    assert seen["latency_ms"]["p50"] > 0


def test_after_a_restart(studio: Studio, board: Machine, digits: Path) -> None:
    """What was released is there; systemd serves it again where the release left a unit."""
    board.restart()
    units = board.run("systemctl list-unit-files --no-legend 'edgewright-*' || true")
    if units.strip():
        until(
            lambda: studio.run("call", *ON_BOARD, "--requests", "1").code == 0,
            "the unit serves again",
            120.0,
        )
    else:
        # Nobody starts it: the studio must say so, and a repeated deploy must need no bytes.
        assert studio.run("call", *ON_BOARD).code == 1
        assert studio.ok("monitor", *ON_BOARD)["health"] != "healthy"
        again = studio.ok("deploy", digits / "digits.onnx", *ON_BOARD, timeout=900)
        assert again["bytes_sent"] < 1_000_000
    assert studio.ok("releases", *ON_BOARD)[0]["state"] == "serving"
    assert call(studio, digits) == (100, 0)


def test_is_taken_away(studio: Studio, board: Machine) -> None:
    studio.ok("undeploy", *ON_BOARD, "--purge")
    ended = studio.run("call", *ON_BOARD)
    assert (ended.code, "board has no running release" in ended.err) == (1, True)
    assert "edgewright" not in board.run("ps -eo args")
