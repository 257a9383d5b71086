"""The same samples on a chip's simulator, a real board and this computer, side by side."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.settings import resource
from tests.e2e.conftest import Studio
from tests.integration.toolchains.test_toolchains import install
from tests.rigs.boards import Board, Network, shown

_LONG = 900

DIGITS = resource("samples", "digits")
HELDOUT = ("--eval-data", DIGITS / "heldout.npz")

pytestmark = pytest.mark.needs("sshd", "ip", "unshare", "nsenter")


def add(studio: Studio, name: str, board: Board) -> None:
    key = ("--key-file", board.key_file, "--accept-host-key", shown(board.host_key))
    studio.ok("target", "add", name, board.url, *key)


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    with Network() as network:
        yield network


@pytest.fixture(scope="module")
def board(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    with Board(network, tmp_path_factory.mktemp("board")) as board:
        yield board


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory, rigs: Path, board: Board) -> Iterator[Studio]:
    """A studio with a toolchain, and with a board that has the runtime."""
    studio = Studio(tmp_path_factory.mktemp("side-by-side"))
    studio.environment["EDGEWRIGHT_HOME"] = str(rigs / "toolchains")
    install(studio, "rknn")
    add(studio, "side", board)
    studio.ok("deploy", DIGITS / "digits.onnx", "--target", "side", timeout=_LONG)
    yield studio
    studio.ok("target", "remove", "side")


def test_three_sides_are_compared_sample_by_sample(studio: Studio, board: Board) -> None:
    model = DIGITS / "digits.onnx"
    asked = ("check", model, "--for", "rk3588", "--target", "side", *HELDOUT)
    found = studio.ok(*asked, "--eval-samples", "40", "--locate", timeout=_LONG)
    numbers = found["numbers"]
    target = numbers["target"]
    assert (target["name"], target["runtime"]) == ("side", "onnxruntime")
    assert target["samples"] == numbers["samples"] == 40
    # The board computes in float as this computer does, the simulator in 16 bits.
    assert target["max_error"] < 1e-5 < target["chip_error"]
    assert target["chip_error"] == pytest.approx(numbers["max_error"], rel=0.05)
    assert target["argmax_equal"] == 1.0
    assert target["metric"]["value"] == target["metric"]["model_value"] >= 0.95
    errors = [one["difference"] for one in target["worst"]]
    assert errors == sorted(errors, reverse=True)
    assert len(errors) == 20
    assert target["first"]["operator"] == numbers["first"]["operator"]
    left = board.run("sh", "-c", "find /root /var/lib -name 'evaluate-*' 2>/dev/null || true")
    assert left.strip() == ""


def test_a_board_that_is_off_costs_the_comparison_and_not_the_verdict(
    studio: Studio, network: Network, tmp_path: Path
) -> None:
    with Board(network, tmp_path) as board:
        add(studio, "off", board)
    try:
        asked = ("check", DIGITS / "digits.onnx", "--for", "rk3588", "--target", "off")
        found = studio.ok(*asked, timeout=_LONG)
    finally:
        studio.ok("target", "remove", "off")
    assert found["verdict"] == "runs"
    assert "target" not in found["numbers"]
    assert [text for text in found["warnings"] if "Not compared further with off: " in text]
