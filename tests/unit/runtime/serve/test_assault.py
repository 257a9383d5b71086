"""A small dose of everything at once; `tests.benchmarks.bench_assault` gives the whole one."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.models import PREPROCESS, brightness, bundle
from tests.rigs.assault import AssaultProcess, Clients, Memory
from tests.unit.runtime.serve import rig

pytestmark = [pytest.mark.slow, pytest.mark.rig]

ROUNDS = 5
"""Of each honest request, while attackers are at work."""
MOST_MB = 400.0


@pytest.fixture
def descriptors() -> Iterator[None]:
    """As many as there may be: attackers need some."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("descriptors")
def test_memory_is_bounded_and_honest_clients_lose_nothing(tmp_path: Path) -> None:
    model = brightness(tmp_path / "bright.onnx")
    served = bundle(tmp_path / "bundle", model, preprocess=PREPROCESS)
    arguments = (f"--bundle={served}", "--grpc-port=0", "--max-connections=200")
    with rig.ServerProcess(*arguments, log=tmp_path / "log") as server:
        memory = Memory(server.process.pid)
        assault = AssaultProcess(server, bodies=4, idle=250, calls=2)
        try:
            held = 60 << 20  # of the budget: attackers are at work
            rig.wait_until(lambda: memory.above_rest > held / 1e6, "bodies are held", 60.0)
            clients = Clients(server.host, server.port)
            clients.begin()
            rig.wait_until(lambda: clients.has_asked(ROUNDS), "clients were answered", 300.0)
            clients.end()
        finally:
            assault.end()
        assert not clients.failures
        assert memory.above_rest < MOST_MB
        assert set(assault.attempts) >= {
            "unfinished body", "idle connections", "large message", "chunks of 1",
            "large control request", "strip of 25,000,000 pixels",
        }  # fmt: skip
        assert server.get("/v2/health/live")[0] == 200
