"""Graphs as the window reads them: as their files have them, and in the other direction."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from studio.api import Graph, Node
from studio.models.graphfile import write
from studio.models.layout import lay_out
from studio.workspace.graph_view import GraphView, read_graph
from tests.unit.models import graphs


class Record:
    """A variant of which only the graph matters."""

    model_name, name = "m", "fp32"

    def __init__(self, path: Path) -> None:
        self.graph_path = path


def convolution() -> Graph:
    nodes = (Node("stem", "Conv", ("x", "w"), ("y",)),)
    x, y = graphs.typed("x", 1, 1, 8, 8), graphs.typed("y", 1, 4, 6, 6)
    return Graph("g", (x,), (y,), nodes, {"w": graphs.constant("w", 4, 1, 3, 3)})


def read(path: Path) -> GraphView:
    record: Any = Record(path)
    return read_graph(record)


def test_the_layout_of_the_file_is_taken_as_it_is(tmp_path: Path) -> None:
    graph, path = convolution(), tmp_path / "graph.json.gz"
    moved = replace(lay_out(graph), size=(999.0, 999.0))
    write(path, graphs.model(graph), moved)
    assert read(path).layout == moved


def test_left_to_right_is_laid_out_once(tmp_path: Path) -> None:
    graph, path = convolution(), tmp_path / "graph.json.gz"
    write(path, graphs.model(graph), lay_out(graph))
    view = read(path)
    across = view.shown("", folded=False, across=True)
    assert across.across
    assert across.layout == lay_out(graph, across=True)
    assert view.shown("", folded=False, across=True).layout is across.layout
    assert view.shown("", folded=False).layout == lay_out(graph)
