"""Limits of tokens and of time of a language model's requests, over real HTTP."""

from __future__ import annotations

import http.client
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.unit.runtime.serve.rig import wait_until
from tests.unit.runtime.serve.texts.byte_server import ByteServer, write_model

pytestmark = pytest.mark.slow

COMPLETIONS = "/v1/completions"


def ask(server: ByteServer, prompt: str, tokens: int | None) -> tuple[int, Any]:
    """Ask for a completion."""
    more = {} if tokens is None else {"max_tokens": tokens}
    return server.call("POST", COMPLETIONS, {"prompt": prompt, "temperature": 0, **more})


def started(server: ByteServer, tokens: int) -> threading.Thread:
    """Begin a completion on a thread."""
    thread = threading.Thread(target=ask, args=(server, "once", tokens))
    thread.start()
    return thread


def language(server: ByteServer) -> dict[str, int]:
    """Return the counts of the language model."""
    found: dict[str, int] = server.get("/edgewright/status")[1]["language"]
    return found


def test_tokens_that_wait_are_limited(tmp_path: Path) -> None:
    model = write_model(tmp_path / "letters.gguf", slots=1, seconds=0.02)
    arguments = (f"--model={model}", "--queue-tokens=200")
    with ByteServer(*arguments, log=tmp_path / "log") as server:
        running = [started(server, 400)]
        wait_until(lambda: language(server)["active"] == 1, "one is answered")
        running.append(started(server, 100))
        wait_until(lambda: language(server)["waiting"] == 1, "one waits")
        status, answer = ask(server, "once", 100)
        assert status == 503
        assert answer["error"]["message"] == "Too many requests are waiting. Retry later."
        assert _retry_after(server) == "1"
        running.append(started(server, 20))
        wait_until(lambda: language(server)["waiting"] == 2, "a small one waits, too")
        for thread in running:
            thread.join()
        assert ask(server, "once", 2)[0] == 200


def _retry_after(server: ByteServer) -> str | None:
    connection = http.client.HTTPConnection(server.host, server.port, timeout=20)
    body = {"prompt": "once", "max_tokens": 100}
    connection.request("POST", COMPLETIONS, json.dumps(body))
    found = connection.getresponse().getheader("Retry-After")
    connection.close()
    return found


def test_one_request_may_wait_whatever_it_has(tmp_path: Path) -> None:
    model = write_model(tmp_path / "letters.gguf", slots=1)
    with ByteServer(f"--model={model}", "--queue-tokens=10", log=tmp_path / "log") as server:
        assert ask(server, "once", 100)[0] == 200


def test_a_request_has_so_many_tokens_at_most(tmp_path: Path) -> None:
    model = write_model(tmp_path / "letters.gguf")
    with ByteServer(f"--model={model}", "--max-total-tokens=70", log=tmp_path / "log") as server:
        status, answer = ask(server, "a" * 80, 2)
        assert status == 400
        sentence = "The prompt has 81 tokens; this server takes 70, the answer included."
        assert answer["error"]["message"] == sentence
        _, answer = ask(server, "a" * 59, 500)
        assert answer["usage"]["completion_tokens"] == 10
        assert answer["choices"][0]["finish_reason"] == "length"
        _, listed = server.get("/v1/models")
        assert listed["data"][0]["max_model_len"] == 70


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_that_makes_progress_has_its_time(tmp_path: Path, stream: bool) -> None:
    model = write_model(tmp_path / "letters.gguf", seconds=0.1)
    with ByteServer(f"--model={model}", "--request-seconds=3", log=tmp_path / "log") as server:
        body = {"prompt": "once", "max_tokens": 40, "temperature": 0, "stream": stream}
        status, answer = server.call("POST", COMPLETIONS, body)
        assert status == 200
        if not stream:
            assert answer["usage"]["completion_tokens"] == 40


def test_an_answer_without_a_token_ends(tmp_path: Path) -> None:
    model = write_model(tmp_path / "letters.gguf", seconds=2.5)
    with ByteServer(f"--model={model}", "--request-seconds=0.5", log=tmp_path / "log") as server:
        status, answer = ask(server, "once", 3)
        assert status == 504
        assert answer == {"error": "Inference timed out."}
        wait_until(lambda: language(server)["active"] == 0, "its slot is free")
