"""Search by name, operator, attribute, tensor and shape."""

from __future__ import annotations

import pytest

from studio.api import Graph, Node
from studio.models.search import search
from tests.unit.models import graphs


@pytest.fixture
def graph() -> Graph:
    nodes = [
        Node("conv_pool", "Conv", ("x", "w"), ("c",), attributes={"kernel_shape": (3, 3)}),
        Node("gap", "GlobalAveragePool", ("c",), ("p",)),
        Node("pool", "MaxPool", ("p",), ("y",), attributes={"kernel_shape": (2, 2)}),
    ]
    values = [graphs.typed("x", 1, 3, 224, 224), graphs.typed("c", 1, 8, 112, 112)]
    return graphs.graph(nodes, values, [graphs.constant("w", 8, 3, 3, 3)])


@pytest.mark.parametrize(
    ("query", "boxes"),
    [
        ("conv", [1]),
        ("CONV", [1]),
        ("pool", [3, 2, 1]),  # whole name, then operator, then part of a name
        ("maxpool", [3]),
        ("kernel_shape=3x3", [1]),
        ("1x3x224x224", [0, 1]),
        ("1,8,112,112", [1, 2]),
        ("1×8×112×112", [1, 2]),
        ("kernel_shape pool", [3, 1]),
        ("pool nothing", []),
        ("", []),
    ],
)
def test_what_is_found(graph: Graph, query: str, boxes: list[int]) -> None:
    found = [hit.box for hit in search(graph, query)]
    assert sorted(found) == sorted(boxes)
    assert found[:1] == boxes[:1]


def test_a_hit_says_what_matched(graph: Graph) -> None:
    hit = search(graph, "maxp")[0]
    assert (hit.where, hit.text) == ("operator", "MaxPool")


def test_limit(graph: Graph) -> None:
    assert len(search(graph, "o", limit=1)) == 1
