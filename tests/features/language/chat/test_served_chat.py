"""A chat with a deployed model; the server is a fake on the loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from studio.api import StudioError, TargetError, TargetSpec
from studio.features.language.chat import served_chat
from studio.features.language.chat.results import ChatResult
from studio.features.language.chat.step import ChatServedOptions
from studio.monitoring.endpoint.endpoint import Endpoint
from studio.monitoring.endpoint.status import ServerReport
from tests.features.language.chat.parts import ChatJob, ended, part

LISTED = {"object": "list", "data": [{"id": "tiny", "object": "model"}]}
TARGET = TargetSpec("bench", "local:")
Serve = Callable[..., None]


class Handler(BaseHTTPRequestHandler):
    """Answers with what the test set; keeps the requests."""

    listed: Any = LISTED
    status, content = 200, b""
    requests: ClassVar[list[tuple[dict[str, Any], str]]] = []

    def do_GET(self) -> None:
        self._answer(200, json.dumps(self.listed).encode())

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.requests.append((body, self.headers["Authorization"] or ""))
        self._answer(self.status, self.content)

    def _answer(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def handler(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Handler]]:
    made = type("OwnHandler", (Handler,), {"requests": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), made)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    tunnel: Any = SimpleNamespace(host="127.0.0.1", port=server.server_port)

    @contextmanager
    def reached(*_: object) -> Iterator[Endpoint]:
        yield Endpoint(tunnel, ServerReport(), "secret")

    monkeypatch.setattr(served_chat, "reached", reached)
    yield made
    server.shutdown()
    server.server_close()
    thread.join()


def ask(folder: Path, **given: Any) -> tuple[ChatResult, ChatJob]:
    job = ChatJob(folder)
    options = ChatServedOptions(prompt="Hello", target=TARGET, **given)
    return served_chat.chat_served(options, job), job


def test_the_answer_is_streamed_with_the_token_of_the_endpoint(
    handler: type[Handler], tmp_path: Path
) -> None:
    handler.content = part("Good") + part(" day") + ended("length", answer=2)
    found, job = ask(tmp_path, tokens=2)
    assert (found.target, found.model) == ("bench", "tiny")
    assert found.answer.text == job.text == "Good day"
    assert found.answer.end == "length"
    ((body, authorization),) = handler.requests
    assert authorization == "Bearer secret"
    assert body["max_tokens"] == 2


def test_a_target_without_a_language_model_is_refused(
    handler: type[Handler], tmp_path: Path
) -> None:
    handler.listed = {"models": ["digits"]}
    with pytest.raises(TargetError) as caught:
        ask(tmp_path)
    assert caught.value.message == "The model on bench writes no text."


@pytest.mark.parametrize(
    ("status", "content", "sentence"),
    [
        (
            400,
            b'{"error": {"message": "The prompt has 900 tokens."}}',
            "The server refused the request: The prompt has 900 tokens.",
        ),
        (503, b"busy", "The server refused the request: status 503."),
        (200, part("Go"), "The connection ended before the answer did."),
        (200, b"data: x\n", "The server sent an answer that is no stream of a chat."),
    ],
)
def test_a_failure_is_one_sentence(
    handler: type[Handler], tmp_path: Path, status: int, content: bytes, sentence: str
) -> None:
    handler.status, handler.content = status, content
    with pytest.raises(StudioError) as caught:
        ask(tmp_path)
    assert caught.value.message == sentence
