"""The scene of one part of a model: the main graph, a block, or a function."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.gui.graph.scene import Scene

if TYPE_CHECKING:
    from studio.workspace import GraphView


def scene_of_part(
    view: GraphView,
    path: str,
    folded: bool,
    opened: frozenset[str],
    across: bool,
    like: Scene | None,
) -> tuple[Scene, frozenset[str]]:
    """Return the scene of a block or function, and the paths of all of them.

    Args:
        path: Of the part; empty for the main graph.
        opened: The folded blocks that are shown expanded.
        like: A scene whose places are taken over, where it has the same boxes.
    """
    part = view.shown(path, folded=folded, opened=opened, across=across)
    functions = frozenset(view.model.functions)
    scene = Scene(
        part.graph, part.layout, functions, like, part.frames, part.homes, across=part.across
    )
    return scene, view.paths(folded=folded)
