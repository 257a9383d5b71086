"""What a canvas can show: the zoom that fits, where it may look, and what is said of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF

from studio.gui.names import shown

if TYPE_CHECKING:
    from studio.gui.graph.canvas import GraphCanvas

LEAST_ZOOM, MOST_ZOOM = 0.0001, 3.0
READING_ZOOM = 1.0
MARGIN = 40.0
"""Pixels kept free around the graph when it is fitted."""

LONGEST_TITLE = 80
"""Characters of a block's title that are read out with a node in it."""


def fitting_zoom(canvas: GraphCanvas) -> float:
    """The zoom at which the whole graph is in sight."""
    if canvas.scene is None:
        return READING_ZOOM
    width, height = (max(side, 1.0) for side in canvas.scene.size)
    across = (canvas.width() - 2 * MARGIN) / width
    down = (canvas.height() - 2 * MARGIN) / height
    return min(max(min(across, down), LEAST_ZOOM), READING_ZOOM)


def kept_in_sight(canvas: GraphCanvas, origin: QPointF) -> QPointF:
    """The nearest corner from which some of the graph can be seen."""
    if canvas.scene is None:
        return origin
    half_width = canvas.width() / 2 / canvas.zoom
    half_height = canvas.height() / 2 / canvas.zoom
    width, height = canvas.scene.size
    return QPointF(
        min(max(origin.x(), -half_width), max(width - half_width, -half_width)),
        min(max(origin.y(), -half_height), max(height - half_height, -half_height)),
    )


def description(canvas: GraphCanvas) -> str:
    """What a screen reader says of the selected box."""
    scene, selected = canvas.scene, canvas.selected
    if scene is None or selected is None:
        return "Nothing selected"
    box = scene.boxes[selected]
    before, after = len(scene.before(selected)), len(scene.after(selected))
    name, detail = shown(box.name), shown(next(iter(scene.details(selected)), ""))
    text = f"{shown(box.title)} {name}, {detail}; {before} before, {after} after"
    if (frame := scene.frame_of(selected)) >= 0:
        title = shown(scene.frames[frame].node.operator)
        text += f"; in {title[:LONGEST_TITLE]}, unfolded"
    return text + (f"; {len(canvas.traced)} lit" if canvas.traced else "")
