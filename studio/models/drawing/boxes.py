"""Text on each box of a drawing, for every format."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from studio.api import Graph, GraphLayout, Node, TensorType
from studio.lazy_dataclass import dataclass
from studio.models.drawing.overlay import Overlay
from studio.models.families import family
from studio.models.labels.dimensions import short_type
from studio.models.labels.node_rows import (
    HEADER_HEIGHT,
    ROW_HEIGHT,
    ROWS_INSET,
    NodeRow,
    node_rows,
)
from studio.models.layout import Frame
from studio.models.layout.boxes import DETAIL_CHAR, OPERATOR_CHAR, detail
from studio.models.layout.placement import turned
from studio.models.walk import BLOCK_DOMAIN, block_text


@dataclass(frozen=True, slots=True)
class DrawnBox:
    """A box with its place and texts.

    Attributes:
        kind: A family of operators, ``terminal``, or ``unmeasured`` under an overlay.
        colours: Fill and text, where an overlay decides them.
        tooltip: Several lines.
        rows: Constants and kernel of the node, below the text.
    """

    x: float
    y: float
    width: float
    height: float
    kind: str
    title: str
    text: str
    tooltip: str
    colours: tuple[str, str] | None = None
    rows: tuple[NodeRow, ...] = ()

    def placed_rows(self) -> Iterator[tuple[str, float]]:
        """Yield the text of each row and where its middle is, from top to bottom."""
        for place, row in enumerate(self.rows):
            middle = self.y + HEADER_HEIGHT + ROWS_INSET + (place + 0.5) * ROW_HEIGHT
            yield f"{row.title}  {row.text}", middle


def drawn_boxes(graph: Graph, layout: GraphLayout, overlay: Overlay | None) -> Iterator[DrawnBox]:
    """Yield the drawn boxes in the layout's order.

    Args:
        overlay: By the place of each node (``overlay.on_nodes``).
    """
    index = 0
    for value in graph.inputs:
        yield _box(layout, index, "terminal", value.name, short_type(value.type), "input")
        index += 1
    for place, node in enumerate(graph.nodes):
        if layout.width[index]:
            yield _node(graph, node, layout, index, overlay, str(place))
        index += 1
    for value in graph.outputs:
        yield _box(layout, index, "terminal", value.name, short_type(value.type), "output")
        index += 1


def nodes_drawn(graph: Graph, layout: GraphLayout) -> int:
    """Return the number of nodes with a box, which constants do not have."""
    first = len(graph.inputs)
    return sum(1 for width in layout.width[first : first + len(graph.nodes)] if width)


def _node(
    graph: Graph,
    node: Node,
    layout: GraphLayout,
    index: int,
    overlay: Overlay | None,
    place: str,
) -> DrawnBox:
    tooltip = _tooltip(graph, node)
    if overlay is None:
        kind = "block" if node.domain == BLOCK_DOMAIN else family(node.operator)
        box = _box(layout, index, kind, node.operator, detail(node), tooltip)
    else:
        text = overlay.text(place) or detail(node)
        colours = overlay.colours(place)
        box = _box(layout, index, "unmeasured", node.operator, text, tooltip, colours)
    return replace(box, rows=node_rows(graph, node)) if box.height > HEADER_HEIGHT else box


def _box(
    layout: GraphLayout,
    index: int,
    kind: str,
    title: str,
    text: str,
    tooltip: str,
    colours: tuple[str, str] | None = None,
) -> DrawnBox:
    width = layout.width[index]
    return DrawnBox(
        layout.x[index],
        layout.y[index],
        width,
        layout.height[index],
        kind,
        _fit(title, width / OPERATOR_CHAR),
        _fit(text, width / DETAIL_CHAR),
        tooltip,
        colours,
    )


def _tooltip(graph: Graph, node: Node) -> str:
    lines = [f"{node.operator}  {node.name}"]
    lines += [f"{name} = {value}" for name, value in sorted(node.attributes.items())]
    for arrow, names in (("in", node.inputs), ("out", node.outputs)):
        lines += [f"{arrow}: {name}  {_type(graph.type_of(name))}" for name in names if name]
    return "\n".join(line if len(line) < 200 else line[:200] + "…" for line in lines[:40])


def _type(kind: TensorType | None) -> str:
    return "" if kind is None else str(kind)


def _fit(text: str, characters: float) -> str:
    limit = max(int(characters) - 2, 4)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def frame_title(frame: Frame) -> str:
    """Return the text in the upper left corner of a frame."""
    return _fit(f"{frame.node.operator} · {block_text(frame.node)}", frame.width / OPERATOR_CHAR)


Point = tuple[float, float]


def edge_points(layout: GraphLayout, *, across: bool = False) -> Iterator[list[Point]]:
    """Yield the points of each edge: out of a box, the bends, into the other box.

    Args:
        across: The layout is from left to right.
    """
    if across:
        for points in edge_points(turned(layout)):
            yield [(y, x) for x, y in points]
        return
    for (source, target, _), bends in zip(layout.edges, layout.bends, strict=True):
        start = (
            layout.x[source] + layout.width[source] / 2,
            layout.y[source] + layout.height[source],
        )
        end = (layout.x[target] + layout.width[target] / 2, layout.y[target])
        yield [start, *zip(bends[::2], bends[1::2], strict=True), end]
