"""Our own server as one among the peers."""

from __future__ import annotations

import json
import sys
import urllib.request
from pathlib import Path

from tests.benchmarks.serve.models import Subject
from tests.benchmarks.serve.peers import (
    Command,
    Peer,
    open_inference_answer,
    open_inference_request,
)
from tests.benchmarks.serve.processes import ROOT


def ready(port: int, path: str) -> bool:
    """Whether a server answers a health probe with 200."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _command(environment: Path, subject: Subject, folder: Path, port: int) -> Command:
    command = [sys.executable, "-m", "studio.runtime", "serve", f"--model={subject.path}"]
    return [*command, f"--port={port}"], {"PYTHONPATH": str(ROOT)}


def _rows(port: int) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/edgewright/status") as answer:
        return int(json.load(answer).get("batch_rows", 1))


OURS = Peer(
    name="edgewright",
    package="edgewright",
    command=_command,
    ready="/v2/health/ready",
    request=lambda subject, port: open_inference_request(subject, port, subject.name),
    answer=open_inference_answer,
    rows=_rows,
)
