"""The signs of blocks and frames on which a click unfolds or folds them."""

from __future__ import annotations

from PySide6.QtCore import QPointF

from studio.gui.graph.paint import TEXT_FROM
from studio.gui.graph.scene import Scene
from studio.gui.graph.viewport import Viewport
from studio.gui.names import shown
from studio.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class GraphSign:
    """The sign under the pointer.

    Attributes:
        box: The folded block that a click unfolds; None for a frame.
        frame: The frame that a click folds.
        text: What a click here would do.
    """

    box: int | None
    frame: int | None
    text: str


def sign_at(scene: Scene | None, viewport: Viewport, where: QPointF) -> GraphSign | None:
    """Return the sign under a point of the canvas; None when zoomed far out."""
    if scene is None or viewport.zoom < TEXT_FROM:
        return None
    point = viewport.to_scene(where)
    x, y = point.x(), point.y()
    box = scene.sign_at(x, y)
    if box is not None:
        return GraphSign(box, None, "Expand (U)")
    frame = scene.frame_at(x, y) if scene.frames and scene.box_at(x, y) is None else None
    if frame is None:
        return None
    return GraphSign(
        None, frame, f"Collapse {shown(scene.frames[frame].node.operator)} (Backspace)"
    )
