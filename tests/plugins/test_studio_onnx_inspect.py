"""Constants read on demand and the texts of operators: inside, outside, narrow, out of reach."""

from __future__ import annotations

from pathlib import Path

import numpy
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from studio.api import InvalidModel, UnsafeModel, UsageError
from studio.api.inspection import Inspector
from studio_onnx.format import OnnxFormat
from tests.plugins.onnx_files import floats, model, save

VALUES = numpy.arange(4096, dtype=numpy.float32)
MOST = 2**20


def stored(path: Path, *constants: TensorProto) -> Path:
    nodes = [helper.make_node("Relu", ["x"], ["y"])]
    return save(model(nodes, [floats("x", [1])], [floats("y", [1])], constants), path)


@pytest.fixture
def form() -> OnnxFormat:
    return OnnxFormat()


def test_it_is_an_inspector(form: OnnxFormat) -> None:
    assert isinstance(form, Inspector)


@pytest.mark.parametrize("size", [4, 4096])
def test_values_in_the_model(form: OnnxFormat, tmp_path: Path, size: int) -> None:
    path = stored(tmp_path / "m.onnx", numpy_helper.from_array(VALUES[:size].reshape(2, -1), "w"))
    assert numpy.array_equal(form.constant(path, "w", MOST), VALUES[:size])


def test_no_more_than_asked_for(form: OnnxFormat, tmp_path: Path) -> None:
    path = stored(tmp_path / "m.onnx", numpy_helper.from_array(VALUES, "w"))
    assert numpy.array_equal(form.constant(path, "w", 1024), VALUES[:256])


def test_values_stored_one_by_one(form: OnnxFormat, tmp_path: Path) -> None:
    tensor = helper.make_tensor("w", TensorProto.FLOAT, [4096], VALUES)
    assert not tensor.HasField("raw_data")
    path = stored(tmp_path / "m.onnx", tensor)
    assert numpy.array_equal(form.constant(path, "w", MOST), VALUES)


def test_values_beside_the_model(form: OnnxFormat, tmp_path: Path) -> None:
    path = stored(tmp_path / "m.onnx", numpy_helper.from_array(VALUES, "w"))
    whole = onnx.load(str(path))
    onnx.save(whole, str(path), save_as_external_data=True, location="w.bin", size_threshold=0)
    assert numpy.array_equal(form.constant(path, "w", 40), VALUES[:8])
    (tmp_path / "w.bin").unlink()
    with pytest.raises(InvalidModel, match=r"w\.bin is missing"):
        form.constant(path, "w", 40)


def test_values_out_of_reach(form: OnnxFormat, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(16))
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4])
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../secret")
    folder = tmp_path / "model"
    folder.mkdir()
    with pytest.raises(UnsafeModel):
        form.constant(stored(folder / "m.onnx", tensor), "w", MOST)


@pytest.mark.parametrize("kind", [TensorProto.INT4, TensorProto.BFLOAT16])
def test_narrow_types_are_widened(form: OnnxFormat, tmp_path: Path, kind: int) -> None:
    tensor = helper.make_tensor("w", kind, [4], [1, -2, 3, -4])
    found = form.constant(stored(tmp_path / "m.onnx", tensor), "w", MOST)
    assert found.dtype == numpy.float32
    assert found.tolist() == [1, -2, 3, -4]


def test_a_constant_node(form: OnnxFormat, tmp_path: Path) -> None:
    node = helper.make_node("Constant", [], ["c"], value=numpy_helper.from_array(VALUES, "inside"))
    add = helper.make_node("Add", ["x", "c"], ["y"])
    path = save(
        model([node, add], [floats("x", [4096])], [floats("y", [4096])]), tmp_path / "m.onnx"
    )
    assert numpy.array_equal(form.constant(path, "c", MOST), VALUES)


def test_what_has_no_numbers(form: OnnxFormat, tmp_path: Path) -> None:
    words = helper.make_tensor("words", TensorProto.STRING, [1], [b"one"])
    path = stored(tmp_path / "m.onnx", words)
    with pytest.raises(UsageError, match="holds no numbers"):
        form.constant(path, "words", MOST)
    with pytest.raises(UsageError, match="no constant 'w'"):
        form.constant(path, "w", MOST)


def test_operators_by_version(form: OnnxFormat) -> None:
    new, old = form.documentation("Relu", "", 21), form.documentation("Relu", "ai.onnx", 7)
    assert new is not None
    assert old is not None
    assert (new.since, old.since) == (14, 6)
    assert new.inputs[0][0] == "X"
    assert form.documentation("Relu", "mine", 1) is None
