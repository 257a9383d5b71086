"""Nodes kept in float: their marks on the graph, and the entry of the context menu."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QMenu

from studio.api.qt import plain_tip
from studio.gui import figures
from studio.gui.graph.canvas import GraphCanvas
from studio.gui.graph.scene import Box, Scene
from studio.gui.pages.shared.float_nodes import FloatNodes
from studio.gui.shell import Shell
from studio.workspace import is_folded_block, nodes_within

if TYPE_CHECKING:
    from studio.api import Node
    from studio.workspace import VariantRecord, Workspace

STEP = "quantize"


class FloatMarks:
    """The marks of the nodes kept in float on a canvas, and the menu entry that changes them.

    Attributes:
        nodes: The list of the current model.
    """

    def __init__(self, workspace: Workspace, shell: Shell, canvas: GraphCanvas) -> None:
        self._workspace = workspace
        self._canvas = canvas
        self._variant: VariantRecord | None = None
        self._is_main = True
        self.nodes = FloatNodes(shell)
        self.nodes.changed.connect(self.refresh)

    def show_variant(self, variant: VariantRecord | None) -> None:
        """Set another variant."""
        self._variant = variant
        self.nodes.show_variant(variant)

    def show_scene(self, *, is_main: bool) -> None:
        """Mark the nodes of the scene that the canvas shows.

        Args:
            is_main: Whether its nodes are of the main graph.
        """
        self._is_main = is_main
        self.refresh()

    def refresh(self) -> None:
        """Mark the boxes whose nodes are all kept in float."""
        scene, names = self._canvas.scene, frozenset(self.nodes.names)
        found: frozenset[int] = frozenset()
        if scene is not None and names and not self._why_not():
            found = frozenset(_boxes_of(scene, names))
        self._canvas.set_kept(found)

    def add_entry(self, menu: QMenu, box: Box) -> None:
        """Add the entry for a box, checked where its nodes are kept."""
        if box.node is None:
            return
        nodes, kept = nodes_within(box.node), frozenset(self.nodes.names)
        action = menu.addAction("Keep in float")
        action.setCheckable(True)
        action.setChecked(kept.issuperset(nodes))
        reason = self._why_not()
        action.setEnabled(not reason)
        action.setToolTip(plain_tip(reason or "Quantization leaves this node in fp32"))
        change = self.nodes.release if action.isChecked() else self.nodes.keep
        title = _title(box.node, len(nodes))
        action.triggered.connect(lambda _checked=False: change(nodes, title))

    def _why_not(self) -> str:
        """Return why no node of the scene can be kept; empty where it can."""
        if self._variant is None or not self.nodes.is_known:
            return "The model is still loading."
        if self._variant.step == STEP:
            return "This variant is quantized. Select its parent variant."
        if not self._is_main:
            return "Nodes of a sub-graph or function are not quantized."
        return self._workspace.why_not(STEP, self._variant)


def _title(node: Node, count: int) -> str:
    if not is_folded_block(node):
        return node.name
    return f"{node.operator} ({figures.count(count, 'node')})"


def _boxes_of(scene: Scene, names: frozenset[str]) -> list[int]:
    return [
        index
        for index, box in enumerate(scene.boxes)
        if box.node is not None and names.issuperset(nodes_within(box.node))
    ]
