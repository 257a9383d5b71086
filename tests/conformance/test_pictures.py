"""A camera's picture, sent with curl to every address that takes one."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conformance.conftest import Ask
from tests.conformance.curl import data, send
from tests.unit.runtime.serve.rig import ServerProcess

OURS = "/edgewright/models/bright/image"


@pytest.fixture(params=["png", "jpeg"])
def picture(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    pixels = np.full((30, 20, 3), 204, np.uint8)
    path = tmp_path / f"it.{request.param}"
    Image.fromarray(pixels).save(path)
    return path


def test_our_address_says_what_is_on_it(ask: Ask, bright: ServerProcess, picture: Path) -> None:
    for path in (OURS, "/edgewright/models/bright/versions/1/image"):
        answer = ask(bright, path, *send(picture, f"image/{picture.suffix[1:]}"))
        assert answer.status == 200, answer.body
        (output,) = answer.json["outputs"]
        assert output["shape"] == [1, 2]
        assert output["data"] == pytest.approx([0.2, 0.8], abs=1e-5)
        first, second = answer.json["labels"]
        assert (first["label"], first["index"]) == ("bright", 1)
        assert first["score"] == pytest.approx(0.8, abs=1e-5)
        assert second["label"] == "dark"


@pytest.mark.parametrize("path", ["/invocations", "/score", "/v1/models/bright:predict"])
def test_cloud_addresses(ask: Ask, bright: ServerProcess, picture: Path, path: str) -> None:
    answer = ask(bright, path, *send(picture, "image/*"))
    assert answer.json["predictions"][0] == pytest.approx([0.2, 0.8], abs=1e-5)
    assert answer.json["labels"][0][0]["label"] == "bright"


def test_pictures_in_base64(ask: Ask, bright: ServerProcess, picture: Path, tmp_path: Path) -> None:
    dark = tmp_path / "dark.png"
    Image.new("RGB", (7, 9)).save(dark)
    entries = [{"b64": base64.b64encode(path.read_bytes()).decode()} for path in (picture, dark)]
    for instances in (entries, [{"image": entry} for entry in entries]):
        answer = ask(bright, "/v1/models/bright:predict", *data({"instances": instances}))
        assert answer.json["predictions"][0] == pytest.approx([0.2, 0.8], abs=1e-5)
        assert answer.json["predictions"][1] == [1.0, 0.0]
    for wrong in ({"b64": "*"}, {"b64": 3}, {"c64": ""}, [0]):
        document = {"instances": [entries[0], wrong]}
        assert ask(bright, "/score", *data(document)).status == 400


def test_refusals(ask: Ask, bright: ServerProcess, doubled: ServerProcess, picture: Path) -> None:
    assert ask(bright, OURS, *data("GIF89a", "image/gif")).status == 415
    cut = picture.with_name("cut")
    cut.write_bytes(picture.read_bytes()[:-30])
    answer = ask(bright, OURS, *send(cut, "image/png"))
    assert (answer.status, answer.json) == (400, {"error": "The picture is damaged."})
    assert ask(bright, "/edgewright/models/no/image", *send(picture, "image/png")).status == 404
    answer = ask(doubled, "/edgewright/models/doubled/image", *send(picture, "image/png"))
    assert answer.status == 415
    sentence = "The model 'doubled' takes no pictures: its bundle has no preprocess."
    assert answer.json == {"error": sentence}


def test_a_bundle_whose_preprocessing_is_unknown_does_not_start(tmp_path: Path) -> None:
    from tests.conformance import models

    model = models.brightness(tmp_path / "bright.onnx")
    made = models.bundle(tmp_path / "bundle", model, preprocess={"rotate": 90})
    server = ServerProcess(f"--bundle={made}", log=tmp_path / "log")
    assert server.stop() == 1
    assert "there is no setting 'rotate'" in (tmp_path / "log").read_text()
