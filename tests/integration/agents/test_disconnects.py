"""A client of the real ``studio mcp`` that goes away while a step runs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from studio.plans import PlanEntry, PlanRequest
from studio.settings import resource
from studio.settings.paths import HOME_VARIABLE
from studio.workspace import Workspace
from tests.rigs.agents.sessions import STUDIO

DIGITS = resource("samples", "digits") / "digits.onnx"
ROOT = Path(__file__).parents[3]
LONG = {"seconds": 3600.0, "rounds": 10_000, "interim_checks": 1}
CANCELLED = "Profile digits fp32 was cancelled."
PATIENCE_S = 240.0


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def environment(home: Path) -> Mapping[str, str]:
    paths = f"{ROOT}{os.pathsep}{ROOT / 'plugins'}"
    return {**os.environ, HOME_VARIABLE: str(home), "PYTHONPATH": paths}


@pytest.fixture
def digest(home: Path) -> str:
    """An approved plan whose step takes an hour."""
    with Workspace.open(home) as opened:
        request = PlanRequest("profile", {"model": str(DIGITS), **LONG}, "agent")
        made = opened.plans.make(request)
        opened.plans.approve(made.digest)
    return made.digest


@pytest.fixture
def server(environment: Mapping[str, str], tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [*STUDIO, "mcp"],
        env=dict(environment),
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    yield process
    process.kill()
    process.wait()
    for end in (process.stdin, process.stdout, process.stderr):
        if end is not None:
            end.close()


def entry(home: Path, digest: str) -> PlanEntry:
    with Workspace.open(home) as opened:
        return opened.plans.one(digest)


def apply(server: subprocess.Popen[bytes], digest: str) -> None:
    """Request the plan; the answer is not awaited."""
    call = {"name": "apply_plan", "arguments": {"digest": digest}}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
    assert server.stdin is not None
    server.stdin.write(json.dumps(message).encode() + b"\n")
    server.stdin.flush()


def until(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, f"never: {what}"
        time.sleep(0.1)


def running(server: subprocess.Popen[bytes], home: Path, digest: str) -> None:
    """Start the step, and wait until its plan is used up."""
    apply(server, digest)
    until(lambda: bool(list(home.rglob(f"{digest}/used.json"))), "the plan is carried out")


def test_a_step_is_cancelled_when_its_client_disconnects(
    server: subprocess.Popen[bytes], home: Path, digest: str
) -> None:
    running(server, home, digest)
    assert server.stdin is not None
    server.stdin.close()
    assert server.wait(PATIENCE_S) == 0
    found = entry(home, digest)
    assert found.state == "failed"
    assert found.outcome == f"{CANCELLED} The client of studio mcp disconnected."


def test_a_step_is_cancelled_when_nothing_of_its_client_is_left(
    server: subprocess.Popen[bytes], home: Path, digest: str
) -> None:
    running(server, home, digest)
    for end in (server.stdin, server.stdout):
        assert end is not None
        end.close()
    assert server.wait(PATIENCE_S) == 0
    assert entry(home, digest).outcome.endswith("The client of studio mcp disconnected.")


def test_a_step_is_cancelled_when_its_server_is_terminated(
    server: subprocess.Popen[bytes], home: Path, digest: str
) -> None:
    running(server, home, digest)
    server.send_signal(signal.SIGTERM)
    assert server.wait(PATIENCE_S) == 128 + signal.SIGTERM
    found = entry(home, digest)
    assert found.state == "failed"
    assert found.outcome == f"{CANCELLED} The server studio mcp was ended."


def test_the_plan_of_a_server_that_is_killed_has_failed(
    server: subprocess.Popen[bytes], home: Path, digest: str
) -> None:
    running(server, home, digest)
    assert entry(home, digest).state == "running"
    server.kill()
    server.wait(PATIENCE_S)
    found = entry(home, digest)
    assert found.state == "failed"
    assert found.outcome.startswith("The program that carried it out was killed")


def test_no_step_is_started_for_a_client_that_is_gone(
    environment: Mapping[str, str], home: Path, digest: str, tmp_path: Path
) -> None:
    read, write = os.pipe()
    call = {"name": "apply_plan", "arguments": {"digest": digest}}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
    os.write(write, json.dumps(message).encode() + b"\n")
    os.close(write)
    with os.fdopen(read, "rb") as source:
        done = subprocess.run(
            [*STUDIO, "mcp"],
            env=dict(environment),
            cwd=tmp_path,
            stdin=source,
            capture_output=True,
            timeout=PATIENCE_S,
            check=False,
        )
    answer = json.loads(done.stdout)["result"]
    assert answer["isError"]
    assert "The client of studio mcp disconnected." in answer["content"][0]["text"]
    assert entry(home, digest).state == "approved"
