"""The rules of the Edge TPU, on real TFLite files and on nodes that break one rule each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from studio.api import Graph, Initializer, InvalidModel, Node, Silent, TensorType, Value
from studio_tflite.edge_tpu import EdgeTpu

DATA = Path(__file__).parent / "data" / "tflite"


def place(graph: Graph) -> dict[str, tuple[bool, str]]:
    return {one.name: (one.on_chip, one.reason) for one in EdgeTpu().place(graph, {})}


def graph_of(*nodes: Node, values: Mapping[str, TensorType]) -> Graph:
    """``x`` to ``y``; values are 8 bits by 4 unless they are given."""
    usual = TensorType("int8", (1, 4))
    names = {name for node in nodes for name in (*node.inputs, *node.outputs)}
    types = {name: values.get(name, usual) for name in names}
    ends = [Value(name, types.get(name, usual)) for name in ("x", "y")]
    weights = {"w": Initializer("w", TensorType("int32", (4,)), 16)}
    return Graph("g", tuple(ends[:1]), tuple(ends[1:]), tuple(nodes), weights, types)


def node(operator: str, name: str = "n", **attributes: object) -> Node:
    return Node(name, operator, ("x", "w"), ("y",), attributes=attributes)  # type: ignore[arg-type]


def test_a_model_in_8_bits_is_placed_whole(tmp_path: Path) -> None:
    made = EdgeTpu().compile(DATA / "int8.tflite", tmp_path / "o", {}, {}, tmp_path, Silent())
    assert [one.on_chip for one in made.nodes] == [True] * 5
    assert made.estimate["parameter_bytes"] > 80
    assert made.artefact is None
    assert "edgetpu_compiler" in made.warnings[0]


def test_a_float_model_is_refused_with_the_export_that_mends_it(tmp_path: Path) -> None:
    with pytest.raises(InvalidModel, match=r"is float32, not 8 bits.*--precision int8-io"):
        EdgeTpu().compile(DATA / "layers.tflite", tmp_path / "o", {}, {}, tmp_path, Silent())


def test_the_remedy_is_not_the_export_that_made_the_model() -> None:
    mixed = graph_of(node("ADD"), values={"y": TensorType("float32", (1, 4))})
    (placed,) = EdgeTpu().place(mixed, {})
    assert "int8-io" not in placed.remedy
    assert placed.remedy.endswith("replace it in the model.")


@pytest.mark.parametrize(
    ("broken", "values", "reason"),
    [
        (node("FLOOR_MOD"), {}, "The Edge TPU has no FLOOR_MOD."),
        (node("ADD"), {"x": TensorType("int16", (1, 4))}, "'x' is int16, not 8 bits."),
        (node("ADD"), {"x": TensorType("int8", (1, None))}, "'x' has open sizes."),
        (node("ADD"), {"y": TensorType("int8", None)}, "'y' has open sizes."),
        (
            node("ADD"),
            {"x": TensorType("int8", (2, 3, 4, 5))},
            "'x' has more than 3 axes that are larger than 1.",
        ),
        (
            node("MAX_POOL_2D", fused_activation_function="RELU"),
            {},
            "MAX_POOL_2D takes no fused activation.",
        ),
        (
            node("SOFTMAX"),
            {"x": TensorType("int8", (1, 16_001))},
            "SOFTMAX takes at most 16,000 values.",
        ),
        (node("SOFTMAX"), {"x": TensorType("int8", (1, 3, 4))}, "SOFTMAX takes one axis alone."),
        (node("STRIDED_SLICE", new_axis_mask=1), {}, "STRIDED_SLICE takes no new axis mask."),
        (
            node("FULLY_CONNECTED", weights_format="SHUFFLED4x16INT8"),
            {},
            "FULLY_CONNECTED takes weights in the default format alone.",
        ),
        (
            node("CONV_2D", dilation_w_factor=2, dilation_h_factor=1),
            {},
            "CONV_2D takes equal dilations of both axes alone.",
        ),
    ],
)
def test_each_rule_has_its_sentence(
    broken: Node, values: Mapping[str, TensorType], reason: str
) -> None:
    assert place(graph_of(broken, values=values)) == {"n": (False, reason)}


@pytest.mark.parametrize(
    "kept",
    [
        node("ADD"),
        node("CONV_2D", fused_activation_function="RELU", dilation_w_factor=2, dilation_h_factor=2),
        node("SOFTMAX"),
        node("STRIDED_SLICE", new_axis_mask=0),
    ],
)
def test_what_breaks_no_rule_is_placed(kept: Node) -> None:
    """Also with a bias of 32 bits, which is a constant."""
    assert place(graph_of(kept, values={})) == {"n": (True, "")}


def test_the_batch_alone_may_be_open() -> None:
    values = {name: TensorType("int8", (None, 4)) for name in "xy"}
    assert place(graph_of(node("ADD"), values=values)) == {"n": (True, "")}


def test_what_follows_a_refused_node_stays_on_the_processor() -> None:
    """The compiler makes one part for the chip."""
    made = (
        Node("quantize", "QUANTIZE", ("x",), ("a",)),
        Node("first", "ADD", ("a", "w"), ("b",)),
        Node("odd", "FLOOR_MOD", ("b", "w"), ("c",)),
        Node("last", "ADD", ("c", "w"), ("d",)),
        Node("dequantize", "DEQUANTIZE", ("d",), ("y",)),
    )
    values = {name: TensorType("float32", (1, 4)) for name in "xy"}
    ends = "Floats at the ends of the model are converted on the processor."
    assert place(graph_of(*made, values=values)) == {
        "quantize": (False, ends),
        "first": (True, ""),
        "odd": (False, "The Edge TPU has no FLOOR_MOD."),
        "last": (False, "It comes after odd, which is not mapped."),
        "dequantize": (False, ends),
    }


def test_parameters_beyond_the_chips_memory_are_a_warning() -> None:
    def warnings(size: int) -> list[str]:
        weights = {"w": Initializer("w", TensorType("int8", (size,)), size)}
        return list(EdgeTpu().warnings(Graph("g", (), (), (), weights), (), {}))

    assert len(warnings(8_000_000)) == 1
    assert "The parameters have 12.5 MB" in warnings(12_500_000)[1]
