"""Values of a model given a segment at a time: the same ones, and few are held at once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy
import onnx
import pytest
from onnx import NodeProto, TensorProto, helper, numpy_helper

from studio.api import Array
from studio_onnxruntime.backend import OnnxRuntime
from studio_onnxruntime.passes import Pass
from studio_onnxruntime.sensitivity.pieces import CutModel

LAYERS = 30
WEIGHT = numpy.random.default_rng(0).normal(size=(4, 4, 1, 1)).astype("float32") / 2
X = {"x": numpy.random.default_rng(1).normal(size=(1, 4, 16, 16)).astype("float32")}


def convolutions(skip: bool = False) -> list[NodeProto]:
    """Convolutions in a row; the last one may also read what the first has made."""
    nodes = [
        helper.make_node(
            "Conv", [f"v{index}" if index else "x", "w"], [f"v{index + 1}"], f"c{index}"
        )
        for index in range(LAYERS)
    ]
    if skip:
        nodes.append(helper.make_node("Add", ["v1", f"v{LAYERS}"], ["sum"], "add"))
    return nodes


def model(nodes: list[NodeProto], folder: Path, *outputs: str) -> onnx.ModelProto:
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4, 16, 16])
        for name in ("x", *outputs)
    ]
    weight = [numpy_helper.from_array(WEIGHT, "w")]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], weight)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return onnx.shape_inference.infer_shapes(made)


def check(made: onnx.ModelProto, names: list[str], folder: Path) -> None:
    """A pass gives what a session gives whose outputs they all are."""
    layers = [node.name for node in made.graph.node if node.op_type == "Conv"]
    found = list(Pass(made, layers, frozenset(names)).run(X))
    assert [name for name, _ in found] == names  # in the graph's order, each once
    present = {value.name for value in made.graph.output} | {"x"}
    made.graph.output.extend(
        helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
        for name in names
        if name not in present
    )
    onnx.save(made, str(folder / "m.onnx"))
    whole = OnnxRuntime().load(folder / "m.onnx", {}).run(X)
    for name, array in found:
        wanted = X["x"] if name == "x" else whole[name]
        assert numpy.abs(array - wanted).max() <= 1e-5 * numpy.abs(wanted).max()


@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("every", [1, 7])
def test_the_values_are_those_of_one_session(tmp_path: Path, skip: bool, every: int) -> None:
    made = model(convolutions(skip), tmp_path, "sum" if skip else f"v{LAYERS}")
    check(made, ["x", *(f"v{index}" for index in range(1, LAYERS + 1, every))], tmp_path)


def test_an_output_in_the_middle_that_others_read(tmp_path: Path) -> None:
    made = model(convolutions(), tmp_path, "v9", f"v{LAYERS}")
    check(made, ["v8", "v9", "v20"], tmp_path)


@pytest.mark.parametrize(("skip", "most"), [(False, 1), (True, 2)])
def test_no_value_is_held_longer_than_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, skip: bool, most: int
) -> None:
    held: list[int] = []
    real = CutModel.run

    def run(self: CutModel, values: Mapping[str, Array]) -> dict[str, Array]:
        held.append(len(values))
        return real(self, values)

    monkeypatch.setattr(CutModel, "run", run)
    made = model(convolutions(skip), tmp_path, "sum" if skip else f"v{LAYERS}")
    names = [f"v{index}" for index in range(1, LAYERS + 1)]
    for _ in Pass(made, [f"c{index}" for index in range(LAYERS)], frozenset(names)).run(X):
        pass
    assert len(held) == 5
    assert max(held) <= most


def test_a_sequence_between_layers_keeps_the_model_whole(tmp_path: Path) -> None:
    nodes = convolutions()
    middle = LAYERS // 2
    nodes[middle:middle] = [
        helper.make_node("SplitToSequence", [f"v{middle}"], ["parts"], "split", axis=1),
        helper.make_node("ConcatFromSequence", ["parts"], ["joined"], "join", axis=1),
    ]
    nodes[middle + 2].input[0] = "joined"
    # Cuts lie at every sixth layer: the sequence is made ahead of one and read behind it.
    split = nodes.pop(middle)
    nodes.insert(12, split)
    split.input[0] = "v12"
    made = model(nodes, tmp_path, f"v{LAYERS}")
    check(made, ["v3", "v29"], tmp_path)
