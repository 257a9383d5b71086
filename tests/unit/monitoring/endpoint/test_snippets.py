"""Programs that call a model, run by a shell, Python and Node against a server that listens."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from studio.api import TargetSpec, TensorType, Value
from studio.documents.dataclass_json import from_json
from studio.monitoring.endpoint.client import encode, random_feeds
from studio.monitoring.endpoint.snippet_work import reachable
from studio.monitoring.endpoint.snippets import LANGUAGES, TOKEN, Call, CallAddress, ExampleInput
from studio.monitoring.endpoint.status import ServerReport
from tests.conftest import Need

NASTY = 'it\'s $(touch x) `touch x` \\ "q" ${HOME} é'
SECRET = "s3cret-token-of-a-test"
INPUTS = (
    ExampleInput(NASTY, "FP32", (2, 3)),
    ExampleInput("texts", "BYTES", (2,)),
    ExampleInput("flags", "BOOL", (1, 1)),
    ExampleInput("count", "INT64", ()),
)
WANTED = [
    {"name": NASTY, "shape": [2, 3], "datatype": "FP32", "data": [0.5] * 6},
    {"name": "texts", "shape": [2], "datatype": "BYTES", "data": ["0", "0"]},
    {"name": "flags", "shape": [1, 1], "datatype": "BOOL", "data": [False]},
    {"name": "count", "shape": [], "datatype": "INT64", "data": [0]},
]


class Listening(ThreadingHTTPServer):
    """Keeps what it is asked, and answers with a status."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[dict[str, Any]] = []
        self.status = 200

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Listening

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append(
            {"path": self.path, "token": self.headers["Authorization"], **json.loads(body)}
        )
        good = {
            "outputs": [{"name": "y", "shape": [1], "data": [42.5]}],
            "choices": [{"message": {"content": "I answer."}}],
        }
        answer = json.dumps(good if self.server.status == 200 else {"error": "It is full."})
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer.encode())

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def listening() -> Iterator[Listening]:
    server = Listening()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


PROGRAMS = {"curl": "bash", "python": sys.executable, "javascript": "node"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_model_is_asked_over_the_protocol_of_chats(
    language: str, listening: Listening, need: Need, tmp_path: Path
) -> None:
    need({"curl": "curl", "javascript": "node"}.get(language, "sh"))
    file = tmp_path / {"javascript": "call.mjs"}.get(language, "call")
    file.write_text(LANGUAGES[language](Call(CallAddress(listening.url), "it's", (), writes=True)))
    program = shutil.which(PROGRAMS[language]) or PROGRAMS[language]
    done = subprocess.run([program, str(file)], capture_output=True, text=True, check=False)
    assert "I answer." in done.stdout, done.stderr
    (asked,) = listening.asked
    assert (asked["path"], asked["model"]) == ("/v1/chat/completions", "it's")
    assert asked["messages"][0]["role"] == "user"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("status", [200, 503])
def test_a_program_runs_as_it_is_printed(
    language: str, status: int, listening: Listening, need: Need, tmp_path: Path
) -> None:
    need({"curl": "curl", "javascript": "node"}.get(language, "sh"))
    listening.status = status
    (tmp_path / "token").write_text(SECRET)
    place = CallAddress(listening.url, token=f"cat {tmp_path}/token")
    code = LANGUAGES[language](Call(place, "a model/2", INPUTS, pictures=True))
    assert SECRET not in code
    file = tmp_path / {"javascript": "call.mjs"}.get(language, "call")
    file.write_text(code)
    variables = {} if language == "curl" else {TOKEN: SECRET}
    done = subprocess.run(
        [shutil.which(PROGRAMS[language]) or PROGRAMS[language], str(file)],
        cwd=tmp_path,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    (asked,) = listening.asked
    assert asked["path"] == "/v2/models/a%20model%2F2/infer"
    assert asked["token"] == f"Bearer {SECRET}"
    assert asked["inputs"] == WANTED
    assert not (tmp_path / "x").exists(), "a name is not run"
    assert (done.returncode == 0) == (status == 200), done.stderr
    assert ("42.5" if status == 200 else "It is full.") in done.stdout + done.stderr


class _Link:
    def __init__(self, **report: Any) -> None:
        document = {"scheme": "http", "port": 8477, "host": "127.0.0.1", **report}
        self.report = from_json(ServerReport, document)


def test_a_board_that_answers_to_itself_alone_has_a_way(studio_home: Path) -> None:
    board = TargetSpec("roof", "ssh://pi@roof.example:2222", settings={"key_file": "/k e y"})
    place = reachable(board, _Link(token_required=True), "")  # type: ignore[arg-type]
    assert place.url == "http://127.0.0.1:8477"
    assert place.way == ("ssh -p 2222 -i '/k e y' pi@roof.example -N -L 8477:127.0.0.1:8477")
    assert place.token == "ssh -p 2222 -i '/k e y' pi@roof.example cat .edgewright/access/token"


def test_a_board_on_its_network_is_called_by_its_name(studio_home: Path) -> None:
    board = TargetSpec("roof", "ssh://pi@roof.example")
    place = reachable(board, _Link(host="0.0.0.0", scheme="https"), "")  # type: ignore[arg-type]
    assert (place.url, place.way, place.token) == ("https://roof.example:8477", "", "")


def test_texts_are_made_up_and_travel() -> None:
    feeds = random_feeds([Value("text", TensorType("string", (None, 2)))])
    assert feeds["text"].shape == (1, 2)
    head, body = encode(feeds)
    (told,) = json.loads(head)["inputs"]
    assert told["datatype"] == "BYTES"
    assert told["parameters"]["binary_data_size"] == len(body) == 2 * (4 + 1)
