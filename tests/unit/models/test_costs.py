"""MACs, memory and summary, against numbers worked out by hand."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from studio.api import Graph, Node, UsageError, Value
from studio.models.cost import overlay
from studio.models.language.precisions import precision
from studio.models.macs import macs
from studio.models.memory import activation_peak
from studio.models.results import Terminal
from studio.models.shapes import complete, parse
from studio.models.summary import summary
from tests.unit.models import graphs
from tests.unit.models.graphs import constant, typed


def cost_of(
    operator: str,
    inputs: Sequence[Value],
    output: Value,
    **attributes: int,
) -> int | None:
    node = Node("n", operator, tuple(v.name for v in inputs), (output.name,), "", attributes)
    return macs(node, graphs.graph([node], [*inputs, output]))


@pytest.mark.parametrize(
    ("operator", "inputs", "output", "expected"),
    [
        # 64 filters of 3x3x3 over 112x112 positions
        ("Conv", [(1, 3, 224, 224), (64, 3, 3, 3)], (1, 64, 112, 112), 64 * 27 * 112 * 112),
        # depthwise: one input channel a filter
        ("Conv", [(1, 32, 8, 8), (32, 1, 3, 3)], (1, 32, 8, 8), 32 * 9 * 64),
        ("QLinearConv", [(1, 8, 4, 4), (), (), (8, 8, 1, 1)], (1, 8, 4, 4), 8 * 8 * 16),
        ("ConvInteger", [(1, 8, 4, 4), (8, 8, 1, 1)], (1, 8, 4, 4), 8 * 8 * 16),
        # each of 16x7x7 inputs meets 8 outputs x 2x2
        ("ConvTranspose", [(1, 16, 7, 7), (16, 8, 2, 2)], (1, 8, 14, 14), 16 * 49 * 32),
        ("MatMul", [(12, 64, 32), (12, 32, 64)], (12, 64, 64), 12 * 64 * 64 * 32),
        ("MatMul", [(5,), (5,)], (), 5),
        ("Gemm", [(4, 100), (100, 10)], (4, 10), 4 * 10 * 100),
        ("QLinearMatMul", [(2, 3), (), (), (3, 4)], (2, 4), 24),
        # 10 steps, batch 2, both directions, 4 gates of 16 over 8 inputs and 16 states
        ("LSTM", [(10, 2, 8), (2, 64, 8), (2, 64, 16)], (10, 2, 2, 16), 10 * 2 * 2 * 4 * 16 * 24),
        ("GRU", [(10, 2, 8), (1, 48, 8), (1, 48, 16)], (10, 1, 2, 16), 10 * 2 * 3 * 16 * 24),
        ("Relu", [(1, 64)], (1, 64), 0),
        ("Conv", [(1, 3, "H", "W"), (8, 3, 3, 3)], (1, 8, "H", "W"), None),
    ],
)
def test_macs(
    operator: str,
    inputs: list[tuple[int, ...]],
    output: tuple[int, ...],
    expected: int | None,
) -> None:
    values = [typed(f"i{index}", *shape) for index, shape in enumerate(inputs)]
    assert cost_of(operator, values, typed("y", *output)) == expected


def test_transposed_gemm_shares_the_first_axis() -> None:
    inputs = [typed("a", 100, 4), typed("b", 100, 10)]
    assert cost_of("Gemm", inputs, typed("y", 4, 10), transA=1) == 4 * 10 * 100


def product(name: str, size: int) -> Graph:
    node = Node(name, "MatMul", ("a", "b"), ("c",))
    values = [typed("a", 1, size), typed("b", size, 1), typed("c", 1, 1)]
    return graphs.graph([node], values, inputs=("a", "b"), outputs=("c",))


def test_if_costs_its_costlier_branch() -> None:
    blocks = {"then_branch": product("t", 10), "else_branch": product("e", 30)}
    node = Node("if", "If", ("x",), ("y",), blocks=blocks)
    assert macs(node, graphs.graph([node])) == 30


def test_activation_peak_follows_lifetimes() -> None:
    """100 bytes in, 400 in the middle, 100 out: at most input and middle, or middle and output."""
    nodes = [Node("a", "Tile", ("x",), ("m",)), Node("b", "Slice", ("m",), ("y",))]
    values = [typed("x", 25), typed("m", 100), typed("y", 25)]
    assert activation_peak(graphs.graph(nodes, values)) == 500


def test_activation_peak_counts_what_a_skip_keeps_alive() -> None:
    nodes = [
        Node("a", "Relu", ("x",), ("m",)),
        Node("b", "Relu", ("m",), ("n",)),
        Node("c", "Add", ("n", "x"), ("y",)),
    ]
    values = [typed(name, 25) for name in "xmny"]
    assert activation_peak(graphs.graph(nodes, values)) == 300


def test_overlay_has_the_nodes_that_cost() -> None:
    assert overlay(product("p", 7), "macs") == {"p": 7.0}
    assert overlay(product("p", 7), "activations") == {"p": 4.0}
    assert overlay(product("p", 7), "weights") == {}


@pytest.mark.parametrize(
    ("weights", "operator", "expected"),
    [
        ([("float32", 100)], "Conv", "fp32"),
        ([("float16", 100), ("float32", 10)], "Conv", "fp16"),
        ([("bfloat16", 100)], "Conv", "bf16"),
        ([("int8", 100), ("float32", 10)], "QLinearConv", "int8"),
        ([("uint8", 40), ("float32", 60)], "DequantizeLinear", "int8"),
        ([("uint8", 40), ("float32", 60)], "Gather", "fp32"),
        ([("float32", 10), ("int64", 1000)], "Reshape", "fp32"),
        ([("uint4", 100), ("float32", 10)], "MatMulNBits", "int4"),
    ],
)
def test_precision(weights: list[tuple[str, int]], operator: str, expected: str) -> None:
    constants = [
        constant(f"w{index}", size, dtype=dtype) for index, (dtype, size) in enumerate(weights)
    ]
    node = Node("n", operator, ("x", "w0"), ("y",))
    assert precision(graphs.model(graphs.graph([node], constants=constants))) == expected


def test_summary_of_a_small_model() -> None:
    node = Node("n", "MatMul", ("x", "w"), ("y",))
    values = [typed("x", 2, 8), typed("y", 2, 4)]
    constants = [constant("w", 8, 4), constant("axes", 2, dtype="int64", size=8)]
    model = graphs.model(graphs.graph([node], values, constants))
    figures = summary(model, model, {})
    assert figures.parameters == 32
    assert figures.weight_bytes == 128
    assert figures.macs == 2 * 4 * 8
    assert figures.macs_by_operator == {"MatMul": 64}
    assert figures.macs_unknown == 0
    assert figures.inputs == (Terminal("x", "float32", (2, 8)),)


# Shapes


@pytest.mark.parametrize(
    ("shape", "assumed"),
    [
        (("N", 3, "H", "W"), (1, 3, 224, 224)),
        (("N", "C", "H", "W"), (1, 3, 224, 224)),
        (("N", "H", "W", 3), (1, 224, 224, 3)),
        ((None, 3, 48, None), (1, 3, 48, 224)),
        (("batch", "sequence"), (1, 128)),
        (("batch", "sequence", 768), (1, 128, 768)),
    ],
)
def test_assumed_shapes(shape: tuple[int | str | None, ...], assumed: tuple[int, ...]) -> None:
    graph = graphs.graph([], [typed("x", *shape)])
    assert complete(graph, {}) == {"x": assumed}


def test_given_shapes_win_and_fixed_ones_stay() -> None:
    graph = graphs.graph([], [typed("x", "N", 4), typed("z", 2, 4)], inputs=("x", "z"))
    assert complete(graph, {"x": (8, 4)}) == {"x": (8, 4)}


def test_shapes_are_parsed() -> None:
    assert parse(["x=1,3,48,320", "in:0=1x8"]) == {"x": (1, 3, 48, 320), "in:0": (1, 8)}


@pytest.mark.parametrize("text", ["x", "x=", "=1,2", "x=1,a", "x=0,3", "x=-1"])
def test_wrong_shapes_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse([text])
