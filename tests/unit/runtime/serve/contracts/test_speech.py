"""Text to speech over HTTP: sound, its forms, and what is refused."""

from __future__ import annotations

import gzip
import io
import json
import os
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.unit.runtime.serve import rig
from tests.unit.runtime.speech.programs import put_program

SPEECH = "/v1/audio/speech"
SYMBOLS = ("_", "^", "$", " ", "a", "b", ".", "!")
RATE = 8000


def write_voice(path: Path) -> Path:
    """A voice whose samples are the numbers of its phonemes, times the length, plus one."""
    value = helper.make_tensor_value_info
    nodes = [
        helper.make_node("Cast", ["input"], ["numbers"], to=TensorProto.FLOAT),
        helper.make_node("Gather", ["scales", "second"], ["length"]),
        helper.make_node("Mul", ["numbers", "length"], ["longer"]),
        helper.make_node("Add", ["longer", "one"], ["more"]),
        helper.make_node("Cast", ["input_lengths"], ["count"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["count", "zero"], ["nothing"]),
        helper.make_node("Add", ["more", "nothing"], ["sum"]),
        helper.make_node("Unsqueeze", ["sum", "axes"], ["output"]),
    ]
    constants = {
        "second": np.array(1),
        "one": np.float32(1).reshape(1),
        "zero": np.float32(0).reshape(1),
        "axes": np.array([1, 2]),
    }
    return rig.save_model(
        path,
        nodes,
        [
            value("input", TensorProto.INT64, ["batch", "phonemes"]),
            value("input_lengths", TensorProto.INT64, ["batch"]),
            value("scales", TensorProto.FLOAT, [3]),
        ],
        [value("output", TensorProto.FLOAT, ["batch", 1, 1, "time"])],
        initializer=[numpy_helper.from_array(one, name) for name, one in constants.items()],
    )


def write_bundle(folder: Path, model: Path, language: str = "en-us") -> Path:
    """The root of releases with a voice."""
    release = rig.bundle(folder / "releases", model, 1, "joe")
    path = release / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["outputs"] = {"task": "speech", "rate_hz": RATE, "language": language}
    manifest["outputs"]["scales"] = [0.0, 1.0, 0.0]
    manifest["dictionary"] = "dictionary.txt"
    path.write_text(json.dumps(manifest))
    (release / "dictionary.txt").write_text("".join(f"{one}\n" for one in SYMBOLS))
    rig.switch(folder, release)
    return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[rig.ServerProcess]:
    folder = tmp_path_factory.mktemp("voice")
    programs = put_program(folder / "bin")
    root = write_bundle(folder / "root", write_voice(folder / "voice.onnx"))
    path = f"{programs}:{os.environ['PATH']}"
    with rig.ServerProcess(f"--root={root}", log=folder / "log", PATH=path) as one:
        yield one


def samples_of(content: bytes) -> list[int]:
    with wave.open(io.BytesIO(content)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2)
        return list(np.frombuffer(file.readframes(file.getnframes()), "<i2"))


def pcm(*numbers: float) -> list[int]:
    """One sentence as the voice gives it, as loud as it can be."""
    values = np.array(numbers, np.float32) + 1
    return [int(one) for one in values * np.float32(32767 / values.max())]


def test_a_text_becomes_sound_with_a_pause_between_sentences(server: rig.ServerProcess) -> None:
    status, content = server.call("POST", SPEECH, {"model": "joe", "input": "ab. a!"})
    assert status == 200
    first, second = pcm(1, 0, 4, 0, 5, 0, 6, 0, 2), pcm(1, 0, 4, 0, 7, 0, 2)
    pause = [0] * (RATE // 5)
    assert samples_of(content) == [*first, *pause, *second]


def test_the_model_may_be_left_out_and_pcm_has_no_head(server: rig.ServerProcess) -> None:
    asked = {"input": "a", "response_format": "pcm", "voice": "alloy"}
    status, content = server.call("POST", SPEECH, asked)
    assert status == 200
    assert list(np.frombuffer(content, "<i2")) == pcm(1, 0, 4, 0, 2)


def test_headers_name_the_release_and_forbid_a_cache(server: rig.ServerProcess) -> None:
    connection = server.connect()
    connection.request("POST", SPEECH, json.dumps({"input": "a"}))
    answer = connection.getresponse()
    answer.read()
    assert answer.headers["Content-Type"] == "audio/wav"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Edgewright-Model-Version"] == "1"
    connection.close()


def test_speed_shortens_the_length(server: rig.ServerProcess) -> None:
    asked = {"input": "a", "response_format": "pcm", "speed": 0.5}
    content = server.call("POST", SPEECH, asked)[1]
    assert list(np.frombuffer(content, "<i2")) == pcm(2, 0, 8, 0, 4)


@pytest.mark.parametrize(
    ("asked", "status", "sentence"),
    [
        ({}, 400, "input is the text to be spoken."),
        ({"input": " \n"}, 400, "input is the text to be spoken."),
        ({"input": 3}, 400, "input is a text."),
        ({"input": "?!"}, 400, "The text has no words."),
        ({"input": "a" * 5000}, 400, "The text has 5,000 characters, and 4,096 are the most."),
        ({"input": "a", "speed": 9}, 400, "speed is a number from 0.25 to 4."),
        ({"input": "a", "response_format": "mp3"}, 400, "response_format is wav or pcm here."),
        ({"input": "a", "model": "eve"}, 404, "This server has no voice 'eve', but joe."),
        ({"input": "fail"}, 503, "espeak-ng failed: no such voice"),
        ({"input": "a. " * 250}, 400, "The text has 250 clauses, and 200 are the most."),
        ([], 400, "The body is not a JSON object in UTF-8."),
    ],
)
def test_requests_that_are_refused(
    server: rig.ServerProcess, asked: Any, status: int, sentence: str
) -> None:
    found, document = server.call("POST", SPEECH, asked)
    assert found == status
    assert document["error"]["message"] == sentence


def test_a_bomb_is_refused_before_it_is_unpacked(server: rig.ServerProcess) -> None:
    body = gzip.compress(b'{"input": "a", "x": "' + b" " * (1 << 20) + b'"}')
    status, _ = server.call("POST", SPEECH, body, **{"Content-Encoding": "gzip"})
    assert status == 413


def test_arrays_get_the_sound_by_predict(server: rig.ServerProcess) -> None:
    inputs = [
        {"name": "input", "datatype": "INT64", "shape": [1, 3], "data": [1, 4, 2]},
        {"name": "input_lengths", "datatype": "INT64", "shape": [1], "data": [3]},
        {"name": "scales", "datatype": "FP32", "shape": [3], "data": [0.0, 1.0, 0.0]},
    ]
    status, document = server.call("POST", "/v2/models/joe/predict", {"inputs": inputs})
    assert status == 200
    assert document["task"] == "speech"
    (found,) = document["predictions"]
    assert found["seconds"] == 3 / RATE
    assert found["peak"] == 5.0
    assert found["wav"].startswith("UklGR")


def test_a_server_without_a_voice(echo: rig.ServerProcess) -> None:
    status, document = echo.call("POST", SPEECH, {"input": "a", "model": "joe"})
    assert status == 404
    assert document["error"]["message"] == "This server has no voice 'joe', but none."
