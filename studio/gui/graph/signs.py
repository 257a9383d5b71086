"""What a click on the signs of blocks and frames does, and how the pointer says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt

from studio.api.qt import plain_tip
from studio.gui.graph.paint import TEXT_FROM
from studio.gui.names import shown

if TYPE_CHECKING:
    from studio.gui.graph.canvas import GraphCanvas


@dataclass(frozen=True, slots=True)
class GraphSign:
    """What is under the pointer.

    Attributes:
        box: The folded block that a click unfolds; None for a frame.
        frame: The frame that a click folds.
    """

    box: int | None
    frame: int | None
    text: str


def sign_at(canvas: GraphCanvas, where: QPointF) -> GraphSign | None:
    """The sign under a point of the canvas; far out there is none."""
    scene = canvas.scene
    if scene is None or not canvas.unfolds or canvas.zoom < TEXT_FROM:
        return None
    point = canvas.to_scene(where)
    x, y = point.x(), point.y()
    box = scene.sign_at(x, y)
    if box is not None:
        return GraphSign(box, None, "Unfold in place (U)")
    frame = scene.frame_at(x, y) if scene.frames and scene.box_at(x, y) is None else None
    if frame is None:
        return None
    return GraphSign(None, frame, f"Fold {shown(scene.frames[frame].node.operator)} (Backspace)")


def click(canvas: GraphCanvas, where: QPointF) -> bool:
    """Do what the sign under a point means; False where there is none."""
    sign = sign_at(canvas, where)
    if sign is None:
        return False
    if sign.box is not None:
        canvas.unfolded.emit(sign.box)
    elif sign.frame is not None:
        canvas.folded.emit(sign.frame)
    return True


def point(canvas: GraphCanvas, where: QPointF) -> None:
    """Say by the pointer and a text what a click here would do."""
    sign = sign_at(canvas, where)
    shape = Qt.CursorShape.PointingHandCursor if sign else Qt.CursorShape.OpenHandCursor
    if canvas.cursor().shape() is not shape:
        canvas.setCursor(shape)
    text = sign.text if sign else ""
    if canvas.toolTip() != text:
        canvas.setToolTip(plain_tip(text))
