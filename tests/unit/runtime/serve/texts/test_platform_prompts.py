"""Conversations at the addresses of SageMaker, Vertex AI and Azure Machine Learning."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio.runtime.health.golden import ask_golden
from tests.unit.runtime.generate.text_models import alone
from tests.unit.runtime.serve.texts.byte_server import ByteServer, write_model

ADDRESSES = ("/invocations", "/score", "/vertex", "/models/letters/invoke")
QUESTION = {"messages": [{"role": "user", "content": "hello"}], "max_tokens": 6, "temperature": 0}
SEQUENCE = [257, *b"<user>hello\n<assistant>"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ByteServer]:
    """A server with the variables of Vertex AI, which name two of its addresses."""
    folder = tmp_path_factory.mktemp("platforms")
    model = write_model(folder / "letters.gguf")
    routes = {"AIP_PREDICT_ROUTE": "/vertex", "AIP_HEALTH_ROUTE": "/vertex-health"}
    with ByteServer(f"--model={model}", log=folder / "log", **routes) as one:
        yield one


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_conversation_is_answered(server: ByteServer, address: str) -> None:
    status, answer = server.call("POST", address, {**QUESTION, "model": "a name of the platform"})
    assert status == 200
    assert answer["object"] == "chat.completion"
    assert answer["model"] == "letters"
    assert answer["choices"][0]["message"]["content"] == alone(SEQUENCE, 6)


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_conversation_is_streamed(server: ByteServer, address: str) -> None:
    status, raw = server.call("POST", address, {**QUESTION, "stream": True})
    assert status == 200
    assert raw.endswith(b"data: [DONE]\n\n")
    parts = [json.loads(one.removeprefix("data: ")) for one in raw.decode().split("\n\n")[:-2]]
    texts = [part["choices"][0]["delta"].get("content", "") for part in parts]
    assert "".join(texts) == alone(SEQUENCE, 6)


def test_a_text_is_continued(server: ByteServer) -> None:
    body = {"prompt": "once", "max_tokens": 4, "temperature": 0}
    expected = server.call("POST", "/v1/completions", body)[1]["choices"]
    status, answer = server.call("POST", "/invocations", body)
    assert status == 200
    assert answer["choices"] == expected


def test_one_instance_is_one_prediction(server: ByteServer) -> None:
    document = {"instances": [{"messages": QUESTION["messages"]}]}
    document["parameters"] = {"max_tokens": 6, "temperature": 0}
    status, answer = server.call("POST", "/vertex", document)
    assert status == 200
    [prediction] = answer["predictions"]
    assert prediction["choices"][0]["message"]["content"] == alone(SEQUENCE, 6)


REFUSED: list[tuple[Any, str]] = [
    ({"instances": [QUESTION, QUESTION]}, "one conversation"),
    ({"instances": [{**QUESTION, "stream": True}]}, "A stream has no predictions"),
    ({"messages": []}, "at least one message"),
    ({"input_data": QUESTION}, "one conversation"),
    ({"prompt": 7}, "prompt is one text"),
    ({**QUESTION, "messages": [{"role": "user", "content": "x" * 2000}]}, "context"),
    (b'{"messages": [}', "not a JSON object"),
]


@pytest.mark.parametrize(("document", "words"), REFUSED)
def test_what_is_wrong_is_named(server: ByteServer, document: Any, words: str) -> None:
    status, answer = server.call("POST", "/invocations", document)
    assert status == 400
    assert words in answer["error"]["message"]


def test_other_bodies_are_those_of_the_contract(server: ByteServer) -> None:
    """A text with the word alone is an instance like any other."""
    status, answer = server.call("POST", "/invocations", {"instances": ['"messages": once']})
    assert status == 200
    assert isinstance(answer["predictions"][0], str)
    status, answer = server.call("POST", "/invocations", {"texts": "once"})
    assert status == 400
    assert answer["error_code"] == "BAD_REQUEST"


def test_a_compressed_conversation_is_refused_in_the_words_of_the_contract(
    server: ByteServer,
) -> None:
    packed = gzip.compress(json.dumps(QUESTION).encode())
    status, answer = server.call("POST", "/score", packed, **{"Content-Encoding": "gzip"})
    assert status == 400
    assert "exactly one of" in answer["error"]


def test_the_platforms_see_that_it_is_ready(server: ByteServer) -> None:
    for address in ("/ping", "/vertex-health"):
        assert server.call("GET", address)[0] == 200


def test_prompts_of_a_bundle_are_asked_without_an_expected_answer(
    server: ByteServer, tmp_path: Path
) -> None:
    """As the health command of a container asks them."""
    (tmp_path / "golden").mkdir()
    for number, text in enumerate(("once", "ä")):
        path = tmp_path / "golden" / f"{number}.npz"
        np.savez(path, **{"in.text_input": np.array([text])})  # type: ignore[arg-type]
    model = tmp_path / "letters.gguf"
    model.write_text("{}")
    facts = {"sha256": hashlib.sha256(b"{}").hexdigest(), "bytes": 2}
    document = {"format": 1, "name": "letters", "version": 1, "counter": 1}
    document |= {"files": {model.name: facts}, "model": {"file": model.name}}
    document["golden"] = {"rtol": 0.0, "atol": 0.0}
    (tmp_path / "manifest.json").write_text(json.dumps(document))
    link = server.connect()
    found = ask_golden(link, {}, tmp_path)
    link.close()
    assert found == {"samples": 2, "mismatches": 0, "max_error": 0.0}
