"""What keeps its place on the screen when blocks of the graph are unfolded or folded."""

from __future__ import annotations

from PySide6.QtCore import QPointF

from studio.gui.graph.scene import Scene
from studio.lazy_dataclass import dataclass

INSIDE = "inside"
"""The name of a folded block's own part, at the end of its path."""


@dataclass(frozen=True, slots=True)
class ScreenAnchor:
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
        """Return its position in another scene of the same block, and the box that shows it.

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
        """Return the box itself, or the collapsed block that contains it."""
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
