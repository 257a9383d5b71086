"""The drawer below the graph: metrics of the nodes, edits, and the checks of a model."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QMenu,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from studio.gui.graph.canvas import GraphCanvas
from studio.gui.graph.scene import Scene
from studio.gui.names import shown
from studio.gui.pages.model.chips.tool import ChipTool
from studio.gui.pages.model.coverage_view import CoverageView
from studio.gui.pages.model.edit_list import EditProposal, proposals
from studio.gui.pages.model.float_marks import FloatMarks
from studio.gui.pages.model.node_menu import add_node_entries
from studio.gui.pages.model.node_metrics_view import NodeMetricsView
from studio.gui.pages.model.sensitivity_view import SensitivityView
from studio.gui.pages.model.surgery_view import SurgeryView
from studio.gui.shell import Shell
from studio.gui.widgets.basics import GRID, button, label, row
from studio.gui.widgets.style_parts import PartSplitter, PartStack
from studio.gui.widgets.wrapping_bar import WrappingBar
from studio.workspace import NodeTimeAsked, RegistryChanged

if TYPE_CHECKING:
    from studio.workspace import GraphView, VariantRecord, Workspace

NUMBERS, EDITS, COVERAGE, SENSITIVITY, CHIPS = range(5)
TITLES = ("Node metrics", "Edits", "Compatibility", "Sensitivity", "Chips")
_HEIGHT = 240
_WIDE_WINDOW = 1180


class Drawer(QWidget):
    """The frame around the graph, with a bar of buttons that each open a tool above the bar.

    Args:
        colors, export: The switch of colours, for the right end of the bar, and the button beside
            those of the tools.

    Signals:
        painted: An Overlay for the graph, or None for its own colours.
        weights_wanted: The user wants to see the constants of the selected node.
        width_taken: ``takes_width`` has changed.
    """

    painted = Signal(object)
    weights_wanted = Signal()
    width_taken = Signal()

    def __init__(
        self,
        workspace: Workspace,
        shell: Shell,
        graph: QWidget,
        canvas: GraphCanvas,
        colors: QWidget,
        export: QWidget,
    ) -> None:
        super().__init__()
        self._shell = shell
        self._canvas = canvas
        self._is_main = True
        self._took_width = False
        self._workspace = workspace
        self.floats = FloatMarks(workspace, shell, canvas)
        self.numbers = NodeMetricsView(workspace, shell)
        self.surgery = SurgeryView(workspace, shell)
        self.coverage = CoverageView(workspace, shell)
        self.sensitivity = SensitivityView(workspace, shell)
        self.chips = ChipTool(workspace, shell, self.floats.nodes)
        self.tools = PartStack(
            self.numbers, self.surgery, self.coverage, self.sensitivity, self.chips
        )
        self.tools.setMinimumHeight(20 * GRID)
        self.buttons = [self._button(number, title) for number, title in enumerate(TITLES)]
        self._splitter = PartSplitter(Qt.Orientation.Vertical)
        self._splitter.setChildrenCollapsible(False)
        self._splitter.addWidget(graph)
        self._splitter.addWidget(self.tools)
        self._splitter.setStretchFactor(0, 1)
        self._splitter.setSizes([2 * _HEIGHT, _HEIGHT])
        self.tools.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._splitter, 1)
        self._bar = self._make_bar(export, None, label("Colours", "dim"), colors)
        layout.addWidget(self._bar)
        self._connect()

    def style_parts(self) -> list[QWidget]:
        """Return the graph with the tools, and the bar below."""
        return [self._splitter, self._bar]

    def _button(self, number: int, title: str) -> QPushButton:
        item = button(title, partial(self.toggle, number), "quiet")
        item.setCheckable(True)
        item.setAccessibleName(f"{title} (opens below the graph)")
        return item

    def _make_bar(self, *more: QWidget | None) -> QFrame:
        bar = WrappingBar(row(*self.buttons, None, spacing=4), row(*more, spacing=4))
        bar.setProperty("role", "toolbar")
        bar.setAccessibleName("Tools of the graph")
        return bar

    def _connect(self) -> None:
        for view in (self.numbers, self.coverage, self.sensitivity, self.chips):
            view.painted.connect(self.painted)
            view.chosen.connect(self._canvas.select)
        self._canvas.selection_changed.connect(
            lambda box: self.numbers.show_box(box if box >= 0 else None)
        )
        self._canvas.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self._canvas.customContextMenuRequested.connect(self._menu_at)

    def toggle(self, number: int) -> None:
        """Open a tool, or close it when it is the one that is open."""
        is_open = self.tools.isVisibleTo(self) and self.tools.currentIndex() == number
        self._show(-1 if is_open else number)

    def open(self, number: int) -> None:
        """Open a tool."""
        self._show(number)

    def _show(self, number: int) -> None:
        if number >= 0:
            self.tools.setCurrentIndex(number)
        self.tools.setVisible(number >= 0)
        for one, item in enumerate(self.buttons):
            item.setChecked(one == number)
        self._note_width()

    @property
    def takes_width(self) -> bool:
        """Whether a tool is open in a window that is too narrow for it and the inspector."""
        return self.tools.isVisibleTo(self) and self.window().width() < _WIDE_WINDOW

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The window may have another width."""
        super().resizeEvent(event)
        # Later: the window is being laid out, and would leave a dock that appears now where it was.
        QTimer.singleShot(0, self, self._note_width)

    def _note_width(self) -> None:
        if self.takes_width != self._took_width:
            self._took_width = self.takes_width
            self.width_taken.emit()

    # What is shown

    def show_variant(self, variant: VariantRecord | None) -> None:
        """Set another variant, whose graph still loads."""
        for view in (self.floats, self.numbers, self.surgery, self.coverage, self.sensitivity):
            view.show_variant(variant)
        self.chips.show_variant(variant)

    def show_scene(self, scene: Scene, view: GraphView, path: str) -> None:
        """Set the graph, or its block, that is on the canvas."""
        # Folded blocks hold nodes of the main graph; sub-graphs and functions do not.
        self._is_main = not path or path in set(view.homes.values())
        self.floats.show_scene(is_main=self._is_main)
        self.numbers.show_scene(scene, view)
        self.coverage.show_scene(scene)
        self.sensitivity.show_scene(scene)
        self.chips.show_scene(scene if self._is_main else None)
        self.surgery.show_graph(view)

    def on_event(self, event: object) -> None:
        """Pass a workspace event on to the tools."""
        self.floats.nodes.on_event(event)
        self.numbers.on_event(event)
        self.surgery.on_event(event)
        self.coverage.on_event(event)
        self.sensitivity.on_event(event)
        self.chips.on_event(event)
        if isinstance(event, RegistryChanged) and event.what == "records":
            self.numbers.refresh_runs()

    # The canvas's menu

    def _menu_at(self, point: QPoint) -> None:
        canvas = self._canvas
        if canvas.scene is None:
            return
        under = canvas.viewport.to_scene(point.toPointF())
        box = canvas.scene.box_at(under.x(), under.y())
        if box is None:
            box = canvas.selected
        if box is None:
            return
        canvas.select(box, reveal=False)
        self.menu = self._menu_of(canvas.scene, box)
        self.menu.popup(canvas.mapToGlobal(point))

    def _menu_of(self, scene: Scene, box: int) -> QMenu:
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        if scene.boxes[box].opens:
            menu.addAction("Open block (Enter)", self._canvas.enter)
        if scene.is_block(box):
            menu.addAction("Expand (U)", partial(self._canvas.unfolded.emit, box))
        if (frame := scene.frame_of(box)) >= 0:
            title = shown(scene.frames[frame].node.operator)
            menu.addAction(
                f"Collapse {title} (Backspace)", partial(self._canvas.folded.emit, frame)
            )
        if menu.actions():
            menu.addSeparator()
        show_weights = self.weights_wanted.emit
        add_node_entries(menu, self._canvas, scene, box, show_weights, self._show_time)
        self.floats.add_entry(menu, scene.boxes[box])
        menu.addSeparator()
        for proposal in proposals(scene, box):
            action = menu.addAction(proposal.title, partial(self.propose, proposal))
            action.setEnabled(self._is_main)
            if not self._is_main:
                action.setToolTip("Edits apply to the main graph only.")
        return menu

    def _show_time(self, node: str) -> None:
        self._shell.go("profile")
        self._workspace.events.publish(NodeTimeAsked(node))

    def propose(self, proposal: EditProposal) -> None:
        """Show the form of an edit, filled in."""
        self.open(EDITS)
        self.surgery.propose(proposal)
