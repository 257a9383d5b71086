"""OpenAI's endpoint for embeddings over real HTTP: vectors by hand, limits, hostile requests."""

from __future__ import annotations

import base64
import gzip
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio.packages.bundle import Bundle
from studio.packages.work import package
from studio.registry import ModelRef
from tests.rigs.bundles import QuietJob, package_options
from tests.rigs.small_encoder import MOST, WIDTH, WORDS, expected, write_encoder
from tests.unit.runtime.serve.rig import ServerProcess, constant
from tests.unit.runtime.serve.texts.byte_server import ByteServer, write_model

PATH = "/v1/embeddings"
PUMP = [2, 5, 6, 3]
"""The tokens of "the pump"."""


def packaged(folder: Path, **settings: Any) -> Path:
    """Return the folder of the bundle of an encoder."""
    model = write_encoder(folder / "model", **settings)
    ref = ModelRef(str(model), "0" * 64, 1, 1, "encoder", "original", "onnx", "fp32")
    found = package(package_options(ref), QuietJob(folder / "job"))
    return Bundle.open(Path(found.bundle)).folder


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("encoder")
    bundle = packaged(folder, matryoshka_dimensions=[2])
    with ServerProcess(f"--bundle={bundle}", log=folder / "log") as one:
        yield one


def ask(server: ServerProcess, given: object, **more: object) -> tuple[int, Any]:
    """Ask for embeddings."""
    return server.call("POST", PATH, {"input": given, **more})


def vectors(answer: Any) -> np.ndarray:
    """Return the vectors of an answer in their order."""
    assert [row["index"] for row in answer["data"]] == list(range(len(answer["data"])))
    return np.array([row["embedding"] for row in answer["data"]])


def test_the_vector_of_a_text(server: ServerProcess) -> None:
    status, answer = ask(server, "The pump", model="encoder")
    assert status == 200
    assert answer["object"] == "list"
    assert answer["model"] == "encoder"
    assert answer["usage"] == {"prompt_tokens": 4, "total_tokens": 4}
    np.testing.assert_allclose(vectors(answer), [expected(PUMP)], atol=1e-6)


def test_several_texts_keep_their_order(server: ServerProcess) -> None:
    texts = ["dry", "the pump runs dry, the hall runs dry", "the pump"] * 30
    status, answer = ask(server, texts)
    assert status == 200
    found = vectors(answer)
    for place, text in enumerate(texts):
        tokens = {1: [2, 10, 3], 2: PUMP}.get(len(text.split()))
        if tokens is not None:
            np.testing.assert_allclose(found[place], expected(tokens), atol=1e-6)
    np.testing.assert_allclose(found[1], found[-2], atol=1e-6)


def test_tokens_are_taken_as_they_are(server: ServerProcess) -> None:
    _, of_text = ask(server, "the pump")
    _, of_tokens = ask(server, PUMP)
    _, of_lists = ask(server, [PUMP, [2, 10, 3]])
    assert vectors(of_tokens).tolist() == vectors(of_text).tolist()
    np.testing.assert_allclose(vectors(of_lists)[1], expected([2, 10, 3]), atol=1e-6)
    assert of_lists["usage"]["prompt_tokens"] == 7


def test_base64_has_the_same_floats(server: ServerProcess) -> None:
    _, plain = ask(server, ["the pump", "dry"])
    _, packed = ask(server, ["the pump", "dry"], encoding_format="base64")
    for row, vector in zip(packed["data"], vectors(plain), strict=True):
        found = np.frombuffer(base64.b64decode(row["embedding"]), "<f4")
        assert found.tolist() == vector.astype(np.float32).tolist()


def test_shorter_vectors_where_the_model_allows_them(server: ServerProcess) -> None:
    _, answer = ask(server, "the pump", dimensions=2)
    short = expected(PUMP)[:2]
    np.testing.assert_allclose(vectors(answer), [short / np.linalg.norm(short)], atol=1e-6)
    status, answer = ask(server, "the pump", dimensions=3)
    assert status == 400
    assert answer["error"]["message"] == f"dimensions is one of 2, {WIDTH}."
    assert answer["error"]["param"] == "dimensions"


def test_long_texts_are_refused_or_cut_on_request(server: ServerProcess) -> None:
    text = "pump " * 30
    status, answer = ask(server, ["dry", text])
    assert status == 400
    assert answer["error"]["message"].startswith("input[1]: A text has 32 tokens; the model takes")
    assert answer["error"]["code"] == "context_length_exceeded"
    _, cut = ask(server, text, truncate_prompt_tokens=-1)
    assert cut["usage"]["prompt_tokens"] == MOST
    np.testing.assert_allclose(vectors(cut), [expected([2, *[6] * (MOST - 2), 3])], atol=1e-6)
    _, cut = ask(server, text, truncate_prompt_tokens=3)
    np.testing.assert_allclose(vectors(cut), [expected([2, 6, 3])], atol=1e-6)


def test_the_model_is_listed(server: ServerProcess) -> None:
    _, answer = server.get("/v1/models")
    (row,) = answer["data"]
    assert row["id"] == "encoder"
    assert row["max_model_len"] == MOST


def test_a_compressed_request(server: ServerProcess) -> None:
    body = gzip.compress(json.dumps({"input": "the pump"}).encode())
    status, answer = server.call("POST", PATH, body, **{"Content-Encoding": "gzip"})
    assert status == 200
    np.testing.assert_allclose(vectors(answer), [expected(PUMP)], atol=1e-6)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("", "input is empty."),
        ([], "input is a text"),
        (None, "input is a text"),
        (7, "input is a text"),
        ({"a": 1}, "input is a text"),
        (["a", 1], "input is a text"),
        (["a", ""], "input[1] is empty."),
        ([[]], "input is empty."),
        ([True], "input is a text"),
        ([len(WORDS)], "whole numbers below"),
        ([-1], "whole numbers below"),
        ([10**30], "whole numbers below"),
        ([[1, "a"]], "whole numbers below"),
        ([1] * 100, "A text has 100 tokens"),
        (["a"] * 100_000, "at most 2048 texts"),
        ("a" * 2_000_000, "A text has more than 16 tokens"),
    ],
)
def test_what_cannot_be_used_is_refused(
    server: ServerProcess, given: object, sentence: str
) -> None:
    status, answer = ask(server, given)
    assert status == 400
    assert sentence in answer["error"]["message"]
    assert answer["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    "fields",
    [
        {"encoding_format": "hex"},
        {"dimensions": 0},
        {"dimensions": "2"},
        {"truncate_prompt_tokens": -2},
        {"truncate_prompt_tokens": 10**9},
        {"model": 7},
    ],
)
def test_fields_that_cannot_be_used(server: ServerProcess, fields: dict[str, object]) -> None:
    status, answer = ask(server, "the pump", **fields)
    assert status == 400
    assert answer["error"]["param"] == next(iter(fields))


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff\xfe", b'{"input": "\xff"}', b"[" * 60_000, b'"x"', b'{"input": NaN}'],
)
def test_bodies_that_are_no_request(server: ServerProcess, body: bytes) -> None:
    status, answer = server.call("POST", PATH, body)
    assert status == 400
    assert answer["error"]["message"] == "The body is not a JSON object in UTF-8."


def test_a_body_of_ten_megabytes_is_refused(server: ServerProcess) -> None:
    body = json.dumps({"input": "a" * (10 << 20)}).encode()
    try:
        status, _ = server.call("POST", PATH, body)
    except (ConnectionError, OSError):
        status = 413  # the connection was closed before all of it was sent
    assert status == 413
    assert ask(server, "the pump")[0] == 200


def test_lone_surrogates_and_odd_letters(server: ServerProcess) -> None:
    status, answer = server.call("POST", PATH, b'{"input": "\\ud800 the \\u0000pump"}')
    assert status == 200
    assert np.isfinite(vectors(answer)).all()


def test_random_requests_end_in_a_sentence_or_an_answer(server: ServerProcess) -> None:
    chance = random.Random(5)
    values = (None, True, -1, 0, 2**70, 1e308, "", "dry", "\x00", [], ["dry"], [[2]], {"a": []})
    names = ("input", "model", "dimensions", "encoding_format", "truncate_prompt_tokens", "user")
    statuses = set()
    for _ in range(300):
        chosen = chance.sample(names, 3)
        body = {"input": "the pump", **{name: chance.choice(values) for name in chosen}}
        statuses.add(server.call("POST", PATH, body)[0])
    assert statuses <= {200, 400, 404}
    assert ask(server, "the pump")[0] == 200


@pytest.mark.parametrize(("rows", "columns"), [(1, "columns"), (1, 8), (4, 8)])
def test_models_of_fixed_sizes(tmp_path: Path, rows: int, columns: int | str) -> None:
    bundle = packaged(tmp_path, rows=rows, columns=columns)
    with ServerProcess(f"--bundle={bundle}", log=tmp_path / "log") as one:
        status, answer = ask(one, ["the pump", "dry", "the pump", "dry", "the pump"])
        assert status == 200
        found = vectors(answer)
        np.testing.assert_allclose(found[0], expected(PUMP), atol=1e-6)
        np.testing.assert_allclose(found[3], expected([2, 10, 3]), atol=1e-6)
        status, answer = ask(one, "pump " * 12)
        assert status == (200 if columns == "columns" else 400)


def test_a_server_of_other_models_says_so(tmp_path: Path) -> None:
    with ServerProcess(f"--model={constant(tmp_path / 'm.onnx', 1)}", log=tmp_path / "log") as one:
        status, answer = ask(one, "the pump", model="m")
        assert status == 404
        assert answer["error"]["message"] == "This server has no model of embeddings."


def test_a_language_model_gives_no_embeddings(tmp_path: Path) -> None:
    model = write_model(tmp_path / "letters.gguf")
    with ByteServer(f"--model={model}", log=tmp_path / "log") as one:
        status, answer = ask(one, "the pump")
        assert status == 404
        assert answer["error"]["code"] == "model_not_found"
