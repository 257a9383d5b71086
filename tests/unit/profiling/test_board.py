"""The bench on a real SSH board, in the environment that a deployment brought there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from studio.api import TargetError
from studio.plugin_host import PluginHost
from studio.profiling import build as results
from studio.profiling import remote
from studio.profiling.backends import BackendChoice
from studio.profiling.plan import candidates, configuration
from studio.profiling.results import ProfileResult
from studio.registry import ModelRef, Registry
from studio.runtime.bench.events import Event, Round
from studio.runtime.bench.facts import PointMessage
from studio.settings import Paths, resource
from tests.rigs.boards import Board, Network
from tests.unit.profiling.test_remote import Backend

pytestmark = [
    pytest.mark.rig,
    pytest.mark.needs("sshd", "ip", "unshare", "nsenter"),
]
DIGITS = resource("samples", "digits") / "digits.onnx"


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Board]:
    """A board with the system's python3 and nothing else."""
    with Network() as network, Board(network, tmp_path / "board") as board:
        yield board


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    """A board that is brought its environment once."""
    with Network() as network, Board(network, tmp_path_factory.mktemp("board")) as board:
        yield board


@pytest.fixture
def board(shared: Board) -> Iterator[Board]:
    """That board; its cable is in again at the end."""
    yield shared
    shared.mend()


@pytest.fixture(scope="module")
def home(shared: Board, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home of the studio that knows the board."""
    home = tmp_path_factory.mktemp("edgewright")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGEWRIGHT_HOME", str(home))
        registry = Registry.open(Paths.of().registry)
        registry.add_target(shared.spec())
        registry.close()
    return home


@pytest.fixture
def studio(home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    """Runs a command of the studio that knows the board; its JSON."""
    monkeypatch.setenv("EDGEWRIGHT_HOME", str(home))
    program = Path(sys.executable).with_name("studio")

    def run(*arguments: str, target: str = "board") -> dict[str, Any]:
        done = subprocess.run(
            [program, *arguments, "--target", target, "--json"],
            capture_output=True,
            timeout=300,
            env=dict(os.environ),
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return dict(json.loads(done.stdout))

    return run


def measure(
    board: Board, folder: Path, job: Any, values: Any, on_event: Callable[[Any], None]
) -> ProfileResult:
    model = ModelRef(str(DIGITS), "d", 1, 1, "digits", "fp32", "onnx", "fp32")
    chosen = candidates([model, model], [BackendChoice("onnxruntime", Backend(), {})])
    config = configuration(chosen, values)
    shipment = remote.Shipment(folder, lambda path: [path], job)
    host = PluginHost.discover()
    recording = remote.measure(host, board.spec(), config, shipment, on_event)
    return results.build(recording, chosen)


def test_a_bare_board_is_refused_in_one_sentence(bare, job, arguments):
    with pytest.raises(TargetError, match="its python3 lacks numpy and onnxruntime"):
        measure(bare, job.folder, job, arguments(), lambda event: None)


METER = """
def rails():
    return [{"name": "shunt", "source": "meter", "kind": "power", "read": lambda: 2.5}]
"""


def form(value: Any, path: str = "") -> set[str]:
    """The keys of a result, also within others; what is data by name or number counts as one."""
    if isinstance(value, dict):
        inner = {"*": next(iter(value.values()), None)} if path in NAMED else value
        return {
            path,
            *(key for name, each in inner.items() for key in form(each, f"{path}/{name}")),
        }
    if isinstance(value, list):
        return {path, *(key for each in value[:1] for key in form(each, f"{path}[]"))}
    return {path}


NAMED = ("/environment/runtimes", "/placement/runs[]/providers", "/operators[]/providers")
ONLY_WHERE_TOLD = (
    *("/environment/end/", "/environment/throttle/", "/environment/zones[]"),
    "/spoiled_reasons/",  # they depend on the load
)


@pytest.mark.slow
@pytest.mark.long
def test_a_profile_has_the_same_form_here_and_there(
    board: Board, studio: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    meter = tmp_path / "meter.py"
    meter.write_text(METER)
    studio("deploy", str(DIGITS))
    words = ("profile", str(DIGITS), "--seconds", "2", "--threads", "1", "--operators")
    words = (*words, "--meter", str(meter))
    # At once: half of a measurement of energy is rest, and of the figures only the form counts.
    with ThreadPoolExecutor() as both:
        here, there = both.map(lambda target: studio(*words, target=target), ("local", "board"))
    told = [
        {key for key in form(each) if not key.startswith(ONLY_WHERE_TOLD)} for each in (here, there)
    ]
    assert told[0] == told[1]
    [run] = there["runs"]
    assert run["state"] == "measured"
    assert run["latency_ms"]["p99"] > 0
    assert there["target"] == "board"
    assert there["environment"]["python"].startswith("3.")
    assert there["environment"]["end"]["load"] is not None
    assert there["operators"][0]["attributed"] > 0.95
    assert there["placement"]["fallback"] == 0.0
    assert there["energy"]["rail"] == "shunt", "the meter went along"
    listed = board.run("sh", "-c", "find /root /var/lib -name 'bench-*' 2>/dev/null || true")
    assert listed.strip() == ""


@pytest.mark.slow
def test_what_was_measured_before_a_cut_is_kept(board, studio, job, arguments):
    studio("deploy", str(DIGITS))

    def cut_at(kind: type, number: int) -> Callable[[Event], None]:
        seen = []

        def cut(event: Event) -> None:
            seen.extend([event] if isinstance(event, kind) else [])
            if len(seen) == number:
                board.cut()

        return cut

    long = {"seconds": 3600, "rounds": 10000, "interim_checks": 1}
    partial = measure(board, job.folder, job, arguments(**long), cut_at(Round, 12))
    assert not partial.complete
    assert partial.interruption
    assert partial.rounds >= 12
    assert partial.verdicts[0].verdict in ("equal", "undecided")
    board.mend()
    sustained = measure(
        board, job.folder, job, arguments(mode="sustained", minutes=60), cut_at(PointMessage, 3)
    )
    assert not sustained.complete
    assert len(sustained.runs[0].sustained.series) >= 3
    for each in (partial, sustained):
        assert each.interruption.startswith(f"The connection to {board.address} was lost")
