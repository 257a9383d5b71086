"""A generating thread that dies: its requests fail, it goes on, or the server is started again."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.runtime.shared.threads import MOST_FAILURES
from tests.unit.runtime.serve.rig import REPOSITORY, report, switch, wait_until
from tests.unit.runtime.serve.texts.byte_server import BELLS, ByteServer, write_model

READY = "/v2/health/ready"
HONEST = {"prompt": "once", "max_tokens": 6, "temperature": 0}
DEADLY = {"prompt": BELLS.decode(), "max_tokens": 6}
TWICE_ITSELF = {
    "$ref": "#/$defs/a",
    "$defs": {"a": {"anyOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/a"}]}},
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ByteServer]:
    model = write_model(tmp_path / "letters.gguf")
    with ByteServer(f"--model={model}", log=tmp_path / "log") as one:
        yield one


def ask(server: ByteServer, body: dict[str, Any]) -> tuple[int, Any]:
    return server.call("POST", "/v1/completions", body)


def test_a_schema_of_choices_of_itself_is_refused_and_others_are_answered(
    server: ByteServer,
) -> None:
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": TWICE_ITSELF}}
    body = {"messages": [{"role": "user", "content": "x"}], "response_format": wanted}
    status, answer = server.call("POST", "/v1/chat/completions", body)
    assert status == 400
    assert "anyOf leads back to itself." in answer["error"]["message"]
    assert ask(server, HONEST)[0] == 200


def test_a_thread_that_died_fails_its_request_and_goes_on(server: ByteServer) -> None:
    status, answer = ask(server, DEADLY)
    assert status == 500
    assert "failed inside the server" in answer["error"]["message"]
    assert ask(server, HONEST)[0] == 200
    assert server.get(READY)[0] == 200
    assert "The bell rang." in server.logged()


def test_a_thread_that_dies_again_and_again_ends_the_server_with_a_failure(
    server: ByteServer,
) -> None:
    statuses = [ask(server, DEADLY)[0] for _ in range(MOST_FAILURES)]
    assert statuses == [500] * MOST_FAILURES
    wait_until(lambda: server.process.poll() is not None, "the server has ended")
    assert server.process.returncode == 1, "whoever supervises it starts it again"
    lines = [json.loads(line) for line in server.log.read_text().splitlines() if line[:1] == "{"]
    assert "The thread generation failed" in str([one for one in lines if one["event"] == "failed"])


WORKER = f"""\
import runpy, sys
sys.path.insert(0, {str(REPOSITORY)!r})
runpy.run_module({ByteServer.module!r}, run_name="__main__")
"""
"""A runtime whose model fails as the one of ``ByteServer``."""


def test_its_supervisor_starts_it_again(tmp_path: Path) -> None:
    root = supervised(tmp_path / "root")
    with ByteServer(f"--root={root}", log=tmp_path / "log") as server:
        for round_of_failures in (1, 2):
            worker = report(root)["worker"]
            assert ask(server, HONEST)[0] == 200
            assert [ask(server, DEADLY)[0] for _ in range(MOST_FAILURES)] == [500] * MOST_FAILURES
            wait_until(lambda old=worker: report(root)["worker"] not in (0, old), "a new worker")  # type: ignore[misc]
            wait_until(lambda: server.get(READY)[0] == 200, "it is ready")
            assert not os.path.exists(f"/proc/{worker}"), "the broken process has ended"
            counted = f'edgewright_worker_restarts_total{{reason="crash"}} {round_of_failures}'
            wait_until(lambda text=counted: text in str(server.get("/metrics")[1]), counted)  # type: ignore[misc]
        assert ask(server, HONEST)[0] == 200
        assert server.process.poll() is None
    assert "worker ended" in server.log.read_text()
    assert "The thread generation failed" in server.log.read_text()


def supervised(root: Path) -> Path:
    """Write a root of releases with such a model, and a runtime for its worker."""
    manifest = {
        "format": 1,
        "name": "letters",
        "version": 1,
        "counter": 1,
        "model": {"file": "model.gguf", "format": "gguf", "backend": "llama-cpp"},
        "golden": {"count": 0},
        "generation": {},
    }
    release = root / "releases" / ("a" * 64)
    release.mkdir(parents=True)
    write_model(release / "model.gguf")
    (release / "manifest.json").write_text(json.dumps(manifest))
    binding = {"python": sys.executable, "runtime": "worker.py", "env": ""}
    release.with_name(release.name + ".json").write_text(json.dumps(binding))
    (root / "runtime").mkdir()
    (root / "runtime" / "worker.py").write_text(WORKER)
    switch(root, release)
    return root
