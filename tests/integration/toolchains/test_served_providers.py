"""Models on boards whose own ONNX Runtime has another execution provider than the processor."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Studio
from tests.integration.toolchains.test_served_formats import share_of_right
from tests.rigs.boards import Board, Network, shown

pytestmark = pytest.mark.needs("sshd", "ip", "unshare", "nsenter")

PYTHON = "/usr/bin/python3"
NEEDED = ("numpy", "pillow")


class ProviderBoard:
    """A board as a target of the studio, with packages of its user."""

    def __init__(self, studio: Studio, board: Board, digits: Path) -> None:
        self._studio, self._board, self._digits = studio, board, digits
        self.name = "board-" + board.address.rpartition(".")[2]
        key = ("--key-file", board.key_file, "--accept-host-key", shown(board.host_key))
        studio.ok("target", "add", self.name, board.url, *key)

    def deploy(self, *more: str) -> dict[str, Any]:
        """Deploy digits for every client."""
        data = ("--data", self._digits / "calibration.npz", "--downgrade", "test")
        reach = ("--host", "0.0.0.0", "--allow-unauthenticated")
        model = self._digits / "digits.onnx"
        found: dict[str, Any] = self._studio.ok(
            "deploy", model, "--target", self.name, *reach, *data, *more
        )
        return found

    def engines(self) -> list[Path]:
        """What the providers have compiled, as files."""
        folders = self._board.home.glob("**/run/engines")
        return [one for folder in folders for one in folder.rglob("*") if one.is_file()]

    def monitor(self) -> dict[str, Any]:
        """Take one sample."""
        result: dict[str, Any] = self._studio.ok("monitor", "--target", self.name)
        return result


def site(rigs: Path, *packages: str) -> Path:
    """Return a folder of packages for the boards' Python, installed once."""
    folder = rigs / "provider-boards" / "-".join(one.replace("=", "") for one in packages)
    if not (folder / ".ready").exists():
        pip = [sys.executable, "-m", "pip", "--python", PYTHON, "install", "--quiet"]
        words = [*pip, "--target", folder, *packages, *NEEDED]
        subprocess.run(words, check=True, timeout=900)
        (folder / ".ready").touch()
    return folder


@pytest.fixture
def made(
    studio: Studio, rigs: Path, digits: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[ProviderBoard]:
    """A board with the packages that the test names."""
    version = subprocess.run(
        [PYTHON, "-c", "import sys; print('python%d.%d' % sys.version_info[:2])"],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    with Network() as network:
        board = Board(network, tmp_path / "board")
        own = board.home / ".local" / "lib" / version / "site-packages"
        shutil.copytree(site(rigs, *request.param), own)
        with board:
            yield ProviderBoard(studio, board, digits)


def status(endpoint: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{endpoint}/edgewright/status", timeout=10) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def metrics(endpoint: str, name: str) -> list[str]:
    with urllib.request.urlopen(f"{endpoint}/metrics", timeout=10) as answer:
        lines = str(answer.read().decode()).splitlines()
    return [line for line in lines if line.startswith(name)]


@pytest.mark.parametrize("made", [("onnxruntime-openvino==1.24.1",)], indirect=True)
def test_the_provider_of_the_boards_own_package_computes(made: ProviderBoard, digits: Path) -> None:
    done = made.deploy()
    steps = {row["name"]: row["text"] for row in done["steps"]}
    assert "on openvino" in steps["probe"]
    assert share_of_right(done["endpoint"], digits) > 0.97
    placement = status(done["endpoint"])["placement"]
    assert placement["used"] == ["openvino"]
    assert placement["fallback"] == ""
    nodes = metrics(done["endpoint"], "edgewright_model_nodes")
    assert nodes
    assert all('provider="openvino"' in line for line in nodes)
    assert made.engines(), "what OpenVINO compiled is kept beside the release"

    done = made.deploy("--providers", "cpu")
    assert status(done["endpoint"])["placement"]["wanted"] == []
    assert share_of_right(done["endpoint"], digits) > 0.97
    done = made.deploy()
    assert status(done["endpoint"])["placement"]["wanted"] == [], "what was chosen before stays"


@pytest.mark.parametrize("made", [("onnxruntime-gpu==1.31.1",)], indirect=True)
def test_an_accelerator_that_does_not_work_is_an_alert(made: ProviderBoard, digits: Path) -> None:
    done = made.deploy("--providers", "tensorrt,cuda")
    steps = {row["name"]: row["text"] for row in done["steps"]}
    assert "libcublas" in steps["probe"]
    assert share_of_right(done["endpoint"], digits) > 0.97
    placement = status(done["endpoint"])["placement"]
    assert placement["used"] == ["cpu"]
    assert set(placement["missing"]) == {"tensorrt", "cuda"}
    (fallback,) = metrics(done["endpoint"], "edgewright_provider_fallback")
    assert fallback.endswith(" 1")
    sample = made.monitor()
    assert "libcublas" in next(one["text"] for one in sample["alerts"] if one["name"] == "provider")
