"""Where results of a search are: which boxes of a scene hold them, and the blocks around them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from studio.gui.graph.breadcrumbs import steps_to
from studio.gui.graph.scene import Scene

if TYPE_CHECKING:
    from studio.workspace import GraphView, SearchResult


def boxes_of(
    hits: Iterable[SearchResult], scene: Scene, view: GraphView, path: str, *, folded: bool
) -> frozenset[int]:
    """Return the boxes that were found, and the blocks in which something was found.

    Args:
        path: Of the part that the scene shows.
    """
    own = {(_kind(scene, at), box.name): at for at, box in enumerate(scene.boxes)}
    inside = {
        f"{_around(scene, at, path)}{box.name}/{key}": at
        for at, box in enumerate(scene.boxes)
        if box.node is not None
        for key in box.node.blocks
    }
    in_sight = {path, *(frame.path for frame in scene.frames)}
    holders: dict[str, int | None] = {}
    found = set()
    for hit in hits:
        place = view.place_of(hit, folded=folded)
        if place in in_sight:
            found.add(own.get((hit.kind, hit.name)))
        else:
            if place not in holders:
                holders[place] = _holder(place, inside)
            found.add(holders[place])
    return frozenset(box for box in found if box is not None)


def _around(scene: Scene, box: int, path: str) -> str:
    own = scene.path_of(box, path)
    return f"{own}/" if own else ""


def _kind(scene: Scene, box: int) -> str:
    if scene.boxes[box].node is not None:
        return "node"
    return "input" if box < len(scene.graph.inputs) else "output"


def _holder(place: str, inside: dict[str, int]) -> int | None:
    """Return the box in whose block, at whatever depth, a part lies."""
    while place:
        if place in inside:
            return inside[place]
        place = place.rpartition("/")[0]
    return None


class BlockPaths:
    """Titles of the blocks around results: ``layer.3 › attention``; each is made once."""

    def __init__(self, view: GraphView) -> None:
        self._view = view
        self._folded = view.folded is not None
        self._known: frozenset[str] | None = None
        self._titles: dict[str, str] = {"": ""}

    def title(self, hit: SearchResult) -> str:
        """Return the path of blocks to a result; empty for the main graph."""
        path = self._view.place_of(hit, folded=self._folded)
        if path not in self._titles:
            if self._known is None:
                self._known = self._view.paths(folded=self._folded)
            steps = steps_to(path, self._known)
            self._titles[path] = " › ".join(title for _, title in steps)
        return self._titles[path]
