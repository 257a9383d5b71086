"""The rules of Intel's NPU and GPU, on IR that OpenVINO wrote and on nodes that break one each."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from studio.api import (
    Compiled,
    Graph,
    Initializer,
    InvalidModel,
    Node,
    Silent,
    TensorType,
    UsageError,
    Value,
)
from studio.api.chip_rules import folded
from studio_openvino.intel import IntelRules

DATA = Path(__file__).parent / "data" / "openvino"
NPU, GPU = {"device": "NPU"}, {"device": "GPU"}


def compiled(path: Path, device: Mapping[str, object], folder: Path) -> Compiled:
    sizes = {"image": (1, 4, 8, 8), "x": (1, 4)}
    return IntelRules().compile(path, folder / "out", device, sizes, folder, Silent())


@pytest.fixture
def fixed(tmp_path: Path) -> Path:
    """The layers with a batch of 1."""
    shutil.copy(DATA / "layers.bin", tmp_path)
    text = (DATA / "layers.xml").read_text()
    assert "<dim>-1</dim>" in text
    text = text.replace("<dim>-1</dim>", "<dim>1</dim>").replace('shape="?,', 'shape="1,')
    path = tmp_path / "layers.xml"
    path.write_text(text)
    return path


def graph_of(node: Node, kind: TensorType) -> Graph:
    """``x`` to ``y``, both of one type."""
    return Graph("g", (Value("x", kind),), (Value("y", kind),), (node,), {}, {"x": kind, "y": kind})


def reasons(graph: Graph, device: Mapping[str, object]) -> list[str]:
    return [one.reason for one in IntelRules().place(graph, device)]


def node(operator: str, domain: str = "", **attributes: int) -> Node:
    return Node("n", operator, ("x",), ("y",), domain=domain, attributes=attributes)


FLOAT = TensorType("float32", (1, 4))


def test_a_model_with_fixed_sizes_is_placed_whole(fixed: Path, tmp_path: Path) -> None:
    for device in (NPU, GPU):
        made = compiled(fixed, device, tmp_path)
        assert {one.operator for one in made.nodes} >= {"Convolution", "MatMul", "ReLU"}
        assert all(one.on_chip for one in made.nodes)
        assert made.estimate["parameter_bytes"] > 100
        assert made.artefact is None
        assert "was not run, and no device" in made.warnings[0]


def test_the_npu_refuses_open_inputs_with_the_sizes_to_give(tmp_path: Path) -> None:
    with pytest.raises(InvalidModel, match=r"'image' has open sizes.*--input image=1,4,8,8\."):
        compiled(DATA / "layers.xml", NPU, tmp_path)


def test_the_gpu_takes_open_inputs_with_a_warning(tmp_path: Path) -> None:
    made = compiled(DATA / "flow.xml", GPU, tmp_path)
    assert [(one.operator, one.on_chip) for one in made.nodes] == [("If", True), ("Loop", True)]
    assert "supports in part" in made.warnings[-1]


@pytest.mark.parametrize(
    ("broken", "kind", "device", "reason"),
    [
        (node("SearchSorted"), FLOAT, NPU, "The list for Intel's NPU has no SearchSorted."),
        (node("NMSRotated2"), FLOAT, GPU, "The list for Intel's GPU has no NMSRotated2."),
        (node("ReLU", domain="extension"), FLOAT, GPU, "The list for Intel's GPU has no ReLU."),
        (node("ReLU"), TensorType("float32", (1, None)), NPU, "'x' has open sizes."),
        (
            node("ReLU"),
            TensorType("float64", (1, 4)),
            NPU,
            "'x' is float64; the NPU takes float32, float16 and 8 bits.",
        ),
        (
            node("FakeQuantize", levels=65_536),
            FLOAT,
            NPU,
            "It rounds to 65,536 levels, and the NPU takes quantization in 8 bits alone.",
        ),
    ],
)
def test_each_rule_has_its_sentence(
    broken: Node, kind: TensorType, device: Mapping[str, object], reason: str
) -> None:
    assert reasons(graph_of(broken, kind), device) == [reason]


@pytest.mark.parametrize(
    ("kept", "kind", "device"),
    [
        (node("SearchSorted"), FLOAT, GPU),
        (node("ReLU"), TensorType("float16", (1, 4)), NPU),
        (node("ReLU"), TensorType("float64", (None, 4)), GPU),
        (node("FakeQuantize", levels=256), FLOAT, NPU),
        (node("FakeQuantize", levels=65_536), FLOAT, GPU),
        (node("NonMaxSuppression"), FLOAT, GPU),
    ],
)
def test_what_breaks_no_rule_is_placed(
    kept: Node, kind: TensorType, device: Mapping[str, object]
) -> None:
    assert reasons(graph_of(kept, kind), device) == [""]


def test_a_node_with_blocks_is_placed_with_all_nodes_in_them() -> None:
    def loop(inner: str) -> Graph:
        body = graph_of(node(inner), FLOAT)
        return graph_of(Node("n", "Loop", ("x",), ("y",), blocks={"body": body}), FLOAT)

    assert reasons(loop("ReLU"), GPU) == [""]
    assert reasons(loop("Odd"), GPU) == ["In its block: The list for Intel's GPU has no Odd."]


def test_what_is_constant_is_computed_before_nodes_are_placed() -> None:
    kinds = {"x": FLOAT, "s": TensorType("int64", (2,)), "r": TensorType("int64", (None,))}
    kinds["y"] = FLOAT
    nodes = (
        Node("sizes", "ShapeOf", ("x",), ("s",)),
        Node("range", "Range", ("one", "s", "one"), ("r",)),
        Node("sum", "ReduceSum", ("x", "r"), ("y",)),
        Node("noise", "RandomUniform", ("s", "one", "one"), ("n",)),
    )
    one = {"one": Initializer("one", TensorType("int64", ()), 8)}
    graph = Graph("g", (Value("x", FLOAT),), (Value("y", FLOAT),), nodes, one, kinds)
    found = folded(graph, frozenset({"ShapeOf"}))
    assert [one.name for one in found.nodes] == ["sum", "noise"]
    assert reasons(replace(found, nodes=found.nodes[:1]), NPU) == [""]
    opened = replace(graph, values={**kinds, "x": TensorType("float32", (None, 4))})
    assert folded(opened, frozenset({"ShapeOf"})).nodes == nodes


def test_refused_nodes_have_the_device_that_takes_the_others() -> None:
    graph = graph_of(node("Odd"), FLOAT)
    nodes = tuple(IntelRules().place(graph, NPU))
    assert "HETERO:NPU,CPU" in list(IntelRules().warnings(graph, nodes, NPU))[1]


def test_another_device_has_no_rules() -> None:
    with pytest.raises(UsageError, match="NPU and GPU, not 'TPU'"):
        IntelRules().rules({"device": "TPU"})
