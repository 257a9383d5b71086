"""Entries of a node's context menu that copy, highlight or lead to other places."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu

from studio.api import AttributeValue, Graph, Node
from studio.gui.graph.canvas import GraphCanvas
from studio.gui.graph.scene import Scene
from studio.gui.names import shown
from studio.workspace import is_folded_block, readable_type

_LONGEST_VALUE = 200
_MOST = 40
"""Values of a node that are copied; some nodes have thousands."""


def add_node_entries(
    menu: QMenu,
    canvas: GraphCanvas,
    scene: Scene,
    box: int,
    show_weights: Callable[[], object],
    show_time: Callable[[str], object],
) -> None:
    """Add the entries for a box to a menu.

    Args:
        show_weights: Shows the values of the box's constants.
        show_time: Shows the time of a node, which is named, in the newest profile.
    """
    what = scene.boxes[box]
    menu.addAction("Copy name", partial(_copy, what.name))
    menu.addAction("Copy as text", partial(_copy, as_text(scene, box)))
    menu.addSeparator()
    menu.addAction("Highlight path to input (A)", partial(_highlight, canvas, up=True))
    menu.addAction("Highlight path from here (D)", partial(_highlight, canvas, down=True))
    if what.node is None:
        return
    menu.addSeparator()
    if not is_folded_block(what.node):
        action = menu.addAction("Show weights", show_weights)
        action.setEnabled(any(name in scene.graph.initializers for name in what.node.inputs))
    menu.addAction("Show in profile", partial(show_time, what.node.name))


def as_text(scene: Scene, box: int) -> str:
    """Return operator, name, values with their types, and attributes of a box, a line each."""
    what = scene.boxes[box]
    if what.node is None:
        kind = readable_type(what.value.type if what.value is not None else None)
        return f"{shown(what.name)}: {kind or 'type unknown'}"
    node, graph = what.node, scene.graph
    lines = [f"{node.operator} {node.name}"]
    for title, names in (("inputs", node.inputs), ("outputs", node.outputs)):
        lines += [title + ":"] if names else []
        lines += [f"  {_value(graph, name)}" for name in names[:_MOST] if name]
        if len(names) > _MOST:
            lines.append(f"  {len(names) - _MOST:,} more")
    lines += _attributes(node)
    return "\n".join(map(shown, lines))


def _value(graph: Graph, name: str) -> str:
    return f"{name}: {readable_type(graph.type_of(name)) or 'type unknown'}"


def _attributes(node: Node) -> list[str]:
    if not node.attributes or is_folded_block(node):
        return []
    rows = [f"  {name} = {_short(node.attributes[name])}" for name in sorted(node.attributes)]
    return ["attributes:", *rows]


def _short(value: AttributeValue) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"


def _copy(text: str) -> None:
    QGuiApplication.clipboard().setText(text)


def _highlight(canvas: GraphCanvas, *, up: bool = False, down: bool = False) -> None:
    """Highlight a path; one that is highlighted already stays."""
    if canvas.ways != (up, down):
        canvas.trace(up=up, down=down)
