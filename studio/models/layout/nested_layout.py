"""Layout of a graph with expanded blocks, each inside a frame.

Each level is laid out separately, the innermost first. A frame is a box of the level around it, as
large as what is inside. The layers of a level and the order within them do not depend on the sizes
of its boxes: so what is around a block keeps its order when the block is unfolded. What a block
reads and writes passes through ports on its frame, and edges lead from node to node through them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from studio.api import Graph, GraphLayout, Node
from studio.lazy_dataclass import dataclass
from studio.models.layout.boxes import Boxes, boxes
from studio.models.layout.cycles import without_cycles
from studio.models.layout.placement import ACROSS_GAP, PAGE, PAGE_ACROSS, Style, place, turned
from studio.models.walk import BLOCK_DOMAIN, INSIDE

HEADER = 34.0
"""Height of the upper part of a frame, where its title stands."""

_SIDE, _FOOT = 20.0, 10.0
_PORT = 8.0
_CHAR, _AROUND_TITLE = 8.2, 64.0
_LEVEL = Style(_SIDE, 0.0, is_framed=True)
_LEVEL_ACROSS = Style(_SIDE, 0.0, is_framed=True, gap=ACROSS_GAP)
_PORT_ROOM = 20.0
"""Left and right of a level from left to right, where its ports stand."""

Points = tuple[float, ...]
"""x and y of each point of a line."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Frame around an expanded block.

    Attributes:
        path: Of the block's inside, as ``walk.parts`` gives it.
        node: What it was folded to.
        around: Number of the frame around it; -1 for none. Frames come behind those around them.
        nodes: Number of the first node within it and of the first behind it.
    """

    path: str
    node: Node
    around: int
    x: float
    y: float
    width: float
    height: float
    nodes: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Unfolded:
    """A graph with its unfolded blocks replaced by what is in them.

    Attributes:
        homes: For each node the number of the innermost frame around it; -1 for none.
        across: Whether the layout is from left to right.
    """

    graph: Graph
    layout: GraphLayout
    frames: tuple[Frame, ...] = ()
    homes: tuple[int, ...] = ()
    across: bool = False


def unfold(
    graph: Graph, opened: Collection[str], path: str = "", *, across: bool = False
) -> Unfolded:
    """Lay out a graph with some blocks unfolded in place.

    Args:
        opened: Paths of the insides of the blocks; what is unfolded within a block that is not
            does not count.
        path: Of the graph itself.
        across: From left to right.
    """
    around = f"{path}/" if path else ""
    level = _Builder(frozenset(opened), across).level(graph, around, is_framed=False)
    whole = Unfolded(graph, level.layout)
    if level.inner:
        whole = _Flat(graph, level, across).unfolded()
    return _turned(whole) if across else whole


def _turned(whole: Unfolded) -> Unfolded:
    """Return a layout from left to right, which was made with both axes exchanged."""
    frames = tuple(
        [replace(one, x=one.y, y=one.x, width=one.height, height=one.width) for one in whole.frames]
    )
    return replace(whole, layout=turned(whole.layout), frames=frames, across=True)


def block_paths(graph: Graph, path: str = "") -> Iterator[str]:
    """Yield the inner paths of all folded blocks of a graph, the outer before the inner."""
    around = f"{path}/" if path else ""
    for node in graph.nodes:
        if node.domain == BLOCK_DOMAIN:
            inside = f"{around}{node.name}/{INSIDE}"
            yield inside
            yield from block_paths(node.blocks[INSIDE], inside)


@dataclass(frozen=True, slots=True)
class _Level:
    """Graph with a layout of its own.

    Attributes:
        inner: The unfolded blocks, by their boxes.
        arriving, leaving: For each value the edges from its port, and the one to it.
    """

    graph: Graph
    path: str
    layout: GraphLayout
    inner: dict[int, _Level]
    arriving: dict[str, list[int]]
    leaving: dict[str, int]


class _Builder:
    """Lays levels out; of equal ones only the first.

    Args:
        across: Widths and heights of all boxes are exchanged, and those of the layouts with them.
    """

    def __init__(self, opened: frozenset[str], across: bool) -> None:
        self._opened = opened
        self._across = across
        self._known: dict[object, GraphLayout] = {}

    def level(self, graph: Graph, around: str, *, is_framed: bool) -> _Level:
        """Return a level with its expanded blocks."""
        inner: dict[int, _Level] = {}
        for box, node in enumerate(graph.nodes, len(graph.inputs)):
            if node.domain == BLOCK_DOMAIN:
                path = f"{around}{node.name}/{INSIDE}"
                if path in self._opened:
                    inside = self.level(node.blocks[INSIDE], f"{path}/", is_framed=True)
                    inner[box] = inside
        layout = self._layout(graph, inner, is_framed=is_framed)
        arriving: dict[str, list[int]] = {}
        leaving: dict[str, int] = {}
        if is_framed:
            inputs, last = len(graph.inputs), len(layout.x) - len(graph.outputs)
            for at, (source, target, value) in enumerate(layout.edges):
                if source < inputs:
                    arriving.setdefault(value, []).append(at)
                if target >= last:
                    leaving[value] = at
        return _Level(graph, around.rstrip("/"), layout, inner, arriving, leaving)

    def _layout(self, graph: Graph, inner: dict[int, _Level], *, is_framed: bool) -> GraphLayout:
        drawn = boxes(graph).turned() if self._across else boxes(graph)
        for box, level in inner.items():
            wide, high = level.layout.size
            title = len(graph.nodes[box - len(graph.inputs)].operator) * _CHAR + _AROUND_TITLE
            title = round(title / 8) * 8.0
            if self._across:
                drawn.widths[box] = HEADER + wide
                drawn.heights[box] = max(high + 2 * _PORT_ROOM, title)
            else:
                drawn.widths[box] = max(wide, title)
                drawn.heights[box] = HEADER + high + _FOOT
        if not is_framed:
            return place(drawn, PAGE_ACROSS if self._across else PAGE)
        count = len(drawn.widths)
        for box in (*range(drawn.inputs), *range(count - drawn.outputs, count)):
            drawn.widths[box], drawn.heights[box] = _PORT, 0.0
        return self._placed(drawn)

    def _placed(self, drawn: Boxes) -> GraphLayout:
        """Return the layout of a level, from a cache of equal boxes and edges."""
        pairs = tuple([edge[:2] for edge in drawn.edges])
        key = (tuple(drawn.widths), pairs, tuple(drawn.heights.items()))
        known = self._known.get(key)
        if known is None:
            style = _LEVEL_ACROSS if self._across else _LEVEL
            known = self._known[key] = place(drawn, style)
        edges = without_cycles(len(drawn.widths), drawn.edges)
        return replace(known, edges=tuple(edges))


class _Flat:
    """One graph and one layout out of nested levels."""

    def __init__(self, graph: Graph, top: _Level, across: bool) -> None:
        self._graph, self._top, self._across = graph, top, across
        self._nodes: list[Node] = []
        self._homes: list[int] = []
        self._frames: list[Frame] = []
        self._places: list[tuple[float, float, float, float]] = []
        self._numbers: dict[int, dict[int, int]] = {}
        self._shifts: dict[int, tuple[float, float]] = {}
        self._ports: dict[int, tuple[float, float]] = {}
        self._edges: list[tuple[int, int, str]] = []
        self._bends: list[Points] = []

    def unfolded(self) -> Unfolded:
        """Return the whole layout."""
        graph, layout = self._graph, self._top.layout
        inputs, outputs = len(graph.inputs), len(graph.outputs)
        self._places += [_place(layout, box) for box in range(inputs)]
        self._set(self._top, 0.0, 0.0, -1)
        last = len(layout.x) - outputs
        numbers = self._numbers[id(self._top)]
        numbers.update({box: box for box in range(inputs)})
        numbers.update({last + at: len(self._places) + at for at in range(outputs)})
        self._places += [_place(layout, box) for box in range(last, last + outputs)]
        self._connect(self._top, is_framed=False)
        x, y, width, height = zip(*self._places, strict=True)
        flat = GraphLayout(x, y, width, height, tuple(self._edges), tuple(self._bends), layout.size)
        whole = replace(graph, nodes=tuple(self._nodes))
        return Unfolded(whole, flat, tuple(self._frames), tuple(self._homes))

    def _set(self, level: _Level, right: float, down: float, around: int) -> None:
        """Number and place the boxes of a level.

        Args:
            right, down: How far the level is moved.
            around: The frame around it.
        """
        numbers = self._numbers[id(level)] = {}
        self._shifts[id(level)] = (right, down)
        layout = level.layout
        before = len(self._graph.inputs)
        for box, node in enumerate(level.graph.nodes, len(level.graph.inputs)):
            x, y, wide, high = _place(layout, box)
            if wide:
                x, y = round(x + right, 1), round(y + down, 1)
            inside = level.inner.get(box)
            if inside is None:
                numbers[box] = before + len(self._nodes)
                self._nodes.append(node)
                self._homes.append(around)
                self._places.append((x, y, wide, high))
                continue
            number, first = len(self._frames), len(self._nodes)
            frame = Frame(inside.path, node, around, x, y, wide, high, (first, first))
            self._frames.append(frame)
            right_in, down_in = self._within(inside, wide, high)
            self._ports[id(inside)] = (down_in, high - down_in - inside.layout.size[1])
            self._set(inside, x + right_in, y + down_in, number)
            self._frames[number] = replace(frame, nodes=(first, len(self._nodes)))

    def _within(self, inside: _Level, wide: float, high: float) -> tuple[float, float]:
        """Return where a level begins in its frame, whose title stands above it."""
        if self._across:
            return HEADER, (high - inside.layout.size[1]) / 2
        return (wide - inside.layout.size[0]) / 2, HEADER

    def _connect(self, level: _Level, *, is_framed: bool) -> None:
        """Collect the edges of a level and of those within it."""
        layout = level.layout
        inputs, last = len(level.graph.inputs), len(layout.x) - len(level.graph.outputs)
        for at, (source, target, value) in enumerate(layout.edges):
            if is_framed and (source < inputs or target >= last):
                continue  # continues outside
            head = self._from(level, at)
            if head is None:
                continue
            box, points = head
            for end, tail in self._to(level, at):
                self._edges.append((box, end, value))
                self._bends.append((*points, *self._moved(level, at), *tail))
        for inside in level.inner.values():
            self._connect(inside, is_framed=True)

    def _from(self, level: _Level, at: int) -> tuple[int, Points] | None:
        """Return the node at which an edge begins, and the points before the edge's own."""
        source, _, value = level.layout.edges[at]
        inside = level.inner.get(source)
        if inside is None:
            return self._numbers[id(level)][source], ()
        leaving = inside.leaving.get(value)
        head = self._from(inside, leaving) if leaving is not None else None
        if leaving is None or head is None:
            return None
        right, down = self._shifts[id(inside)]
        port = inside.layout.edges[leaving][1]
        x, y = inside.layout.x[port] + _PORT / 2 + right, inside.layout.y[port] + down
        return head[0], (
            *head[1],
            *self._moved(inside, leaving),
            x,
            y,
            x,
            y + self._ports[id(inside)][1],
        )

    def _to(self, level: _Level, at: int) -> list[tuple[int, Points]]:
        """Return the nodes at which an edge ends, and the points behind the edge's own."""
        _, target, value = level.layout.edges[at]
        inside = level.inner.get(target)
        if inside is None:
            return [(self._numbers[id(level)][target], ())]
        right, down = self._shifts[id(inside)]
        found: list[tuple[int, Points]] = []
        for arriving in inside.arriving.get(value, ()):
            port = inside.layout.edges[arriving][0]
            x, y = inside.layout.x[port] + _PORT / 2 + right, inside.layout.y[port] + down
            above = y - self._ports[id(inside)][0]
            before = (x, above, x, y, *self._moved(inside, arriving))
            found += [(end, (*before, *tail)) for end, tail in self._to(inside, arriving)]
        return found

    def _moved(self, level: _Level, at: int) -> Points:
        """Return the points of an edge after its level was moved."""
        right, down = self._shifts[id(level)]
        points = level.layout.bends[at]
        if not right and not down:
            return points
        return tuple([value + (down if place % 2 else right) for place, value in enumerate(points)])


def _place(layout: GraphLayout, box: int) -> tuple[float, float, float, float]:
    return layout.x[box], layout.y[box], layout.width[box], layout.height[box]
