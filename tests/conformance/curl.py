"""The real curl, as the vendors' own examples use it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

from tests.unit.runtime.serve.rig import ServerProcess


class Answer(NamedTuple):
    """Status, content type and body of an answer."""

    status: int
    kind: str
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def curl(program: str, server: ServerProcess, path: str, *options: str) -> Answer:
    """One request with curl; the status and content type come after the body."""
    done = subprocess.run(
        [
            *(program, "--silent", "--show-error", "--max-time", "20"),
            *("--write-out", "\n%{http_code} %{content_type}"),
            *options,
            f"http://{server.host}:{server.port}{path}",
        ],
        capture_output=True,
        check=True,
        timeout=30,
    )
    body, _, last = done.stdout.rpartition(b"\n")
    status, _, kind = last.decode().partition(" ")
    return Answer(int(status), kind, body)


def data(document: Any, kind: str = "application/json") -> list[str]:
    """Options that send a document."""
    text = document if isinstance(document, str) else json.dumps(document)
    return ["--header", f"Content-Type: {kind}", "--data-binary", text]


def send(path: Path, kind: str) -> list[str]:
    """Options that send a file."""
    return ["--header", f"Content-Type: {kind}", "--data-binary", f"@{path}"]
