"""Which blocks of the graph are unfolded in place, and what keeps its place when that changes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF

from studio.gui.graph.scene import Scene

if TYPE_CHECKING:
    from studio.gui.graph.canvas import GraphCanvas
    from studio.workspace import GraphView

INSIDE = "inside"
_MARGIN = 60.0
"""Pixels from the upper side of the canvas within which a block that was folded is shown."""


@dataclass(frozen=True, slots=True)
class Held:
    """A point of the graph that is to stay where it is on the screen.

    Attributes:
        point: In the scene that was shown.
        path, name: The part and the name of the box that it belongs to.
        is_selected: Whether that box is selected afterwards.
    """

    point: QPointF
    path: str
    name: str
    is_selected: bool

    def place(self, scene: Scene, around: str) -> tuple[tuple[QPointF, QPointF] | None, int | None]:
        """Where it is in another scene of the same part, and the box that stands for it.

        Args:
            around: The path of the part.
        """
        within = f"{self.path}/" if self.path else ""
        unfolded = f"{within}{self.name}/{INSIDE}"
        for frame in scene.frames:
            if frame.path == unfolded:
                first = len(scene.graph.inputs) + frame.nodes[0]
                there = QPointF(frame.x + frame.width / 2, frame.y)
                return (self.point, there), first
        box = self._box(scene, around)
        if box is None:
            return None, None
        return (self.point, QPointF(scene.centre(box)[0], scene.y[box])), box

    def _box(self, scene: Scene, around: str) -> int | None:
        """The box itself, or the folded block that it lies in."""
        start = f"{around}/" if around else ""
        holder = None
        for box, what in enumerate(scene.boxes):
            if what.node is None:
                continue
            path = scene.path_of(box, around)
            if what.name == self.name and path == self.path:
                return box
            if scene.is_block(box):
                inside = f"{path}/{what.name}/{INSIDE}" if path else f"{what.name}/{INSIDE}"
                if f"{self.path}/".startswith(f"{inside}/") and inside.startswith(start):
                    holder = box
        return holder


class Unfolding:
    """The blocks that are unfolded in place.

    Attributes:
        opened: Paths of their insides. Those within a folded block are kept: unfolded again, it
            looks as before.
    """

    def __init__(self) -> None:
        self.opened: frozenset[str] = frozenset()

    def clear(self) -> None:
        """Fold everything."""
        self.opened = frozenset()

    def unfold(self, canvas: GraphCanvas, box: int, around: str) -> Held | None:
        """Unfold a block; None where the box is none."""
        scene = canvas.scene
        if scene is None or not scene.is_block(box):
            return None
        path, name = scene.path_of(box, around), scene.boxes[box].name
        self.opened |= {f"{path}/{name}/{INSIDE}" if path else f"{name}/{INSIDE}"}
        return Held(QPointF(scene.centre(box)[0], scene.y[box]), path, name, is_selected=True)

    def fold(self, canvas: GraphCanvas, number: int, around: str) -> Held | None:
        """Fold the block within a frame."""
        scene = canvas.scene
        if scene is None:
            return None
        frame = scene.frames[number]
        self.opened -= {frame.path}
        path = scene.frames[frame.around].path if frame.around >= 0 else around
        area, margin = canvas.area(), _MARGIN / canvas.zoom
        # Of a frame whose title is out of sight the block is shown at the edge of the canvas.
        x = min(max(frame.x + frame.width / 2, area.left + margin), area.right - margin)
        point = QPointF(x, max(frame.y, area.top + margin))
        return Held(point, path, frame.node.name, is_selected=True)

    def toggle(self, canvas: GraphCanvas, around: str) -> Held | None:
        """Unfold the selected block, or fold the one around the selected node."""
        scene, box = canvas.scene, canvas.selected
        if scene is None or box is None:
            return None
        if scene.is_block(box):
            return self.unfold(canvas, box, around)
        frame = scene.frame_of(box)
        return self.fold(canvas, frame, around) if frame >= 0 else None

    def toggle_all(self, canvas: GraphCanvas, view: GraphView, around: str) -> Held | None:
        """Unfold all blocks of a part; fold them where all are unfolded."""
        every = view.blocks_in(around)
        held = self._middle(canvas, around)
        self.opened = self.opened - every if every <= self.opened else self.opened | every
        return held

    def _middle(self, canvas: GraphCanvas, around: str) -> Held | None:
        """The selected box if it is in sight, or else the one nearest to the middle."""
        scene = canvas.scene
        if scene is None or not len(scene):
            return None
        area = canvas.area()
        near = scene.index.boxes_in(area).tolist()
        nodes = [box for box in near if scene.boxes[box].node is not None]
        if canvas.selected in nodes:
            box = canvas.selected
        elif nodes:
            middle = ((area.left + area.right) / 2, (area.top + area.bottom) / 2)
            box = min(nodes, key=lambda one: _away(scene.centre(one), middle))
        else:
            return None
        assert box is not None
        held = QPointF(scene.centre(box)[0], scene.y[box])
        chosen = box == canvas.selected
        return Held(held, scene.path_of(box, around), scene.boxes[box].name, is_selected=chosen)


def why_not(canvas: GraphCanvas, opened: Collection[str]) -> str:
    """Why nothing can be unfolded or folded where the selection is; empty where it can."""
    scene, box = canvas.scene, canvas.selected
    if scene is None or box is None:
        return "Select a block first, or a node of one that is unfolded."
    if scene.is_block(box) or scene.frame_of(box) >= 0:
        return ""
    if scene.boxes[box].opens:
        return "Branches, bodies and functions have names of their own: they are entered (Enter)."
    return "The selected node is no block, and lies in none that is unfolded."


def _away(one: tuple[float, float], other: tuple[float, float]) -> float:
    return abs(one[0] - other[0]) + abs(one[1] - other[1])
