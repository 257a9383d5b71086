"""Boxes and edges of a graph in arrays, and the index that finds those in a rectangle."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from studio.api import Dimension, Graph, GraphLayout, Node, TensorType, Value
from studio.gui.graph.families import TERMINAL
from studio.workspace import operator_family

STRIP = 512.0
"""Height in pixels of the strips that segments are sorted into."""

LONGEST_SYMBOL = 6

LONG = 8
"""A segment that crosses more strips than this is looked at in every frame instead."""


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle of the scene."""

    left: float
    top: float
    right: float
    bottom: float


OPENS = "▸"
"""Behind the title of a box that can be looked into."""


class Box(NamedTuple):
    """What a box stands for; a named tuple because there are tens of thousands.

    Attributes:
        title: The operator, or the name of an input or output.
        family: Decides the colour.
        node: None for an input or output of the graph.
        value: The terminal's value; None for a node.
        opens: What can be looked into: its blocks' names, or the function that it calls.
    """

    title: str
    family: str
    name: str
    node: Node | None = None
    value: Value | None = None
    opens: tuple[str, ...] = ()


Segment = tuple[float, float, float, float, int]
"""x and y of both ends, and the edge that it belongs to."""


class Scene:
    """A laid out graph, ready to be painted and searched.

    Boxes are numbered as in the layout: inputs, nodes, outputs. A box without width is a constant
    that belongs to the nodes that read it; it is neither painted nor found.

    Attributes:
        boxes: What is written on each box.
        x, y, width, height: Where each box is, in pixels at 100 %.
        edges: (from box, to box, value name).
        segments: The pieces of all edges.
        size: Width and height of the whole.

    Args:
        functions: Qualified names of the model's own functions.
    """

    def __init__(self, graph: Graph, layout: GraphLayout, functions: Collection[str] = ()) -> None:
        self.graph = graph
        self.boxes = tuple(_boxes(graph, functions))
        if len(self.boxes) != len(layout.x):
            raise ValueError(f"{len(layout.x)} positions for {len(self.boxes)} boxes")
        self.x, self.y = layout.x, layout.y
        self.width, self.height = layout.width, layout.height
        self.edges = layout.edges
        self.size = layout.size
        self.segments = list(_segments(layout))
        self._by_y = sorted(range(len(self.boxes)), key=self.y.__getitem__)
        self._ys = [self.y[index] for index in self._by_y]
        self._tallest = max(self.height, default=0.0)
        self._strips, self._long = _strips(self.segments)
        self._after: dict[int, list[int]] = defaultdict(list)
        self._before: dict[int, list[int]] = defaultdict(list)
        self._touching: dict[int, list[int]] = defaultdict(list)
        for number, (source, target, _value) in enumerate(self.edges):
            self._after[source].append(target)
            self._before[target].append(source)
            self._touching[source].append(number)
            self._touching[target].append(number)

    def __len__(self) -> int:
        return len(self.boxes)

    def boxes_in(self, area: Area) -> list[int]:
        """Boxes that touch an area, from top to bottom."""
        first = bisect_left(self._ys, area.top - self._tallest)
        last = bisect_right(self._ys, area.bottom)
        x, width = self.x, self.width
        return [
            index
            for index in self._by_y[first:last]
            if width[index] and x[index] <= area.right and x[index] + width[index] >= area.left
        ]

    def count_between(self, top: float, bottom: float) -> int:
        """How many boxes begin in a band; costs nothing."""
        return bisect_right(self._ys, bottom) - bisect_left(self._ys, top)

    def segments_in(self, area: Area) -> list[Segment]:
        """Pieces of edges that touch an area."""
        found: set[int] = set(self._long)
        for strip in range(int(area.top // STRIP), int(area.bottom // STRIP) + 1):
            found.update(self._strips.get(strip, ()))
        segments = self.segments
        return [segment for index in found if _touches(segment := segments[index], area)]

    def box_at(self, x: float, y: float) -> int | None:
        """The box under a point."""
        for index in self.boxes_in(Area(x, y, x, y)):
            if y <= self.y[index] + self.height[index]:
                return index
        return None

    def centre(self, box: int) -> tuple[float, float]:
        """The middle of a box."""
        return self.x[box] + self.width[box] / 2, self.y[box] + self.height[box] / 2

    def after(self, box: int) -> Sequence[int]:
        """Boxes that a box feeds, in the order of its edges."""
        return self._after.get(box, ())

    def before(self, box: int) -> Sequence[int]:
        """Boxes that feed a box, in the order of its edges."""
        return self._before.get(box, ())

    def reachable(self, box: int, *, down: bool) -> frozenset[int]:
        """A box and all that it feeds, directly or not; or all that feeds it."""
        ways = self._after if down else self._before
        found, waiting = {box}, [box]
        while waiting:
            for other in ways.get(waiting.pop(), ()):
                if other not in found:
                    found.add(other)
                    waiting.append(other)
        return frozenset(found)

    def edges_of(self, box: int) -> frozenset[int]:
        """Edges that touch a box."""
        return frozenset(self._touching.get(box, ()))

    def beside(self, box: int, step: int) -> int | None:
        """The next box to the right (1) or left (-1) in about the same row."""
        middle, row = self.centre(box)
        half = max(self._tallest, 1.0)
        others = [
            (abs(self.centre(other)[0] - middle), other)
            for other in self.boxes_in(Area(0, row - half / 2, self.size[0], row + half / 2))
            if (self.centre(other)[0] - middle) * step > 0
        ]
        return min(others)[1] if others else None

    def details(self, box: int) -> tuple[str, ...]:
        """What may stand below the title, the most telling first; the first that fits is written.

        Kernel and output shape, the shape alone, the name.
        """
        what = self.boxes[box]
        if what.node is None:
            return (_shape(what.value.type),) if what.value is not None else ()
        return _details(self.graph, what.node)

    def index_of(self, name: str, kind: str = "node") -> int | None:
        """The box of a node by its name, or that of an ``input`` or ``output`` of the graph."""
        inputs, outputs = len(self.graph.inputs), len(self.graph.outputs)
        first, last = {
            "node": (inputs, len(self) - outputs),
            "input": (0, inputs),
            "output": (len(self) - outputs, len(self)),
        }[kind]
        return next((at for at in range(first, last) if self.boxes[at].name == name), None)


def _boxes(graph: Graph, functions: Collection[str]) -> Iterator[Box]:
    for value in graph.inputs:
        yield Box(value.name, TERMINAL, value.name, value=value)
    for node in graph.nodes:
        family = operator_family(node.operator)
        called = f"{node.domain}:{node.operator}"
        opens = tuple(node.blocks) or ((called,) if called in functions else ())
        title = f"{node.operator} {OPENS}" if opens else node.operator
        yield Box(title, family, node.name, node=node, opens=opens)
    for value in graph.outputs:
        yield Box(value.name, TERMINAL, value.name, value=value)


def _details(graph: Graph, node: Node) -> tuple[str, ...]:
    shape = _shape(graph.type_of(node.outputs[0]) if node.outputs else None)
    kernel = node.attributes.get("kernel_shape")
    edges = "×".join(str(edge) for edge in kernel) if isinstance(kernel, tuple) else ""
    candidates = (f"{edges} · {shape}" if edges and shape else "", shape, edges, node.name)
    return tuple(text for text in candidates if text)


def _shape(kind: TensorType | None) -> str:
    if kind is None or kind.shape is None:
        return ""
    if not kind.shape:
        return "scalar"
    return "×".join(_size(size) for size in kind.shape)


def _size(size: Dimension) -> str:
    """A size; a long symbolic name says no more than that it is open, and takes all the room."""
    text = "?" if size is None else str(size)
    return text if len(text) <= LONGEST_SYMBOL else "?"


def _segments(layout: GraphLayout) -> Iterator[Segment]:
    for number, ((source, target, _value), bends) in enumerate(
        zip(layout.edges, layout.bends, strict=True)
    ):
        x = layout.x[source] + layout.width[source] / 2
        y = layout.y[source] + layout.height[source]
        for next_x, next_y in zip(bends[::2], bends[1::2], strict=True):
            yield x, y, next_x, next_y, number
            x, y = next_x, next_y
        yield x, y, layout.x[target] + layout.width[target] / 2, layout.y[target], number


def _strips(segments: Iterable[Segment]) -> tuple[dict[int, list[int]], list[int]]:
    strips: dict[int, list[int]] = defaultdict(list)
    long: list[int] = []
    for number, (_x0, y0, _x1, y1, _edge) in enumerate(segments):
        first, last = int(min(y0, y1) // STRIP), int(max(y0, y1) // STRIP)
        if last - first > LONG:
            long.append(number)
            continue
        for strip in range(first, last + 1):
            strips[strip].append(number)
    return strips, long


def _touches(segment: Segment, area: Area) -> bool:
    x0, y0, x1, y1, _edge = segment
    return (
        (y0 <= area.bottom or y1 <= area.bottom)
        and (y0 >= area.top or y1 >= area.top)
        and (x0 <= area.right or x1 <= area.right)
        and (x0 >= area.left or x1 >= area.left)
    )
