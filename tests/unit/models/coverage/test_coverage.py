"""Will it run there? The table against the installed runtime, and what is said of models."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from studio.api import Graph, Model, Node, TensorType
from studio.models.coverage import check, releases
from studio.models.coverage.releases import Release, first_with, release_of

OLD = Release("1.14", 18, 8)


def model(opset: int = 17, ir: int = 8, domain: str = "", dtype: str = "float32") -> Model:
    node = Node("one", "Relu", ("x",), ("y",), domain)
    values = {"x": TensorType(dtype, (1,)), "y": TensorType(dtype, (1,))}
    return Model("onnx", Graph("g", (), (), (node,), {}, values), {"": opset}, ir)


def loads(folder: Path, opset: int, ir: int) -> bool:
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy"]
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", ends[:1], ends[1:])
    path = folder / f"{opset}-{ir}.onnx"
    opsets = [helper.make_opsetid("", opset)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=ir), str(path))
    try:
        onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception:
        return False
    return True


def test_the_table_is_true_of_the_installed_runtime(tmp_path: Path) -> None:
    release = release_of(onnxruntime.__version__)
    assert release is not None
    assert loads(tmp_path, release.opset, 8)
    assert loads(tmp_path, 11, release.ir)
    assert not loads(tmp_path, 11, release.ir + 1)
    if release.opset < onnx.defs.onnx_opset_version():
        assert not loads(tmp_path, release.opset + 1, 8)


def test_the_table_grows() -> None:
    rows = releases()
    assert [row.order for row in rows] == sorted({row.order for row in rows})
    for before, after in pairwise(rows):
        assert (after.opset, after.ir) >= (before.opset, before.ir)


def test_what_fits() -> None:
    assert check(model(), OLD) == ()
    assert release_of("1.14.1") == OLD
    assert release_of("99.0") == releases()[-1]
    assert release_of("0.9") is None


@pytest.mark.parametrize(
    ("made", "code", "sentence", "hint"),
    [
        (model(opset=21), "opset", "operator set 21", "1.18 or newer"),
        (model(ir=10), "ir", "version 10", "1.18 or newer"),
        (model(domain="my.company"), "domain", "my.company", "library"),
        (model(dtype="int4"), "type", "int4", "1.18 or newer"),
    ],
)
def test_what_does_not(made: Model, code: str, sentence: str, hint: str) -> None:
    (problem,) = check(made, OLD)
    assert problem.code == code
    assert sentence in problem.text
    assert hint in problem.hint
    assert problem.nodes == (("one",) if code in ("domain", "type") else ())


def test_memory() -> None:
    (problem,) = check(model(), OLD, memory_mb=100, need_mb=200.0)
    assert problem.text == "The model needs about 200 MB, and the machine has 100 MB."
    assert check(model(), OLD, memory_mb=0, need_mb=200.0) == ()


def test_nothing_loads_what_is_newer_than_all() -> None:
    assert first_with(99, 8) is None
    (problem,) = check(model(opset=99), releases()[-1])
    assert "No release loads the model" in problem.hint
