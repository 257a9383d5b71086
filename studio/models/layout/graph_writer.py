"""The laid out graph of a model as a file."""

from __future__ import annotations

from pathlib import Path

from studio.api import Graph, GraphLayout, Model, Progress
from studio.models.blocks import outline
from studio.models.collector import uncollected
from studio.models.cost import overlay
from studio.models.graphfile import GraphFileDraft
from studio.models.layout import lay_out
from studio.models.opening import OpenedModel
from studio.models.results import GRAPH_FILE
from studio.models.walk import parts


class GraphWriter:
    """Lays a model's graph out and writes both: what is drawn at once, what is known of it later.

    Attributes:
        path: The file.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / GRAPH_FILE
        self._first: tuple[GraphFileDraft, Model] | None = None

    def draw(self, model: Model) -> Path:
        """Write what is drawn of a model whose types need not be known yet."""
        with uncollected():
            inner = {name: lay_out(graph) for name, graph in parts(model)}
            graph = model.graph
            draft = GraphFileDraft(self.path, model, lay_out(graph), inner, outline(graph))
            self._first = (draft, model)
        return self.path

    def finish(self, opened: OpenedModel, progress: Progress) -> Path:
        """Add what is known of it."""
        progress.progress(3, 4, "Laying out the graph")
        if self._first is None:
            self.draw(opened.model)
        assert self._first is not None
        draft, drawn = self._first
        with uncollected():
            work = overlay(opened.sized.graph, "macs")
            layout, inner = _other_layouts(drawn, opened.model)
            draft.finish(opened.model, work, layout, inner)
        return self.path


def _other_layouts(drawn: Model, model: Model) -> tuple[GraphLayout | None, dict[str, GraphLayout]]:
    """Return layouts of graphs whose terminals changed their text with the types."""
    layout = None if _same_terminals(drawn.graph, model.graph) else lay_out(model.graph)
    before = dict(parts(drawn))
    others = {
        name: lay_out(graph)
        for name, graph in parts(model)
        if not _same_terminals(before[name], graph)
    }
    return layout, others


def _same_terminals(one: Graph, other: Graph) -> bool:
    return one.inputs == other.inputs and one.outputs == other.outputs


def write_graph(opened: OpenedModel, folder: Path, progress: Progress) -> Path:
    """Lay a model's graph out and write both, with the nodes' work, into the folder."""
    return GraphWriter(folder).finish(opened, progress)
