"""Results of a search on the canvas: which boxes are outlined, and the way to one of them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from studio.gui.graph.block_paths import boxes_of
from studio.gui.graph.scene import Scene

if TYPE_CHECKING:
    from studio.gui.pages.model.page import ModelPage
    from studio.workspace import Found


class Results:
    """Shows on a page's canvas what its search has found."""

    def __init__(self, page: ModelPage) -> None:
        self._page = page

    def show(self, hit: Found) -> None:
        """Show the part that a result lies in, with the result selected."""
        page = self._page
        if page.view is None:
            return
        path = page.view.place_of(hit, folded=page.is_folded)
        if self._is_in_sight(path):
            self.select(hit.name, hit.kind)
        else:
            page.show_part(path, (hit.name, hit.kind))

    def _is_in_sight(self, path: str) -> bool:
        """Whether the nodes of a part are on the canvas: it is shown, or unfolded in what is."""
        scene = self._page.pane.canvas.scene
        return path == self._page.path or (
            scene is not None and any(frame.path == path for frame in scene.frames)
        )

    def select(self, name: str, kind: str) -> None:
        """Select a box of the canvas by its name and kind."""
        canvas = self._page.pane.canvas
        box = canvas.scene.index_of(name, kind) if canvas.scene is not None else None
        if box is not None:
            canvas.select(box)

    def mark(self) -> None:
        """Outline what was found in the part that is in sight, and the blocks that hold some."""
        page, canvas = self._page, self._page.pane.canvas
        view, scene, hits = page.view, canvas.scene, page.finder.hits
        if view is None or scene is None:
            return
        if not hits:
            canvas.set_hits(frozenset())
            return
        look = partial(boxes_of, hits, scene, view, page.path, folded=page.is_folded)
        page.workspace.in_background(look, partial(self._show_marks, scene, hits))

    def _show_marks(
        self, scene: Scene, hits: list[Found], boxes: frozenset[int] | Exception
    ) -> None:
        if isinstance(boxes, Exception):
            raise boxes
        canvas = self._page.pane.canvas
        if scene is canvas.scene and hits is self._page.finder.hits:
            canvas.set_hits(boxes)
