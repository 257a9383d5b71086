"""Data of a page with the interactive graph: parts, nodes and overlays, as columns of JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from studio.api import Graph, GraphLayout, Model, Node, TensorType
from studio.models.blocks import INSIDE, folded, folds, is_block, outline
from studio.models.drawing.colours import FILLS
from studio.models.drawing.overlay import Overlay
from studio.models.families import TITLES, family
from studio.models.labels.dimensions import short_shape, short_type
from studio.models.labels.node_rows import node_rows
from studio.models.layout import lay_out
from studio.models.layout.boxes import detail
from studio.models.walk import block_text, parts

BLOCKS = "blocks"
"""Path of the main graph as blocks; those of its blocks begin with it."""

_MOST_FOLDED = 10_000
"""Larger graphs are not folded here: each block would have to be laid out."""

_LONGEST = 400


def page_data(title: str, model: Model, overlays: Sequence[Overlay], shown: int) -> dict[str, Any]:
    """Return all data of the page.

    Args:
        shown: Which overlay is painted first; -1 for none.
    """
    book = _Book()
    graph = model.graph
    book.add("", "", None, graph)
    for path, inner in parts(model):
        book.add(path, _last(path), book.around(path), inner)
    blocks = ""
    members = outline(graph) if len(graph.nodes) <= _MOST_FOLDED else ()
    if folds(graph, members):
        blocks = BLOCKS
        book.add(blocks, "", None, folded(graph, members))
    values = [
        {"title": one.title or "Numbers", "unit": one.unit, "values": book.values(one)}
        for one in overlays
    ]
    return {
        "title": title,
        "summary": f"{model.format} · {len(graph.nodes):,} nodes",
        "counted": f"{len(graph.nodes):,} nodes",
        "fills": FILLS,
        "kinds": TITLES,
        "nodes": book.nodes,
        "parts": book.parts,
        "home": book.home,
        "inner": book.inner,
        "folded": blocks,
        "overlays": values,
        "shown": shown,
    }


class _Book:
    """Collects parts; a node that occurs in several of them is written once.

    Attributes:
        home: Part and box of each node where nothing is folded; None for a folded block.
        inner: The same among blocks, by number of the node.
    """

    def __init__(self) -> None:
        self.nodes: list[dict[str, Any]] = []
        self.parts: dict[str, dict[str, Any]] = {}
        self.home: list[tuple[str, int] | None] = []
        self.inner: dict[int, tuple[str, int]] = {}
        self._numbers: dict[int, int] = {}
        self._within: dict[int, list[Node]] = {}

    def around(self, path: str) -> str:
        """Return the part around another: the one with the longest path that begins it."""
        known = [one for one in self.parts if path.startswith(f"{one}/")]
        return max(known, key=len, default="")

    def add(self, path: str, title: str, around: str | None, graph: Graph) -> None:
        """Add a part, and the blocks that are folded in it."""
        layout = lay_out(graph)
        drawn = [at for at, width in enumerate(layout.width) if width]
        place = {at: box for box, at in enumerate(drawn)}
        is_folded = path == BLOCKS or path.startswith(f"{BLOCKS}/")
        boxes = [self._box(graph, at, path, is_folded) for at in drawn]
        for box, at in enumerate(drawn):
            self._note(self._node_at(graph, at), path, box, is_folded)
        self.parts[path] = {
            "title": title,
            "around": around,
            **_places(layout, drawn),
            **{key: [box[key] for box in boxes] for key in _COLUMNS},
            "from": [place[edge[0]] for edge in layout.edges],
            "to": [place[edge[1]] for edge in layout.edges],
            "bends": [[round(value, 1) for value in bends] for bends in layout.bends],
            "size": [round(side, 1) for side in layout.size],
        }
        for node in graph.nodes:
            if is_block(node):
                self.add(f"{path}/{node.name}/{INSIDE}", node.operator, path, node.blocks[INSIDE])

    def values(self, overlay: Overlay) -> dict[int, float]:
        """Return an overlay's numbers by node; a block has the sum or the largest of its own."""
        join: Callable[[Iterable[float]], float] = sum if overlay.adds_up else max
        found = {}
        for number, within in self._within.items():
            known = [overlay.values[one.name] for one in within if one.name in overlay.values]
            if known:
                found[number] = float(join(known))
        return found

    @staticmethod
    def _node_at(graph: Graph, at: int) -> Node | None:
        number = at - len(graph.inputs)
        return graph.nodes[number] if 0 <= number < len(graph.nodes) else None

    def _box(self, graph: Graph, at: int, path: str, is_folded: bool) -> dict[str, Any]:
        node = self._node_at(graph, at)
        if node is None:
            first = at < len(graph.inputs)
            place = at if first else at - len(graph.inputs) - len(graph.nodes)
            value = (graph.inputs if first else graph.outputs)[place]
            kind = _short(short_type(value.type))
            return {
                "titles": _short(value.name), "texts": kind, "kind": "terminal",
                "node": -1, "opens": 0, "rows": 0,
            }  # fmt: skip
        before = f"{path}/" if path and ((is_folded and is_block(node)) or not is_folded) else ""
        opens = [f"{before}{node.name}/{key}" for key in node.blocks]
        return {
            "titles": _short(node.operator),
            "texts": block_text(node) if is_block(node) else _below(graph, node),
            "kind": "block" if is_block(node) else family(node.operator),
            "node": self._number(graph, node),
            "opens": opens or 0,
            "rows": [f"{row.title}  {row.text}" for row in node_rows(graph, node)] or 0,
        }

    def _note(self, node: Node | None, path: str, box: int, is_folded: bool) -> None:
        if node is None:
            return
        number = self._numbers[id(node)]
        if is_folded and not is_block(node):
            self.inner[number] = (path, box)
        elif not is_folded:
            self.home[number] = (path, box)

    def _number(self, graph: Graph, node: Node) -> int:
        known = self._numbers.get(id(node))
        if known is not None:
            return known
        number = self._numbers[id(node)] = len(self.nodes)
        self.nodes.append(_node_facts(graph, node))
        self.home.append(None)
        self._within[number] = list(_inner(node))
        return number


def _below(graph: Graph, node: Node) -> str:
    """Return the shape of a node's output, or its name if that is unknown."""
    kind = graph.type_of(node.outputs[0]) if node.outputs else None
    if kind is None or kind.shape is None:
        return _short(detail(node))
    return short_shape(kind.shape)


_COLUMNS = ("titles", "texts", "kind", "node", "opens", "rows")


def _inner(node: Node) -> Iterable[Node]:
    if not is_block(node):
        yield node
        return
    for one in node.blocks[INSIDE].nodes:
        yield from _inner(one)


def _places(layout: GraphLayout, drawn: Sequence[int]) -> dict[str, list[float]]:
    columns = {"x": layout.x, "y": layout.y, "w": layout.width, "h": layout.height}
    return {key: [round(column[at], 1) for at in drawn] for key, column in columns.items()}


def _node_facts(graph: Graph, node: Node) -> dict[str, Any]:
    """Return the inspector's facts of a node."""
    attributes = {} if is_block(node) else node.attributes
    return {
        "operator": _short(node.operator),
        "name": _short(node.name),
        "domain": "" if is_block(node) else node.domain,
        "attributes": [[name, _short(_text(value))] for name, value in sorted(attributes.items())],
        "inputs": _values(graph, node.inputs),
        "outputs": _values(graph, node.outputs),
    }


def _values(graph: Graph, names: Sequence[str]) -> list[list[str]]:
    found = []
    for name in names[:64]:
        if name:
            constant = " · constant" if name in graph.initializers else ""
            found.append([_short(name), f"{_type(graph.type_of(name))}{constant}"])
    if len(names) > 64:
        found.append(["…", f"{len(names) - 64} more"])
    return found


def _type(kind: TensorType | None) -> str:
    return "type not known" if kind is None else str(kind)


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _last(path: str) -> str:
    """Return the title of a part: the branch of its node, or the function."""
    node, _, key = path.rpartition("/")
    return f"{node.rpartition('/')[2]} · {key}" if node else path
