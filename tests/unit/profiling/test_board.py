"""The bench on a real SSH board, in the environment that a deployment brought there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.api import TargetError
from studio.plugin_host import PluginHost
from studio.profiling import remote, results
from studio.profiling.backends import Chosen
from studio.profiling.plan import candidates, configuration
from studio.registry import ModelRef, Registry
from studio.settings import Paths, resource
from tests.rigs.boards import Board, Network
from tests.unit.profiling.test_remote import Backend

pytestmark = [
    pytest.mark.rig,
    pytest.mark.needs("sshd", "ip", "unshare", "nsenter"),
]
DIGITS = resource("samples", "digits") / "digits.onnx"


@pytest.fixture
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    """A board with the system's python3 and nothing else."""
    with Network() as network, Board(network, tmp_path_factory.mktemp("board")) as board:
        yield board


@pytest.fixture
def studio(board: Board, studio_home: Path) -> Callable[..., dict[str, Any]]:
    """Runs a command of the studio that knows the board; its JSON."""
    registry = Registry.open(Paths.of().registry)
    registry.add_target(board.spec())
    registry.close()
    program = Path(sys.executable).with_name("studio")

    def run(*arguments: str) -> dict[str, Any]:
        done = subprocess.run(
            [program, *arguments, "--target", "board", "--json"],
            capture_output=True,
            timeout=300,
            env=dict(os.environ, EDGEWRIGHT_HOME=str(studio_home)),
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return dict(json.loads(done.stdout))

    return run


def measure(
    board: Board, folder: Path, job: Any, arguments: Any, on_event: Callable[[Any], None]
) -> dict[str, Any]:
    model = ModelRef(str(DIGITS), "d", 1, 1, "digits", "fp32", "onnx", "fp32")
    chosen = candidates([model, model], [Chosen("onnxruntime", Backend(), {})])
    config = configuration(chosen, arguments(seconds=3600, rounds=10000))
    shipment = remote.Shipment(folder, lambda path: [path], job)
    host = PluginHost.discover()
    recording = remote.measure(host, board.spec(), config, shipment, on_event)
    return results.build(recording, chosen)


def test_a_bare_board_is_refused_in_one_sentence(board, job, arguments):
    with pytest.raises(TargetError, match="its python3 lacks numpy and onnxruntime"):
        measure(board, job.folder, job, arguments, lambda event: None)


@pytest.mark.slow
def test_profile_and_a_cut_link(board, studio, job, arguments):
    studio("deploy", str(DIGITS))
    result = studio("profile", str(DIGITS), "--seconds", "2", "--threads", "1", "--operators")
    [run] = result["runs"]
    assert run["state"] == "measured"
    assert run["latency_ms"]["p99"] > 0
    assert result["target"] == "board"
    assert result["environment"]["python"].startswith("3.")
    assert result["operators"][0]["attributed"] > 0.8
    listed = board.run("sh", "-c", "find /root /var/lib -name 'bench-*' 2>/dev/null || true")
    assert listed.strip() == ""

    def cut(event: dict[str, Any]) -> None:
        if event["event"] == "round" and event["round"] == 12:
            board.cut()

    partial = measure(board, job.folder, job, arguments, cut)
    assert not partial["complete"]
    assert partial["interruption"]
    assert partial["rounds"] >= 12
    assert partial["verdicts"][0]["verdict"] in ("equal", "undecided")
