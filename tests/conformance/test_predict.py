"""Answers with a meaning: what a camera's picture or an array becomes at ``/predict``."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.conformance import models
from tests.conformance.conftest import Ask
from tests.conformance.curl import data, send
from tests.conformance.test_fuzzing import EXPECTED, FUZZ, KINDS, Client, documents
from tests.unit.runtime.serve.rig import ServerProcess

PATH = "/v2/models/detector/predict"
WIDTH, HEIGHT = 320, 160
"""The picture is scaled by a tenth, and lies 8 pixels below the top of the input."""

IN_PICTURE = [80.0, 0.0, 240.0, 40.0]


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "it.png"
    Image.fromarray(np.full((HEIGHT, WIDTH, 3), 90, np.uint8)).save(path)
    return path


def test_boxes_are_in_pixels_of_the_picture(
    ask: Ask, detector: ServerProcess, picture: Path
) -> None:
    for path in (PATH, "/v2/models/detector/versions/1/predict"):
        answer = ask(detector, path, *send(picture, "image/png"))
        assert answer.status == 200, answer.body
        assert (answer.json["model_name"], answer.json["model_version"]) == ("detector", "1")
        assert answer.json["task"] == "detection"
        assert answer.json["picture"] == {"width": WIDTH, "height": HEIGHT}
        (found,) = answer.json["predictions"]
        (one,) = found["objects"]
        assert (one["label"], one["index"], one["score"]) == ("dog", 1, 0.75)
        # The upper part of the box lies above the picture, in the padding.
        assert one["box"] == pytest.approx(IN_PICTURE, abs=0.01)


def test_rows_of_several_outputs_are_objects_of_one_picture(
    ask: Ask, segmenter: ServerProcess, picture: Path
) -> None:
    answer = ask(segmenter, "/v2/models/segmenter/predict", *send(picture, "image/png"))
    assert answer.status == 200, answer.body
    (found,) = answer.json["predictions"]
    assert [one["label"] for one in found["objects"]] == ["dog", "cat"]
    assert found["objects"][0]["box"] == pytest.approx(IN_PICTURE, abs=0.01)
    # The right half of 16 columns; four rows of the box are in the picture.
    assert found["objects"][0]["mask"] == {"width": 16, "height": 4, "runs": [8] * 8}


@pytest.mark.parametrize("kind", ["png", "jpeg"])
def test_a_picture_with_the_answer_is_drawn_where_it_is_accepted(
    ask: Ask, segmenter: ServerProcess, picture: Path, kind: str
) -> None:
    accept = ("-H", f"Accept: image/{kind}")
    answer = ask(segmenter, "/v2/models/segmenter/predict", *send(picture, "image/png"), *accept)
    assert answer.status == 200, answer.body
    assert answer.kind == f"image/{kind}"
    with Image.open(io.BytesIO(answer.body)) as image:
        pixels = np.asarray(image)
    assert pixels.shape == (HEIGHT, WIDTH, 3)
    red, blue = pixels[30, 200].astype(int), pixels[30, 120].astype(int)
    assert red[0] > red[2] + 20  # the right half of the box is the object
    assert abs(blue - 90).max() < 12


def test_no_cache_keeps_a_drawing(ask: Ask, segmenter: ServerProcess, picture: Path) -> None:
    path = "/v2/models/segmenter/predict"
    answer = ask(segmenter, path, *send(picture, "image/png"), "-H", "Accept: image/png", "-i")
    assert b"cache-control: no-store\r\n" in answer.body.lower()


def test_an_array_is_not_drawn(ask: Ask, segmenter: ServerProcess) -> None:
    path = "/v2/models/segmenter/predict"
    answer = ask(segmenter, path, *data(arrays()), "-H", "Accept: image/png")
    assert answer.status == 406
    assert "answer to pictures alone" in answer.json["error"]


def arrays() -> dict[str, Any]:
    return {
        "inputs": [
            {"name": "image", "datatype": "FP32", "shape": [1, 3, 32, 32], "data": [0.5] * 3072}
        ]
    }


def test_boxes_of_an_array_are_in_pixels_of_the_input(ask: Ask, detector: ServerProcess) -> None:
    named = {**arrays(), "outputs": [{"name": "output0"}]}
    for document in (arrays(), named, {"instances": np.full((1, 3, 32, 32), 0.5).tolist()}):
        answer = ask(detector, PATH, *data(document))
        assert answer.status == 200, answer.body
        assert "picture" not in answer.json
        (one,) = answer.json["predictions"][0]["objects"]
        assert one["box"] == list(models.BOX)


def test_infer_stays_raw(ask: Ask, detector: ServerProcess) -> None:
    answer = ask(detector, "/v2/models/detector/infer", *data(arrays()))
    assert answer.json["outputs"][0]["shape"] == [1, 6, 21]


def test_a_model_without_a_meaning_says_so(ask: Ask, bright: ServerProcess, picture: Path) -> None:
    answer = ask(bright, "/v2/models/bright/predict", *send(picture, "image/png"))
    assert answer.status == 404
    assert "has no outputs.toml: use /infer" in answer.json["error"]
    missing = ask(bright, "/v2/models/missing/predict", *send(picture, "image/png"))
    assert missing.status == 404


def test_a_batch_is_decoded_one_by_one(ask: Ask, folder: Path) -> None:
    made = models.bundle(
        folder / "classes",
        models.brightness(folder / "classes.onnx"),
        labels=["dark", "bright"],
        outputs={"task": "classification"},
    )
    with ServerProcess(f"--bundle={made}", log=folder / "classes.log") as server:
        pixels = np.stack([np.full((1, 4, 4), share) for share in (0.1, 0.9, 0.8)])
        answer = ask(server, "/v2/models/classes/predict", *data({"instances": pixels.tolist()}))
        best = [one["classes"][0]["label"] for one in answer.json["predictions"]]
        assert best == ["dark", "bright", "bright"]


@pytest.mark.parametrize(
    ("outputs", "sentence"),
    [
        ({"task": "magic"}, "task cannot be"),
        ({"task": "text", "x": 1}, "unknown setting"),
        ([1], "object"),
    ],
)
def test_a_bundle_whose_outputs_are_unknown_is_not_served(
    folder: Path, tmp_path: Path, outputs: object, sentence: str
) -> None:
    made = models.bundle(
        tmp_path / "wrong", models.brightness(tmp_path / "wrong.onnx"), outputs=outputs
    )
    server = ServerProcess(f"--bundle={made}", log=tmp_path / "wrong.log")
    assert not server.ready
    assert server.stop() != 0
    assert "The outputs of the bundle cannot be decoded: " in server.log.read_text()
    assert sentence in server.log.read_text()


@pytest.fixture
def client(detector: ServerProcess) -> Iterator[Client]:
    found = Client(detector)
    yield found
    found.close()
    assert detector.process.poll() is None
    assert "Traceback" not in Path(detector.log).read_text()


@FUZZ
@given(body=st.binary(max_size=300), kind=st.sampled_from(KINDS))
def test_bytes_of_any_kind(client: Client, body: bytes, kind: str) -> None:
    assert client.status(PATH, body, content_type=kind) in EXPECTED


@FUZZ
@given(document=documents)
def test_any_document(client: Client, document: Any) -> None:
    body = json.dumps(document).encode()
    assert client.status(PATH, body, content_type="application/json") in EXPECTED
