"""A graph as it is shown: what its boxes say, where they are, what they are connected with."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from studio.api import Graph, GraphLayout, Node, Value
from studio.gui.graph.area import Area
from studio.gui.graph.families import BLOCK, TERMINAL
from studio.gui.names import shown
from studio.workspace import (
    HEADER_HEIGHT,
    NodeRow,
    block_text,
    is_folded_block,
    node_rows,
    operator_family,
    short_shape,
)

if TYPE_CHECKING:
    from studio.gui.graph.index import Index
    from studio.workspace import Frame

LONGEST_TITLE = 80
"""Characters of a block's title that are read out with a node in it."""

FRAME_TITLE = 28.0
"""Height of the part of a frame that holds its title."""

CORNER = 24.0
"""Edge of the upper left corner of a block, in which a click unfolds it."""


_SAME_ROW = HEADER_HEIGHT / 2
"""Pixels between the beginnings of two boxes of about the same row."""

OPENS = "▸"
"""Behind the title of a box that can be looked into."""


class Box(NamedTuple):
    """A box of the graph; a named tuple because there are tens of thousands.

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


class Scene:
    """A laid out graph, ready to be painted and searched.

    Boxes are numbered as in the layout: inputs, nodes, outputs. A box without width is a constant
    that belongs to the nodes that read it; it is neither painted nor found.

    Attributes:
        boxes: What is written on each box.
        x, y, width, height: Where each box is, in pixels at 100 %.
        edges: (from box, to box, value name).
        index: The same in arrays, by place.
        families: Those that occur, in the order of their first box.
        colors: For each box the place of its family among them.
        size: Width and height of the whole.
        frames: Around blocks that are unfolded in place.
        across: Whether it is laid out from left to right.

    Args:
        functions: Qualified names of the model's own functions.
        like: A scene that may have the same layout; then its arrays are taken over.
        homes: For each node the innermost frame around it; empty where there are no frames.
    """

    def __init__(
        self,
        graph: Graph,
        layout: GraphLayout,
        functions: Collection[str] = (),
        like: Scene | None = None,
        frames: tuple[Frame, ...] = (),
        homes: Sequence[int] = (),
        across: bool = False,
    ) -> None:
        from studio.gui.graph.index import Index, coded  # numpy is not for the window's first paint

        self.graph = graph
        self.boxes = tuple(_boxes(graph, functions))
        if len(self.boxes) != len(layout.x):
            raise ValueError(f"{len(layout.x)} positions for {len(self.boxes)} boxes")
        self.x, self.y = layout.x, layout.y
        self.width, self.height = layout.width, layout.height
        self.edges = layout.edges
        self.size = layout.size
        self.frames, self._homes, self.across = frames, homes, across
        self.families, self.colors = coded(box.family for box in self.boxes)
        self._layout = layout
        is_known = like is not None and like.across == across and like._layout == layout
        known = like if is_known else None
        self.index: Index = known.index if known else Index(layout, across=across)

    def __len__(self) -> int:
        return len(self.boxes)

    def box_at(self, x: float, y: float) -> int | None:
        """Return the box under a point."""
        for box in self.index.boxes_in(Area(x, y, x, y)).tolist():
            if y <= self.y[box] + self.height[box] and x <= self.x[box] + self.width[box]:
                return int(box)
        return None

    def frame_of(self, box: int) -> int:
        """Return the innermost frame around a box; -1 for none."""
        node = box - len(self.graph.inputs)
        return self._homes[node] if 0 <= node < len(self._homes) else -1

    def frame_at(self, x: float, y: float) -> int | None:
        """Return the frame whose title is under a point."""
        for number in range(len(self.frames) - 1, -1, -1):
            frame = self.frames[number]
            if 0 <= y - frame.y <= FRAME_TITLE and 0 <= x - frame.x <= frame.width:
                return number
        return None

    def sign_at(self, x: float, y: float) -> int | None:
        """Return the folded block whose sign is under a point."""
        box = self.box_at(x, y)
        if box is None or not self.is_block(box):
            return None
        return box if x - self.x[box] <= CORNER and y - self.y[box] <= CORNER else None

    def is_block(self, box: int) -> bool:
        """Return whether a box is a block that can be unfolded in place."""
        return self.boxes[box].family == BLOCK

    def path_of(self, box: int, around: str) -> str:
        """Return the path of the part that a box belongs to.

        Args:
            around: The path of the part that the scene shows.
        """
        frame = self.frame_of(box)
        return around if frame < 0 else self.frames[frame].path

    def centre(self, box: int) -> tuple[float, float]:
        """Return the middle of a box."""
        return self.x[box] + self.width[box] / 2, self.y[box] + self.height[box] / 2

    def after(self, box: int) -> Sequence[int]:
        """Boxes that a box feeds, in the order of its edges."""
        return self.index.after.of(box)

    def before(self, box: int) -> Sequence[int]:
        """Boxes that feed a box, in the order of its edges."""
        return self.index.before.of(box)

    def reachable(self, box: int, *, down: bool) -> frozenset[int]:
        """Return a box and all that it feeds, directly or not; or all that feeds it."""
        ways = self.index.after if down else self.index.before
        found, waiting = {box}, [box]
        while waiting:
            for other in ways.of(waiting.pop()):
                if other not in found:
                    found.add(other)
                    waiting.append(other)
        return frozenset(found)

    def beside(self, box: int, step: int) -> int | None:
        """Return the next box of about the same row: to the right (1) or left (-1).

        Where the graph runs from left to right, of the same column: below (1) or above (-1).
        """
        starts, way = (self.x, 1) if self.across else (self.y, 0)
        row, middle = starts[box], self.centre(box)[way]
        wide, high = self.size
        around = Area(row, 0, row, high) if self.across else Area(0, row, wide, row)
        others = [
            (abs(self.centre(other)[way] - middle), other)
            for other in self.index.boxes_in(around).tolist()
            if abs(starts[other] - row) <= _SAME_ROW
            and (self.centre(other)[way] - middle) * step > 0
        ]
        return min(others)[1] if others else None

    def details(self, box: int) -> tuple[str, ...]:
        """Return the texts for below the title, the best first; the first that fits is painted.

        Kernel and output shape, the shape alone, the name.
        """
        what = self.boxes[box]
        if what.node is None:
            kind = what.value.type if what.value is not None else None
            return (short_shape(kind.shape),) if kind is not None else ()
        return _details(self.graph, what.node, with_kernel=not self.rows(box))

    def rows(self, box: int) -> tuple[NodeRow, ...]:
        """Return the rows of a box; none where the layout has left no room for them."""
        node = self.boxes[box].node
        if node is None or self.height[box] <= HEADER_HEIGHT:
            return ()
        return node_rows(self.graph, node)

    def shapes(self, box: int) -> tuple[str, ...]:
        """Return the shapes that a box passes on, each once, in the order of its outputs."""
        what = self.boxes[box]
        if not self.after(box):
            return ()
        if what.node is None:
            kinds = [what.value.type] if what.value is not None else []
        else:
            kinds = [self.graph.type_of(name) for name in what.node.outputs if name]
        texts = [short_shape(kind.shape) for kind in kinds if kind is not None]
        return tuple(dict.fromkeys(filter(None, texts)))

    def index_of(self, name: str, kind: str = "node") -> int | None:
        """Return the box of a node by name, or of an ``input`` or ``output`` of the graph."""
        inputs, outputs = len(self.graph.inputs), len(self.graph.outputs)
        first, last = {
            "node": (inputs, len(self) - outputs),
            "input": (0, inputs),
            "output": (len(self) - outputs, len(self)),
        }[kind]
        return next((at for at in range(first, last) if self.boxes[at].name == name), None)


def description(
    scene: Scene | None, selected: int | None, traced: Collection[int], kept: Collection[int] = ()
) -> str:
    """Return the screen reader's description of the selected box.

    Args:
        traced: The boxes of the path that is lit.
        kept: The boxes that quantization keeps in float.
    """
    if scene is None or selected is None:
        return "Nothing selected"
    box = scene.boxes[selected]
    before, after = len(scene.before(selected)), len(scene.after(selected))
    name, detail = shown(box.name), shown(next(iter(scene.details(selected)), ""))
    text = f"{shown(box.title)} {name}, {detail}; {before} before, {after} after"
    if (frame := scene.frame_of(selected)) >= 0:
        title = shown(scene.frames[frame].node.operator)
        text += f"; in {title[:LONGEST_TITLE]}, expanded"
    text += "; kept in float" if selected in kept else ""
    return text + (f"; {len(traced)} highlighted" if traced else "")


def _boxes(graph: Graph, functions: Collection[str]) -> Iterator[Box]:
    for value in graph.inputs:
        yield Box(value.name, TERMINAL, value.name, value=value)
    for node in graph.nodes:
        family = BLOCK if is_folded_block(node) else operator_family(node.operator)
        called = f"{node.domain}:{node.operator}"
        opens = tuple(node.blocks) or ((called,) if called in functions else ())
        title = f"{node.operator} {OPENS}" if opens else node.operator
        yield Box(title, family, node.name, node=node, opens=opens)
    for value in graph.outputs:
        yield Box(value.name, TERMINAL, value.name, value=value)


def _details(graph: Graph, node: Node, *, with_kernel: bool) -> tuple[str, ...]:
    kind = graph.type_of(node.outputs[0]) if node.outputs else None
    shape = short_shape(kind.shape) if kind is not None else ""
    if is_folded_block(node):
        return (block_text(node),)
    kernel = node.attributes.get("kernel_shape") if with_kernel else None
    edges = "×".join(str(edge) for edge in kernel) if isinstance(kernel, tuple) else ""
    candidates = (f"{edges} · {shape}" if edges and shape else "", shape, edges, node.name)
    return tuple(text for text in candidates if text)
