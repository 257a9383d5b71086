"""Rows of a node's box, the short texts of sizes, and the room that the layout leaves for both."""

from __future__ import annotations

import pytest

from studio.api import Dimension, Graph, Node
from studio.models.labels.dimensions import short_shape, short_size, short_type
from studio.models.labels.node_rows import HEADER_HEIGHT, MOST_ROWS, height_of, node_rows
from studio.models.layout import lay_out
from tests.unit.models import graphs


def conv(**attributes: tuple[int, ...] | int) -> Graph:
    """A convolution with weights, and what reads it."""
    nodes = (
        Node("stem", "Conv", ("x", "w", "b"), ("y",), attributes=attributes),
        Node("act", "Relu", ("y",), ("z",)),
    )
    constants = {"w": graphs.constant("w", 16, 1, 3, 3), "b": graphs.constant("b", 16)}
    x, z = graphs.typed("x", "batch", 1, 8, 8), graphs.typed("z", "batch", 16, 4, 4)
    return Graph("g", (x,), (z,), nodes, constants)


def texts(graph: Graph, node: int = 0) -> list[str]:
    return [f"{row.title} {row.text}" for row in node_rows(graph, graph.nodes[node])]


def test_convolution_lists_weights_and_kernel() -> None:
    graph = conv(kernel_shape=(3, 3), strides=(2, 2), pads=(1, 1, 1, 1), group=1, dilations=(1, 1))
    assert texts(graph) == ["W 16×1×3×3", "B 16", "kernel 3×3, stride 2", "pads 1"]
    assert texts(graph, 1) == []


def test_only_what_differs_from_the_default_is_listed() -> None:
    assert texts(conv(kernel_shape=(3, 3), strides=(1, 1), pads=(0, 0, 0, 0))) == [
        "W 16×1×3×3",
        "B 16",
        "kernel 3×3",
    ]
    found = texts(conv(kernel_shape=(1, 5), strides=(2, 1), pads=(0, 2, 0, 2), group=16))
    assert found[2:] == ["kernel 1×5, stride 2, 1", "pads 0, 2, 0, 2", "group 16"]


def test_scalars_shapes_and_axes_are_left_out() -> None:
    constants = {
        "scale": graphs.constant("scale"),
        "shape": graphs.constant("shape", 4, dtype="int64"),
        "table": graphs.constant("table", 30, 8, dtype="int8"),
    }
    node = Node("n", "Odd", ("x", "scale", "shape", "table"), ("y",))
    graph = Graph("g", (graphs.typed("x", 1),), (graphs.typed("y", 1),), (node,), constants)
    assert texts(graph) == ["D 30×8 int8"]


def test_many_constants_are_counted() -> None:
    names = [f"w{number}" for number in range(40)]
    node = Node("n", "Sum", tuple(names), ("y",))
    constants = {name: graphs.constant(name, 2) for name in names}
    graph = Graph("g", (), (graphs.typed("y", 2),), (node,), constants)
    assert len(texts(graph)) == MOST_ROWS
    assert texts(graph)[-1] == "… 36 more"


def test_layout_leaves_room_for_the_rows() -> None:
    graph = conv(kernel_shape=(3, 3))
    layout = lay_out(graph)
    assert layout.height == (HEADER_HEIGHT, height_of(3), HEADER_HEIGHT, HEADER_HEIGHT)
    assert layout.y[2] > layout.y[1] + layout.height[1]


@pytest.mark.parametrize(
    ("size", "axis", "text"),
    [
        (3, 0, "3"),
        (None, 0, "?"),
        ("batch", 0, "batch"),
        ("N", 0, "N"),
        ("batch_size", 0, "batch"),
        ("DynamicDimension.0", 0, "batch"),
        ("DynamicDimension.1", 2, "?"),
        ("unk__17", 0, "batch"),
        ("sequence_length", 1, "seq"),
        ("floor((DynamicDimension.1 - 1)/2) + 1", 2, "?"),
        ("2*N", 1, "?"),
        ("", 1, "?"),
    ],
)
def test_sizes_have_short_names(size: Dimension, axis: int, text: str) -> None:
    assert short_size(size, axis) == text


def test_shapes_and_types_are_one_text() -> None:
    assert short_shape(("DynamicDimension.0", 3, None)) == "batch×3×?"
    assert short_shape(()) == "scalar"
    assert short_shape(None) == ""
    assert short_type(graphs.typed("x", "batch", 3).type) == "float32 batch×3"
    assert short_type(None) == ""
