"""Metadata that is added at the end of an ONNX file."""

from __future__ import annotations

import os
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from studio.conversion.source_facts import add_metadata


@pytest.fixture
def model(tmp_path: Path) -> Path:
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy"]
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", values[:1], values[1:])
    made = helper.make_model(graph)
    helper.set_model_props(made, {"license": "MIT", "": "nameless"})
    path = tmp_path / "m.onnx"
    onnx.save(made, path)
    return path


def props(path: Path) -> dict[str, str]:
    return {one.key: one.value for one in onnx.load(path).metadata_props}


def test_new_entries_are_added_and_others_stay(model: Path) -> None:
    add_metadata(model, {"license": "GPL", "author": "Ann Ä", "empty": "x" * 300})
    onnx.checker.check_model(str(model))
    assert props(model) == {
        "license": "MIT",
        "": "nameless",
        "author": "Ann Ä",
        "empty": "x" * 300,
    }
    before = model.read_bytes()
    add_metadata(model, {"author": "Bob"})
    assert model.read_bytes() == before


def test_too_much_is_not_added(model: Path) -> None:
    before = model.read_bytes()
    add_metadata(model, {"description": "x" * (1 << 20)})
    assert model.read_bytes() == before


@pytest.mark.parametrize("put", ["link", "pipe"])
def test_what_is_no_file_is_left_alone(model: Path, tmp_path: Path, put: str) -> None:
    before, place = model.read_bytes(), tmp_path / "made.onnx"
    if put == "link":
        place.symlink_to(model)
    else:
        os.mkfifo(place)
    add_metadata(place, {"license": "MIT"})
    assert model.read_bytes() == before


def test_millions_of_fields_are_damage(tmp_path: Path) -> None:
    """They would be read one by one."""
    path = tmp_path / "many.onnx"
    path.write_bytes(b"\x08\x00" * 1_000_000)
    add_metadata(path, {"license": "MIT"})
    assert path.stat().st_size == 2_000_000


@pytest.mark.parametrize(
    "content", [b"\x08", b"\xff" * 40, b"\x72\x7f\x0a", b"\x0b\x00", b"\x3a\x05ab"]
)
def test_a_damaged_file_stays_as_it_is(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(content)
    add_metadata(path, {"license": "MIT"})
    assert path.read_bytes() == content
