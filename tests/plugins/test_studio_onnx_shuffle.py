"""Weights in a random order: the same values elsewhere, and all else as it was."""

from __future__ import annotations

from pathlib import Path

import numpy
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from studio.api import InvalidModel, Silent
from studio_onnx.surgery.shuffle import ShuffleWeights

WEIGHTS = numpy.arange(64, dtype=numpy.float32).reshape(8, 8)
STEPS = numpy.arange(-32, 32, dtype=numpy.int8).reshape(8, 8)


def model(folder: Path, external: bool = False) -> Path:
    value = helper.make_tensor_value_info
    constants = {
        "w": WEIGHTS,
        "q": STEPS,
        "bias": numpy.arange(8, dtype=numpy.float32),
        "shape": numpy.array([[1, 8]], dtype=numpy.int64),
    }
    graph = helper.make_graph(
        [helper.make_node("Gemm", ["x", "w", "bias"], ["y"])],
        "g",
        [value("x", TensorProto.FLOAT, [1, 8])],
        [value("y", TensorProto.FLOAT, [1, 8])],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    path = folder / "model.onnx"
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    onnx.save(made, str(path), save_as_external_data=external, location="data", size_threshold=0)
    return path


def shuffled(source: Path, folder: Path, seed: int) -> Path:
    folder.mkdir()
    return ShuffleWeights().apply(source, folder / "m.onnx", {"seed": seed}, None, Silent()).path


def constants(path: Path) -> dict[str, numpy.ndarray]:
    return {one.name: numpy_helper.to_array(one) for one in onnx.load(str(path)).graph.initializer}


@pytest.mark.parametrize("external", [False, True])
def test_weights_change_places_and_nothing_else_does(tmp_path: Path, external: bool) -> None:
    before, made = model(tmp_path, external), shuffled(model(tmp_path, external), tmp_path / "a", 1)
    first, second = constants(before), constants(made)
    for name in ("w", "q"):
        assert (first[name] != second[name]).any()
        assert sorted(first[name].reshape(-1)) == sorted(second[name].reshape(-1))
    for name in ("bias", "shape"):
        assert (first[name] == second[name]).all()


def test_equal_seeds_give_equal_files(tmp_path: Path) -> None:
    source = model(tmp_path)
    runs = enumerate((1, 1, 2))
    files = [shuffled(source, tmp_path / str(n), seed).read_bytes() for n, seed in runs]
    assert files[0] == files[1]
    assert files[0] != files[2]


def test_what_is_no_model_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "x.onnx"
    path.write_bytes(b"\xff" * 100)
    with pytest.raises(InvalidModel, match=r"x\.onnx cannot be read"):
        shuffled(path, tmp_path / "a", 1)
