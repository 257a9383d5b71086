"""The boxes and edges that a graph is drawn with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import field

from studio.api import Graph, Node, TensorType
from studio.lazy_dataclass import dataclass
from studio.models.labels.dimensions import short_type
from studio.models.labels.node_rows import HEADER_HEIGHT, NodeRow, height_of, node_rows
from studio.models.walk import BLOCK_DOMAIN, block_text, is_constant, read_names

HEIGHT = HEADER_HEIGHT
"""Of a box without rows."""

_NARROWEST, _WIDEST = 112.0, 240.0
_PADDING = 28.0
_SIGN = 16.0
"""Room for the sign that unfolds a block."""

OPERATOR_CHAR, DETAIL_CHAR = 8.2, 6.4
"""Mean advance of a character in pixels: semibold 13 px, and regular 11 px."""

_BETWEEN = 3
"""Characters between the title of a row and its text."""


@dataclass(frozen=True, slots=True)
class Boxes:
    """Boxes in the order that ``GraphLayout`` defines: inputs, nodes, outputs.

    Attributes:
        widths: Zero for what is not drawn: constants, which belong to the nodes that read them.
        edges: (from box, to box, value name).
        inputs, outputs: How many there are.
        heights: Of the boxes that are not of the usual height, as those with rows.
    """

    widths: list[float]
    edges: list[tuple[int, int, str]]
    inputs: int
    outputs: int
    heights: dict[int, float] = field(default_factory=dict)

    def height(self, box: int) -> float:
        """Return the height of a box, or zero if it is not drawn."""
        return self.heights.get(box, HEIGHT) if self.widths[box] else 0.0

    def turned(self) -> Boxes:
        """Return the boxes with widths and heights exchanged, for a layout from left to right."""
        heights = {box: width for box, width in enumerate(self.widths) if width}
        widths = [self.height(box) for box in range(len(self.widths))]
        return Boxes(widths, self.edges, self.inputs, self.outputs, heights)


def boxes(graph: Graph) -> Boxes:
    """Return the boxes of a graph, its terminals included."""
    widths = [_terminal(value.name, value.type) for value in graph.inputs]
    producers = {value.name: index for index, value in enumerate(graph.inputs)}
    first = len(widths)
    heights: dict[int, float] = {}
    for index, node in enumerate(graph.nodes, first):
        if is_constant(node):
            widths.append(0.0)
            continue
        rows = node_rows(graph, node)
        widths.append(_node(node, rows))
        if rows:
            heights[index] = height_of(len(rows))
        for name in node.outputs:
            if name:
                producers[name] = index
    edges: list[tuple[int, int, str]] = []
    for index, node in enumerate(graph.nodes, first):
        edges += _edges_to(index, read_names(node), producers)
    for index, value in enumerate(graph.outputs, first + len(graph.nodes)):
        widths.append(_terminal(value.name, value.type))
        edges += _edges_to(index, (value.name,), producers)
    return Boxes(widths, edges, len(graph.inputs), len(graph.outputs), heights)


def _edges_to(
    target: int, names: Iterable[str], producers: dict[str, int]
) -> list[tuple[int, int, str]]:
    found = {name: producers[name] for name in names if name in producers}
    return [(source, target, name) for name, source in found.items() if source != target]


def detail(node: Node) -> str:
    """Return the second line of a node's box: the last part of its name, or a block's content."""
    if node.domain == BLOCK_DOMAIN:
        return block_text(node)
    last = node.name.rstrip("/.").replace(".", "/").rsplit("/", 1)[-1] or node.name
    return last if len(last) <= 30 else last[:14] + "…" + last[-14:]


def _node(node: Node, rows: Sequence[NodeRow]) -> float:
    title = f"{node.operator} ▸" if node.blocks else node.operator  # as the window writes it
    longest = len(detail(node))
    if rows:  # their texts stand in a column
        titles, texts = max([len(row[0]) for row in rows]), max([len(row[1]) for row in rows])
        longest = max(longest, titles + texts + _BETWEEN)
    return _width(title, longest, _SIGN if node.domain == BLOCK_DOMAIN else 0.0)


def _terminal(name: str, kind: TensorType | None) -> float:
    return _width(name, len(short_type(kind)))


def _width(title: str, characters: int, more: float = 0.0) -> float:
    needed = max(len(title) * OPERATOR_CHAR, characters * DETAIL_CHAR) + _PADDING + more
    return round(min(max(needed, _NARROWEST), _WIDEST) / 8) * 8.0
