"""Generate extension of the Open Inference Protocol over real HTTP."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.runtime.generate.text_models import alone
from tests.unit.runtime.serve.rig import ServerProcess, constant, wait_until
from tests.unit.runtime.serve.texts.byte_server import ByteServer, write_model

WHOLE, STREAM = "/v2/models/letters/generate", "/v2/models/letters/generate_stream"
PROMPT = [257, *b"once"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ByteServer]:
    folder = tmp_path_factory.mktemp("bytes")
    model = write_model(folder / "letters.gguf")
    with ByteServer(f"--model={model}", log=folder / "log") as one:
        yield one


def ask(server: ByteServer, path: str = WHOLE, **fields: Any) -> tuple[int, Any]:
    """Ask for a continuation."""
    return server.call("POST", path, {"text_input": "once", **fields})


def events(server: ByteServer, **fields: Any) -> list[Any]:
    """Return the documents of a stream."""
    status, raw = ask(server, STREAM, **fields)
    assert status == 200
    parts = raw.decode().split("\n\n")
    assert parts.pop() == ""
    return [json.loads(part.removeprefix("data: ")) for part in parts]


def test_a_text_is_continued(server: ByteServer) -> None:
    status, answer = ask(server, parameters={"max_tokens": 6})
    assert status == 200
    text = alone(PROMPT, 6)
    assert answer == {"model_name": "letters", "model_version": "1", "text_output": text}


def test_a_version_and_an_id(server: ByteServer) -> None:
    path = "/v2/models/letters/versions/1/generate"
    status, answer = ask(server, path, id="42", parameters={"max_tokens": 2})
    assert status == 200
    assert answer["id"] == "42"
    assert ask(server, path.replace("/1/", "/2/"))[0] == 404


def test_the_specification_has_twenty_tokens(server: ByteServer) -> None:
    assert ask(server)[1]["text_output"] == alone(PROMPT, 20)


def test_parameters_next_to_the_text(server: ByteServer) -> None:
    assert ask(server, max_tokens=3)[1]["text_output"] == alone(PROMPT, 3)
    found = ask(server, max_tokens=9, parameters={"max_tokens": 3})[1]
    assert found["text_output"] == alone(PROMPT, 3)


def test_a_stream_gives_the_same(server: ByteServer) -> None:
    found = events(server, parameters={"max_tokens": 6})
    assert "".join(one["text_output"] for one in found) == alone(PROMPT, 6)
    assert [one["done"] for one in found] == [False] * (len(found) - 1) + [True]
    assert {one["model_name"] for one in found} == {"letters"}


def test_a_stream_of_one_event(server: ByteServer) -> None:
    (found,) = events(server, parameters={"max_tokens": 6, "stream": False})
    assert found["text_output"] == alone(PROMPT, 6)
    assert found["done"] is True


def test_a_stream_is_no_answer_of_generate(server: ByteServer) -> None:
    status, answer = ask(server, parameters={"stream": True})
    assert status == 400
    assert answer == {"error": "A stream is the answer of /generate_stream alone."}


def test_stop_words_and_seeds(server: ByteServer) -> None:
    text = alone(PROMPT, 6)
    found = ask(server, parameters={"max_tokens": 6, "stop": [text[3]]})[1]
    assert found["text_output"] == text[: text.index(text[3])]
    drawn = {"temperature": 2, "seed": 3, "max_tokens": 20}
    assert ask(server, parameters=drawn) == ask(server, parameters=drawn)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({}, "text_input is a text."),
        ({"text_input": ["once"]}, "text_input is a text."),
        ({"text_input": "once", "parameters": []}, "parameters is an object."),
        ({"text_input": "once", "parameters": {"max_tokens": 0}}, "max_tokens is a whole number"),
        ({"text_input": "once", "parameters": {"temperature": "x"}}, "temperature is a number"),
        ({"text_input": "once", "parameters": {"best_of": 2}}, "best_of is a whole number"),
        ({"text_input": "once", "parameters": {"stream": 1}}, "stream is true or false."),
        ({"text_input": "once", "id": "x" * 300}, "id has at most"),
        ({"text_input": "a" * 2_000_000}, "the context holds 512"),
    ],
)
@pytest.mark.parametrize("path", [WHOLE, STREAM])
def test_what_cannot_be_used_is_refused(
    server: ByteServer, path: str, body: dict[str, object], sentence: str
) -> None:
    status, answer = server.call("POST", path, body)
    assert status == 400
    assert sentence in answer["error"]


@pytest.mark.parametrize("body", [b"", b"\xff", b"[" * 60_000, b'"x"', b'{"text_input": "\xff"}'])
def test_bodies_that_are_no_request(server: ByteServer, body: bytes) -> None:
    status, answer = server.call("POST", WHOLE, body)
    assert status == 400
    assert answer == {"error": "The body is not a JSON object in UTF-8."}


def test_random_requests_end_in_a_sentence_or_an_answer(server: ByteServer) -> None:
    chance = random.Random(7)
    values = (None, True, -1, 0, 2**70, 1e308, "", "x", "\ud800", [], [[]], {"a": []})
    names = ("text_input", "parameters", "id", "max_tokens", "stop", "seed", "top_k", "stream")
    statuses = set()
    for _ in range(300):
        body = {"text_input": "on", "max_tokens": 2}
        body |= {name: chance.choice(values) for name in chance.sample(names, 2)}
        statuses.add(server.call("POST", chance.choice((WHOLE, STREAM)), body)[0])
    assert statuses <= {200, 400}
    wait_until(lambda: server.get("/edgewright/status")[1]["language"]["active"] == 0, "idle")


def test_other_models_and_no_model(tmp_path: Path, server: ByteServer) -> None:
    assert ask(server, "/v2/models/other/generate")[0] == 404
    with ServerProcess(f"--model={constant(tmp_path / 'm.onnx', 1)}", log=tmp_path / "log") as one:
        status, answer = one.call("POST", "/v2/models/m/generate", {"text_input": "x"})
        assert status == 400
        assert answer == {"error": "The model 'm' writes no text: use /infer."}
