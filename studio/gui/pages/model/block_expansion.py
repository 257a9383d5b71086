"""Which blocks of the graph are unfolded in place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF

from studio.gui.pages.model.graph_page import GraphPage
from studio.gui.pages.model.screen_anchor import INSIDE, ScreenAnchor

if TYPE_CHECKING:
    from studio.gui.graph.canvas import GraphCanvas

NOT_YET = "Blocks can be expanded when the layout is finished."
_MARGIN = 60.0
"""Pixels from the upper side of the canvas within which a block that was folded is shown."""


class BlockExpansion:
    """The blocks of a page's graph that are unfolded in place.

    Attributes:
        opened: Paths of their insides. Those within a folded block are kept: unfolded again, it
            looks as before.
    """

    def __init__(self, page: GraphPage) -> None:
        self._page = page
        self.opened: frozenset[str] = frozenset()

    def clear(self) -> None:
        """Fold everything."""
        self.opened = frozenset()

    def unfold(self, box: int) -> None:
        """Unfold a block in place; what is around it keeps its order, and the block its place."""
        page, scene = self._page, self._page.pane.canvas.scene
        if page.view is None:
            page.shell.notify(NOT_YET)
        elif scene is not None and scene.is_block(box):
            path, name = scene.path_of(box, page.path), scene.boxes[box].name
            self.opened |= {f"{path}/{name}/{INSIDE}" if path else f"{name}/{INSIDE}"}
            place = QPointF(scene.centre(box)[0], scene.y[box])
            page.show_part(page.path, held=ScreenAnchor(place, path, name, is_selected=True))

    def fold(self, number: int) -> None:
        """Fold the block that is unfolded within a frame."""
        page, canvas = self._page, self._page.pane.canvas
        if canvas.scene is None:
            return
        frames = canvas.scene.frames
        frame = frames[number]
        self.opened -= {frame.path}
        path = frames[frame.around].path if frame.around >= 0 else page.path
        area, margin = canvas.viewport.area(), _MARGIN / canvas.zoom
        # Of a frame whose title is out of sight the block is shown at the edge of the canvas.
        x = min(max(frame.x + frame.width / 2, area.left + margin), area.right - margin)
        place = QPointF(x, max(frame.y, area.top + margin))
        held = ScreenAnchor(place, path, frame.node.name, is_selected=True)
        page.show_part(page.path, held=held)

    def fold_around(self) -> bool:
        """Collapse the innermost frame around the selected box; return False without a frame."""
        scene, box = self._page.pane.canvas.scene, self._page.pane.canvas.selected
        frame = scene.frame_of(box) if scene is not None and box is not None else -1
        if frame >= 0:
            self.fold(frame)
        return frame >= 0

    def toggle(self) -> None:
        """Unfold the selected block in place, or fold the one around the selected node."""
        page, canvas = self._page, self._page.pane.canvas
        reason = why_not(canvas) or (NOT_YET if page.view is None else "")
        scene, box = canvas.scene, canvas.selected
        if reason or scene is None or box is None:
            page.shell.notify(reason)
        elif scene.is_block(box):
            self.unfold(box)
        else:
            self.fold(scene.frame_of(box))

    def toggle_all(self) -> None:
        """Unfold all blocks of the part in place; fold them again where all are unfolded."""
        page = self._page
        every = page.view.blocks_in(page.path) if page.view and page.is_folded else None
        if not every:
            page.shell.notify("This graph has no blocks.")
            return
        held = self.middle()
        self.opened = self.opened - every if every <= self.opened else self.opened | every
        page.show_part(page.path, held=held)

    def export_options(self) -> dict[str, object]:
        """Return the visible section of the graph, as options of the step that draws it."""
        page, scene = self._page, self._page.pane.canvas.scene
        frames = scene.frames if scene is not None else ()
        every = page.view.blocks_in(page.path) if page.view is not None and frames else ()
        opened = ["all"] if len(frames) == len(every) else [frame.path for frame in frames]
        return {
            "detail": "blocks" if page.is_folded else "all",
            **({"across": True} if scene is not None and scene.across else {}),
            **({"part": page.path} if page.path else {}),
            **({"unfold": opened} if frames else {}),
        }

    def middle(self) -> ScreenAnchor | None:
        """Return the selected box if it is in sight, or else the one nearest to the middle."""
        canvas, around = self._page.pane.canvas, self._page.path
        scene = canvas.scene
        if scene is None or not len(scene):
            return None
        area = canvas.viewport.area()
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
        return ScreenAnchor(
            held, scene.path_of(box, around), scene.boxes[box].name, is_selected=chosen
        )


def why_not(canvas: GraphCanvas) -> str:
    """Return why nothing can be unfolded or folded where the selection is; empty where it can."""
    scene, box = canvas.scene, canvas.selected
    if scene is None or box is None:
        return "Select a block, or a node inside an expanded block."
    if scene.is_block(box) or scene.frame_of(box) >= 0:
        return ""
    if scene.boxes[box].opens:
        return "Branches, loop bodies and functions cannot be expanded. Press Enter to open one."
    return "Select a block, or a node inside an expanded block."


def _away(one: tuple[float, float], other: tuple[float, float]) -> float:
    return abs(one[0] - other[0]) + abs(one[1] - other[1])
