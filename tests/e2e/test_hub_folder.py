"""A folder of Hugging Face with an ONNX file: converted without an environment, labels included."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import onnx
import pytest

from tests.e2e.conftest import Studio

pytestmark = [pytest.mark.slow, pytest.mark.needs("bwrap")]

PICTURES = {
    "do_resize": True,
    "size": {"height": 8, "width": 8},
    "resample": 3,
    "do_normalize": False,
}


@pytest.fixture
def folder(tmp_path: Path, digits: Path) -> Path:
    """A folder as exporters leave it."""
    place = tmp_path / "mine"
    (place / "onnx").mkdir(parents=True)
    shutil.copyfile(digits / "digits.onnx", place / "onnx" / "model.onnx")
    names = {str(number): f"number {number}" for number in range(10)}
    (place / "config.json").write_text(json.dumps({"id2label": names}))
    (place / "preprocessor_config.json").write_text(json.dumps(PICTURES))
    (place / "README.md").write_text("---\nlicense: cc0-1.0\n---\n")
    return place


def test_its_labels_its_settings_and_its_licence_come_along(
    studio: Studio, folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    found = studio.ok("convert", folder, "--out", out / "digits.onnx")
    assert found["format"] == "hugging-face-onnx"
    assert found["metadata"] == {"license": "cc0-1.0"}
    assert found["written"] == [str(out / "labels.txt"), str(out / "preprocess.toml")]
    assert sorted(found["carried"]) == ["labels", "preprocess"]
    assert "bicubic" in found["warnings"][0]
    assert "which was taken as it is" in found["warnings"][1]
    props = {one.key: one.value for one in onnx.load(out / "digits.onnx").metadata_props}
    assert props["license"] == "cc0-1.0"
    shutil.rmtree(folder)
    project = studio.ok("project", "show", "mine")
    assert Path(project["labels"]).read_text().splitlines()[9] == "number 9"
    assert Path(project["preprocess"]).read_text().splitlines()[:3] == [
        "# From mine.",
        'color = "RGB"',
        'resize = "stretch"',
    ]
    assert project["task"] == "classification"
    assert project["issues"] == []


def test_a_file_of_the_folder_comes_first(studio: Studio, folder: Path) -> None:
    (folder / "labels.txt").write_text("x\n" * 10)
    studio.ok("convert", folder)
    project = studio.ok("project", "show", "mine")
    assert project["labels"] == str(folder / "labels.txt")
    studio.ok("convert", folder, "--name", "other")
    refused = studio.run("convert", folder, "--input", "x=1,1,8,8")
    assert refused.code == 2
    assert "they cannot be changed" in refused.err


def test_an_onnx_file_elsewhere_is_not_taken(studio: Studio, folder: Path, digits: Path) -> None:
    (folder / "onnx" / "model.onnx").unlink()
    (folder / "onnx" / "model.onnx").symlink_to(digits / "digits.onnx")
    refused = studio.run("convert", folder)
    assert refused.code == 1
    assert "leads out of the folder" in refused.err
