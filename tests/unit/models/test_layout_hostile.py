"""Graphs that no honest exporter writes: drawn all the same, never a hang."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.api import Graph, Node, TensorType, Value
from studio.models.blocks import folded, outline
from studio.models.graphfile import read_all, write
from studio.models.layout import lay_out
from tests.unit.models import graphs

HOSTILE = {
    "cycle": graphs.graph(
        [Node("a", "Add", ("x", "q"), ("p",)), Node("b", "Relu", ("p",), ("q",))], outputs=("q",)
    ),
    "self": graphs.graph([Node("a", "Add", ("x", "p"), ("p",))], outputs=("p",)),
    "dangling": graphs.graph([Node("a", "Add", ("nobody", "x"), ("y",))]),
    "duplicate names": graphs.graph(
        [Node("a", "Relu", ("x",), ("y",)), Node("a", "Relu", ("y",), ("y",))]
    ),
    "contradiction": Graph(
        "g",
        (Value("x", TensorType("float32", (1, 2))),),
        (Value("y", TensorType("int8", (7,))),),
        (Node("a", "Relu", ("x",), ("y",)),),
        values={"x": TensorType("float32", None), "y": TensorType("float32", (-3, 2))},
    ),
    "long name": graphs.graph([Node("n/" * 5_000_000, "Relu" * 100, ("x",), ("y",))]),
    "other direction": graphs.graph(
        [Node("\u202eevil\u202c/\x07\x1b[31m\n\0", "Conv\u202e\n", ("x",), ("y",))]
    ),
    "many inputs": graphs.graph(
        [Node(f"n{k}", "Relu", ("x",), (f"v{k}",)) for k in range(5_000)]
        + [Node("all", "Concat", tuple(f"v{k}" for k in range(5_000)), ("y",))]
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_graphs_are_drawn(name: str) -> None:
    graph = HOSTILE[name]
    layout = lay_out(graph)
    assert len(layout.x) == len(graph.inputs) + len(graph.nodes) + len(graph.outputs)
    assert len(layout.bends) == len(layout.edges)
    assert all(layout.y[one] < layout.y[other] for one, other, _ in layout.edges)
    lay_out(folded(graph, outline(graph)))


@pytest.mark.parametrize("name", ["cycle", "duplicate names", "other direction"])
def test_hostile_graphs_are_kept(name: str, tmp_path: Path) -> None:
    graph = HOSTILE[name]
    write(tmp_path / "g", graphs.model(graph), lay_out(graph), outline=outline(graph))
    content = read_all(tmp_path / "g")
    assert content.model.graph == graph
    assert content.outline == outline(graph)
