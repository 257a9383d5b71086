"""The graph of a variant as it is shown: whole, its blocks and functions, and folded."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from studio.api import Graph, GraphLayout, Model, Node, StudioError
from studio.lazy_dataclass import dataclass
from studio.registry import VariantRecord

if TYPE_CHECKING:
    from studio.models.graphfile import DrawnGraph, GraphFileContent
    from studio.models.layout import Unfolded
    from studio.models.search import SearchResult

FOLDED_FROM = 300
"""Nodes from which on a graph opens folded, where folding leaves at most a third of its boxes."""


@dataclass(frozen=True, slots=True)
class GraphView:
    """A model's graph with the place of each of its boxes.

    Attributes:
        macs: Multiply-accumulates by node name, where they are known and not nothing.
        parts: Layouts of the blocks (``If.0/then_branch``) and of the model's functions.
        folded: The main graph as blocks that hold its nodes; None where it has no structure.
        homes: In the folded graph, the path of the part that holds each node, by its name; nodes
            of the outermost level are left out.
    """

    model: Model
    layout: GraphLayout
    macs: Mapping[str, float] = field(default_factory=dict)
    parts: Mapping[str, GraphLayout] = field(default_factory=dict)
    folded: Graph | None = None
    homes: Mapping[str, str] = field(default_factory=dict)
    _kept: dict[str, Mapping[str, float]] = field(default_factory=dict, repr=False, compare=False)
    _turned: dict[tuple[str, bool], GraphLayout] = field(
        default_factory=dict, repr=False, compare=False
    )
    _walked: dict[bool, dict[str, Graph]] = field(default_factory=dict, repr=False, compare=False)

    def costs(self, kind: str) -> Mapping[str, float]:
        """Return the cost of each node by name, of the kinds in ``models.cost.KINDS``; cached."""
        from studio.models.cost import overlay

        if kind not in self._kept:
            self._kept[kind] = overlay(self.model.graph, kind)
        return self._kept[kind]

    @property
    def opens_folded(self) -> bool:
        """Whether the graph is shown as blocks until the user wants otherwise."""
        count = len(self.model.graph.nodes)
        return self.folded is not None and count >= FOLDED_FROM

    def part(self, path: str, *, folded: bool = False) -> tuple[Graph, GraphLayout]:
        """Return a block or function with its layout; the main graph for an empty path.

        Blocks that were folded are laid out here, which is not for the window's thread.

        Raises:
            KeyError: when the path is unknown.
        """
        from studio.models.layout import lay_out

        if not path and not (folded and self.folded):
            return self.model.graph, self.layout
        graph = self._graphs(folded)[path]
        known = self.parts.get(path)
        # A path of a folded block may be that of a sub-graph, too: then the boxes are others.
        fits = known is not None and len(known.x) == _boxes(graph)
        return graph, known if known is not None and fits else lay_out(graph)

    def shown(
        self, path: str, *, folded: bool, opened: Collection[str] = (), across: bool = False
    ) -> Unfolded:
        """Return a part with some of its folded blocks unfolded in place.

        Not for the window's thread.

        Args:
            opened: Paths of the insides of these blocks.
            across: Laid out from left to right.

        Raises:
            KeyError: when there is no such part.
        """
        from studio.models.layout import Unfolded, lay_out, unfold

        if opened and folded and self.folded:
            return unfold(self._graphs(folded)[path], opened, path, across=across)
        if not across:
            return Unfolded(*self.part(path, folded=folded))
        graph = self._graphs(folded)[path]
        key = (path, folded)
        if key not in self._turned:
            self._turned[key] = lay_out(graph, across=True)
        return Unfolded(graph, self._turned[key], across=True)

    def blocks_in(self, path: str) -> frozenset[str]:
        """Return the paths inside all collapsed blocks of a part, nested ones too."""
        from studio.models.layout import block_paths

        if self.folded is None:
            return frozenset()
        return frozenset(block_paths(self._graphs(folded=True)[path], path))

    def place_of(self, found: SearchResult, *, folded: bool = False) -> str:
        """The path of the part, of the folded graph if wanted, that shows a result of a search."""
        if not (folded and self.folded) or (found.kind != "node" and not found.path):
            return found.path
        if not found.path:
            return self.homes.get(found.name, "")
        home = self.homes.get(found.holder, "")
        return f"{home}/{found.path}" if home else found.path

    def paths(self, *, folded: bool = False) -> frozenset[str]:
        """Return the paths of all parts below the main graph."""
        return frozenset(self._graphs(folded)) - {""}

    def _graphs(self, folded: bool) -> dict[str, Graph]:
        from studio.models.walk import parts

        if folded not in self._walked:
            graph = self.folded if folded and self.folded else self.model.graph
            named = parts(replace(self.model, graph=graph))
            self._walked[folded] = {"": graph, **dict(named)}
        return self._walked[folded]


def _boxes(graph: Graph) -> int:
    return len(graph.inputs) + len(graph.nodes) + len(graph.outputs)


def is_folded_block(node: Node) -> bool:
    """Return whether a node is a collapsed block."""
    from studio.models.blocks import is_block

    return is_block(node)


def block_text(node: Node) -> str:
    """Return the text on a collapsed block below its title."""
    from studio.models import walk

    return walk.block_text(node)


def alike_text(node: Node) -> str:
    """Return the number of a collapsed block among equal ones: ``3 of 12``; empty for one."""
    from studio.models.walk import ALIKE, NUMBER

    alike = node.attributes.get(ALIKE)
    return f"{node.attributes[NUMBER]} of {alike}" if alike else ""


def nodes_within(node: Node) -> list[str]:
    """Return the names of a collapsed block's nodes; for any other node its own name."""
    from studio.models.blocks import INSIDE, is_block

    if not is_block(node):
        return [node.name]
    return [name for inner in node.blocks[INSIDE].nodes for name in nodes_within(inner)]


Early = tuple["DrawnGraph", GraphView]
"""What was read of a graph while its types were not known, and the view of it."""


def read_graph(record: VariantRecord, early: Early | None = None) -> GraphView:
    """Return the graph of a variant.

    Args:
        early: If it is of this graph, only what was missing is read.

    Raises:
        StudioError: when it was not kept, or its file is gone or damaged.
    """
    # The readers belong to a stage; they are loaded with the first graph, not with the window.
    from studio.models.collector import uncollected
    from studio.models.graphfile import read_all

    if record.graph_path is None:
        raise StudioError(f"The graph of {record.model_name} {record.name} is no longer stored.")
    with uncollected():
        if early is None:
            return _view(read_all(record.graph_path))
        drawn, view = early
        content = read_all(record.graph_path, drawn)
        is_same = content.outline is drawn.content.outline
        return _view(content, view if is_same else None)


def read_drawn_graph(path: Path) -> Early:
    """The graph of a model that is being opened, without types, as its worker has laid it out.

    Raises:
        StudioError: when the file is gone, as after the job's end, or damaged.
    """
    from studio.models.collector import uncollected
    from studio.models.graphfile import read_drawn

    with uncollected():
        drawn = read_drawn(path)
        return drawn, _view(drawn.content)


def read_numbers(path: Path, names: Collection[str]) -> tuple[str, str, Mapping[str, float]]:
    """Title, unit and numbers by node name of a JSON file, as ``studio graph --overlay`` reads it.

    Raises:
        StudioError: when it holds none.
    """
    from studio.models.drawing.overlay import read_overlay

    found = read_overlay(path, names)
    return found.title, found.unit, found.values


def read_preview(path: Path, *, across: bool = False) -> tuple[Graph, GraphLayout]:
    """Return the outermost blocks of a model that is being opened, as its worker wrote them.

    Args:
        across: Laid out from left to right.

    Raises:
        StudioError: when the file is gone, as after the job's end, or damaged.
    """
    from studio.models.graphfile import read

    model, layout = read(path)
    if across:
        from studio.models.layout import lay_out

        return model.graph, lay_out(model.graph, across=True)
    return model.graph, layout


def _view(content: GraphFileContent, like: GraphView | None = None) -> GraphView:
    """Return the view of a graph.

    Args:
        like: That of the same graph without its types.
    """
    from studio.models.blocks import folded, folds, retyped

    graph = content.model.graph
    homes: Mapping[str, str] = {}
    if like is not None:
        blocks = like.folded and retyped(like.folded, graph)
        homes = like.homes
    else:
        blocks = folded(graph, content.outline) if folds(graph, content.outline) else None
        if blocks is not None:
            homes = dict(_homes(blocks, ""))
    view = GraphView(content.model, content.layout, content.macs, content.parts, blocks, homes)
    for kind in ("weights", "activations"):
        view.costs(kind)  # here and now, as the window's thread will ask for them
    return view


def _homes(graph: Graph, path: str) -> Iterator[tuple[str, str]]:
    """Yield each node that was folded, with the path of the part that holds it."""
    from studio.models.blocks import INSIDE, is_block

    for node in graph.nodes:
        if is_block(node):
            around = f"{path}/" if path else ""
            yield from _homes(node.blocks[INSIDE], f"{around}{node.name}/{INSIDE}")
        elif path:
            yield node.name, path
