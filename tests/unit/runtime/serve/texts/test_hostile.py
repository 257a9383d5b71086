"""A thousand hostile requests: the server answers each, and afterwards is as it was."""

from __future__ import annotations

from pathlib import Path

from tests.rigs.hostile_prompts import Attacker
from tests.unit.runtime.serve.rig import wait_until
from tests.unit.runtime.serve.texts.byte_server import ByteServer, write_model

REQUESTS = 1000
HONEST = {"prompt": "once", "max_tokens": 6, "temperature": 0}


def test_a_thousand_hostile_requests(tmp_path: Path) -> None:
    model = write_model(tmp_path / "letters.gguf", slots=2)
    with ByteServer(f"--model={model}", log=tmp_path / "log") as server:
        _, before = server.call("POST", "/v1/completions", HONEST)
        attacker = Attacker(server.host, server.port)
        attacker.attack(100)
        memory = _memory(server)
        attacker.attack(REQUESTS - 100)
        wait_until(lambda: _status(server)["language"]["active"] == 0, "no answer is left")
        assert _memory(server) < memory + 24
        assert 0 not in attacker.statuses
        assert 500 not in attacker.statuses
        assert attacker.statuses[200] > 50
        assert attacker.statuses[400] > 200
        _, after = server.call("POST", "/v1/completions", HONEST)
        assert after["choices"] == before["choices"]
        assert server.stop() == 0
    assert "Traceback" not in server.log.read_text()


def _status(server: ByteServer) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = server.get("/edgewright/status")[1]
    return found


def _memory(server: ByteServer) -> float:
    return float(server.get("/edgewright/status")[1]["memory_mb"])
