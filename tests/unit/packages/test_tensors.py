"""Large tensors as files of their own: nothing is lost, and only what differs differs."""

from __future__ import annotations

from pathlib import Path

import numpy
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from studio.packages.tensors import FOLDER, Split, Unreadable, split
from tests.rigs.bundles import make_bundle

BIG = 300
LEAST = 1000


def make_model(path: Path, head: int = 0, *, external: bool = False) -> Path:
    """Two layers; the second's weights follow from a seed."""
    chance = numpy.random.default_rng(7)
    body = chance.standard_normal((BIG, BIG)).astype(numpy.float32)
    tail = numpy.random.default_rng(head).standard_normal((BIG, 10)).astype(numpy.float32)
    small = chance.standard_normal(10).astype(numpy.float32)
    nodes = [
        helper.make_node("MatMul", ["x", "body"], ["h"]),
        helper.make_node("MatMul", ["h", "tail"], ["t"]),
        helper.make_node("Add", ["t", "small"], ["y"]),
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "g",
        [value("x", TensorProto.FLOAT, ["n", BIG])],
        [value("y", TensorProto.FLOAT, ["n", 10])],
        [numpy_helper.from_array(a, n) for n, a in (("body", body), ("tail", tail))]
        + [helper.make_tensor("small", TensorProto.FLOAT, [10], small)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    model.metadata_props.add(key="author", value="ann")
    more = {"location": "data.bin", "size_threshold": 100} if external else {}
    onnx.save(model, path, save_as_external_data=external, **more)
    return path


def write(found: Split, folder: Path) -> Path:
    (folder / FOLDER).mkdir(parents=True)
    for name, content in found.tensors.items():
        (folder / name).write_bytes(content)
    path = folder / "model.onnx"
    path.write_bytes(found.model)
    return path


def answer(path: Path) -> numpy.ndarray:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    feed = numpy.linspace(-1, 1, 2 * BIG, dtype=numpy.float32).reshape(2, BIG)
    return numpy.asarray(session.run(None, {"x": feed})[0])


@pytest.mark.parametrize("external", [False, True])
def test_the_same_model_comes_out(tmp_path: Path, external: bool) -> None:
    source = make_model(tmp_path / "m.onnx", external=external)
    found = split(source, LEAST)
    assert len(found.tensors) == 2
    assert not found.left
    path = write(found, tmp_path / "out")
    assert path.stat().st_size < 2000
    assert numpy.array_equal(answer(path), answer(source))
    before, after = onnx.load(source), onnx.load(path)
    onnx.checker.check_model(str(path))
    for one, other in zip(before.graph.initializer, after.graph.initializer, strict=True):
        for tensor in (one, other):
            tensor.ClearField("data_location")
        assert one == other
    assert after.metadata_props == before.metadata_props
    assert found.tensors == split(make_model(tmp_path / "again.onnx"), LEAST).tensors


def test_another_head_is_one_other_file(tmp_path: Path) -> None:
    one = split(make_model(tmp_path / "a.onnx", head=1), LEAST)
    other = split(make_model(tmp_path / "b.onnx", head=2), LEAST)
    assert len(set(one.tensors) & set(other.tensors)) == 1
    assert len(set(one.tensors) ^ set(other.tensors)) == 2


def test_a_large_constant_is_a_tensor_too(tmp_path: Path) -> None:
    source = make_model(tmp_path / "m.onnx")
    model = onnx.load(source)
    (body,) = [one for one in model.graph.initializer if one.name == "body"]
    model.graph.initializer.remove(body)
    node = helper.make_node("Constant", [], ["body"], name="c")
    node.attribute.append(helper.make_attribute("value", body))
    model.graph.node.insert(0, node)
    onnx.save(model, tmp_path / "c.onnx")
    found = split(tmp_path / "c.onnx", LEAST)
    assert set(found.tensors) == set(split(source, LEAST).tensors)
    path = write(found, tmp_path / "out")
    onnx.checker.check_model(str(path))
    assert numpy.array_equal(answer(path), answer(source))
    model.ir_version = 3  # knows no initializers that are no inputs
    onnx.save(model, tmp_path / "old.onnx")
    assert len(split(tmp_path / "old.onnx", LEAST).tensors) == 1


def test_small_tensors_stay(tmp_path: Path) -> None:
    source = make_model(tmp_path / "m.onnx")
    found = split(source, 1 << 30)
    assert (found.tensors, found.model) == ({}, source.read_bytes())


@pytest.mark.parametrize("content", [b"noise", b"\x00", b"\x3a\xff\xff\xff\xff\x0f", b"\x0b\x0b"])
def test_what_is_no_model_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(content)
    with pytest.raises(Unreadable):
        split(path)


def test_data_outside_the_folder_is_not_read(tmp_path: Path) -> None:
    source = make_model(tmp_path / "m.onnx", external=True)
    for wrong in ("../data.bin", "/etc/host", ""):
        model = onnx.load(source, load_external_data=False)
        for tensor in model.graph.initializer:
            for entry in tensor.external_data:
                if entry.key == "location":
                    entry.value = wrong
        (tmp_path / "w.onnx").write_bytes(model.SerializeToString())
        with pytest.raises(Unreadable, match="refers to the file"):
            split(tmp_path / "w.onnx")


def test_a_bundle_of_a_small_model_has_one_file_for_it(tmp_path: Path) -> None:
    names = {file.name for file in make_bundle(tmp_path, 1).files}
    assert "model.onnx" in names
