"""Slots of a server in number: clients that never read, and a thousand heads that never end."""

from __future__ import annotations

import contextlib
import socket
import zlib
from pathlib import Path

import pytest

from tests.conformance.models import PREPROCESS, brightness, bundle
from tests.rigs.assault import Memory
from tests.unit.runtime.serve import rig

pytestmark = pytest.mark.slow

HALF_OPEN, SILENT = 1000, 60
ASKED = b"GET /v2/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 500
BOMB_SIDE = 50_000
BOMBS = 200
MOST_MB = 200.0


@pytest.fixture
def server(tmp_path: Path) -> rig.ServerProcess:
    model = brightness(tmp_path / "bright.onnx")
    served = bundle(tmp_path / "bundle", model, preprocess=PREPROCESS)
    return rig.ServerProcess(f"--bundle={served}", log=tmp_path / "log")


def attack(server: rig.ServerProcess, content: bytes) -> socket.socket:
    """A client that sends what it can, and reads nothing."""
    link = socket.create_connection((server.host, server.port), timeout=10)
    link.setblocking(False)
    with contextlib.suppress(OSError):  # the server reads no more of it
        link.send(content)
    return link


def test_half_open_and_silent_clients_take_no_slot_of_honest_ones(
    server: rig.ServerProcess,
) -> None:
    with server, contextlib.ExitStack() as links:
        memory = Memory(server.process.pid)
        for _ in range(SILENT):
            links.enter_context(attack(server, ASKED))
        for number in range(HALF_OPEN):
            links.enter_context(attack(server, b"GET /v2/health/ready HTTP/1.1\r\nHost: lo"))
            if number % 100 == 0:
                assert server.get("/v2/health/live")[0] == 200
        assert server.get("/v2/health/ready")[0] == 200
        rig.wait_until(lambda: answers(server), "an honest client gets a slot", 60)
        assert memory.above_rest < MOST_MB


def answers(server: rig.ServerProcess) -> bool:
    """Whether an ordinary route is answered."""
    try:
        return (
            server.get("/v2/models")[0] in (200, 404) and server.get("/edgewright/status")[0] == 200
        )
    except OSError:
        return False


def test_picture_bombs_in_number_are_refused_and_take_no_memory(
    server: rig.ServerProcess,
) -> None:
    header = BOMB_SIDE.to_bytes(4, "big") * 2 + b"\x08\x02\x00\x00\x00"
    bomb = png(b"IHDR", header) + png(b"IDAT", b"\x78\x9c" + bytes(4096)) + png(b"IEND", b"")
    with server:
        memory = Memory(server.process.pid)
        path = f"/edgewright/models/{server.ready['name']}/image"
        for _ in range(BOMBS):
            content = b"\x89PNG\r\n\x1a\n" + bomb
            status, answer = server.call("POST", path, content, **{"Content-Type": "image/png"})
            assert status in (400, 413), answer
        assert memory.above_rest < MOST_MB
        assert server.get("/v2/health/ready")[0] == 200


def png(kind: bytes, content: bytes) -> bytes:
    """A chunk of a PNG file."""
    check = zlib.crc32(kind + content)
    return len(content).to_bytes(4, "big") + kind + content + check.to_bytes(4, "big")
