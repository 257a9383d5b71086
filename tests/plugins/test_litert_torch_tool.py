"""The parts of the TFLite writer that need no PyTorch: metadata, read by the reader's own code."""

from __future__ import annotations

import importlib.util
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.plugins.test_tensorflow_tool import lite, part

TOOL = Path(__file__).parents[2] / "plugins" / "studio_litert_torch" / "tool_metadata.py"
SCALED = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])

__all__ = ["part"]


@pytest.fixture
def writer(monkeypatch: pytest.MonkeyPatch) -> Any:
    about = importlib.util.spec_from_file_location("written_metadata", TOOL)
    assert about is not None
    assert about.loader is not None
    made = importlib.util.module_from_spec(about)
    monkeypatch.setitem(sys.modules, about.name, made)
    about.loader.exec_module(made)
    return made


def facts(writer: Any, *, color: str = "RGB", labels: int = 3, layout: str = "NCHW") -> Any:
    shape = (1, 3, 24, 32) if layout == "NCHW" else (1, 24, 32, 3)
    names = [f"class {one} é" for one in range(labels)]
    prepared = writer.Preparation(color, "stretch", layout, 1 / 255, *SCALED)
    texts = {"author": "A. N.", "license": "MIT", "description": "Birds\nand bees"}
    return writer.Facts(
        [("image", shape)], [("boxes", (1, 4)), ("p", (1, 3))], texts, names, prepared
    )


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_what_is_written_is_read(writer: Any, part: Any, tmp_path: Path, layout: str) -> None:
    known = facts(writer, layout=layout)
    path = tmp_path / "m.tflite"
    path.write_bytes(lite(writer.encoded(known)))
    writer.append_labels(str(path), known.labels)
    assert list(known.problems()) == []
    reader = part("tool_metadata")
    found = reader.described(path.read_bytes(), reader.Input(known.inputs[0][1], "float32"))
    assert found["labels"] == list(known.labels)
    assert found["metadata"] == known.texts
    picture = found["preprocess"]
    assert (picture["height"], picture["width"], picture["color"]) == (24, 32, "RGB")
    assert picture["layout"] == layout
    assert picture["scale"] == 1.0
    for values, scaled in zip((picture["mean"], picture["std"]), SCALED, strict=True):
        assert values == pytest.approx([255 * one for one in scaled], rel=1e-5)


def test_equal_models_have_equal_bytes(writer: Any, tmp_path: Path) -> None:
    pair = [tmp_path / "a.tflite", tmp_path / "b.tflite"]
    for path in pair:
        path.write_bytes(lite(writer.encoded(facts(writer))))
        writer.append_labels(str(path), ["x"])
    assert pair[0].read_bytes() == pair[1].read_bytes()
    assert zipfile.ZipFile(pair[0]).read("labels.txt") == b"x\n"


def test_what_has_no_place_is_named_and_left_out(writer: Any, part: Any) -> None:
    known = facts(writer, color="BGR", labels=5)
    labels, preparation = known.problems()
    assert labels == "No output has a value for each of the 5 labels, so the file has none."
    assert "cannot express this preprocessing" in preparation
    reader = part("tool_metadata")
    found = reader.described(lite(writer.encoded(known)), reader.Input((1, 3, 24, 32), "float32"))
    assert sorted(found) == ["metadata"]
