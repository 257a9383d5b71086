"""Versions of a language model exchanged under load: no stream breaks, none mixes two versions."""

from __future__ import annotations

import json
import threading
from pathlib import Path

from tests.unit.runtime.serve.rig import wait_until
from tests.unit.runtime.serve.texts.byte_server import ByteServer, write_model

SWAPS = 100
CLIENTS = 4
LENGTH = 30


def text_of(version: int) -> str:
    """Return the answer of a version: its number again and again."""
    return f"{version:03}." * (LENGTH // 4)


class Client(threading.Thread):
    """Asks for streams, one after the other, until it is told to stop.

    Attributes:
        answers: Texts of whole streams with the digest in their heads.
        faults: What went wrong.
    """

    def __init__(self, server: ByteServer) -> None:
        super().__init__(daemon=True)
        self._server = server
        self.done = threading.Event()
        self.answers: list[tuple[str, str]] = []
        self.faults: list[str] = []

    def run(self) -> None:
        """Ask."""
        while not self.done.is_set():
            try:
                self._ask()
            except Exception as error:
                self.faults.append(repr(error))
                raise

    def _ask(self) -> None:
        connection = self._server.connect()
        body = {"prompt": "write\n", "max_tokens": 200, "temperature": 0, "stream": True}
        connection.request("POST", "/v1/completions", json.dumps(body))
        response = connection.getresponse()
        raw = response.read().decode()
        connection.close()
        if response.status != 200 or not raw.endswith("data: [DONE]\n\n"):
            self.faults.append(f"{response.status} {raw[-200:]}")
            return
        parts = [json.loads(part[6:]) for part in raw.split("\n\n")[:-2]]
        text = "".join(part["choices"][0]["text"] for part in parts)
        self.answers.append((text, response.headers["Edgewright-Model-Digest"]))


def test_a_hundred_swaps_under_load(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    write_model(path, text=text_of(0), seconds=0.001, slots=CLIENTS)
    with ByteServer(f"--model={path}", log=tmp_path / "log") as server:
        clients = [Client(server) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        for version in range(1, SWAPS + 1):
            fresh = write_model(
                tmp_path / "fresh", text=text_of(version), seconds=0.001, slots=CLIENTS
            )
            fresh.replace(path)
            server.hang_up()
            wait_until(lambda wanted=version: _generation(server) > wanted, "it is swapped")  # type: ignore[misc]
        for client in clients:
            client.done.set()
            client.join(60)
        threads = _threads(server)
    assert [fault for client in clients for fault in client.faults] == []
    answers = [answer for client in clients for answer in client.answers]
    known = {text_of(version) for version in range(SWAPS + 1)}
    assert {text for text, _ in answers} <= known
    assert len({text for text, _ in answers}) > SWAPS / 4
    digests: dict[str, set[str]] = {}
    for text, digest in answers:
        digests.setdefault(text, set()).add(digest)
    assert all(len(found) == 1 for found in digests.values())
    assert threads < 20  # those of replaced versions have ended


def _generation(server: ByteServer) -> int:
    return int(server.get("/edgewright/status")[1]["generation"])


def _threads(server: ByteServer) -> int:
    lines = Path(f"/proc/{server.process.pid}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("Threads:")))
