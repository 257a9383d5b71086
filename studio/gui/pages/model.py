"""The Model page: the graph on its canvas, the summary, and the inspector of a node."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QCursor, QKeyEvent
from PySide6.QtWidgets import QLineEdit, QMenu, QStackedWidget, QVBoxLayout, QWidget

from studio.gui.command_palette import Entry
from studio.gui.graph.costs import KINDS, cost_overlay
from studio.gui.graph.overlay import Overlay
from studio.gui.graph.scene import Scene
from studio.gui.graph.trail import Trail, steps_to
from studio.gui.graph.view import GraphPane
from studio.gui.pages.base import Page, Shell
from studio.gui.pages.compare_view import CompareView
from studio.gui.pages.model_drawer import TITLES, Drawer
from studio.gui.pages.model_inspector import ModelInspector
from studio.gui.pages.model_summary import ModelSummary
from studio.gui.widgets import Hint, Segmented, label

if TYPE_CHECKING:
    from studio.workspace import GraphView, VariantRecord, Workspace

SEARCH_WIDTH = 168

SEARCHED_AT_ONCE = 1_000
"""Boxes of a graph that is searched while one types; a larger one is searched off the thread."""


class SearchField(QLineEdit):
    """Finds nodes: Enter goes to the next hit, Shift+Enter to the one before."""

    def __init__(self, page: ModelPage) -> None:
        super().__init__()
        self._page = page
        self.setPlaceholderText("Find a node…")
        self.setAccessibleName("Find a node by operator, name, tensor, shape or attribute")
        self.setToolTip(
            "Find a node (Ctrl+F) by operator, name, tensor, kernel_shape=3 or 1x3x224x224; "
            "Enter for the next, Shift+Enter for the one before"
        )
        self.setClearButtonEnabled(True)
        self.setFixedWidth(SEARCH_WIDTH)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            back = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
            self._page.next_hit(-1 if back else 1)
        elif event.key() == Qt.Key.Key_Escape:
            self.clear()
            self._page.pane.canvas.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            super().keyPressEvent(event)


class ModelPage(Page):
    """Shows what is in the current variant."""

    stage = "model"
    title = "Model"
    icon = "model"

    def __init__(self, workspace: Workspace, shell: Shell) -> None:
        super().__init__(workspace, shell)
        self.variant: VariantRecord | None = None
        self.view: GraphView | None = None
        self._hits: list[int] = []
        self.pane = GraphPane(shell.theming)
        self.summary = ModelSummary()
        self._path = ""
        self.trail = Trail(self.show_part)
        self._inspector = ModelInspector(shell, self.show_box, self.enter)
        self._waiting = Hint("Reading the graph…")
        self._trouble = Hint("The graph cannot be shown", " ")
        self._graph = QStackedWidget()
        self._drawn = QWidget()
        drawn = QVBoxLayout(self._drawn)
        drawn.setContentsMargins(0, 0, 0, 0)
        drawn.setSpacing(0)
        drawn.addWidget(self.trail)
        drawn.addWidget(self.pane, 1)
        self.colors = Segmented(["Operators", *(kind.title for kind in KINDS)], "Colours")
        self.colors.setToolTip("What the colours of the nodes say")
        self.drawer = Drawer(workspace, shell, self._drawn, self.pane.canvas, self.colors)
        for item in (self.drawer, self._waiting, self._trouble):
            self._graph.addWidget(item)
        self.add_view("Graph", self._graph)
        self.add_view("Summary", self.summary)
        self.compare = CompareView(workspace, shell)
        self.add_view("Compare", self.compare)
        self.detail = Segmented(["Blocks", "All nodes"], "Level of detail")
        self.detail.setToolTip("Show the layers of the model, or every node at once")
        self.detail.hide()
        self.search = SearchField(self)
        self.found = label("", "dim")
        self.add_tool(self.detail, left=True)
        self.add_tool(self.found)
        self.add_tool(self.search)
        self.set_primary("Quantize…", lambda: shell.go("quantize"))
        self._connect()

    def _connect(self) -> None:
        canvas = self.pane.canvas
        canvas.selection_changed.connect(self._selected)
        canvas.entered.connect(self._look_into)
        self.colors.changed.connect(self._recolor)
        self.detail.changed.connect(lambda _index: self.show_part(""))
        self.drawer.painted.connect(self._paint)
        self.search.textChanged.connect(self._search)
        self.stack.currentChanged.connect(self._view_changed)
        self.add_command("Find a node", self._find, "Ctrl+F")
        self.add_command("Show the whole graph", canvas.fit)
        self.add_command("Show the graph at 100 %", partial(canvas.zoom_to, 1.0))
        self.add_command("Light up what the node reads (A)", partial(canvas.trace, down=False))
        self.add_command("Light up what the node feeds (D)", partial(canvas.trace, down=True))
        self.add_command("Show blocks or all nodes", self.toggle_detail)
        self.add_command("Show the graph", lambda: self.show_view(0))
        self.add_command("Show the summary", lambda: self.show_view(1))
        for number, title in enumerate(TITLES):
            self.add_command(title, partial(self._open_tool, number))
        self.add_command("Compare with another variant", lambda: self.show_view(2))

    def show_variant(self, variant: VariantRecord | None) -> None:
        """Read the graph of another variant; the old one stays until the new one is there."""
        if variant is not None and self.variant is not None and variant.id == self.variant.id:
            return
        self.variant, self.view, self._path = variant, None, ""
        self.summary.show_variant(variant)
        self.compare.show_variant(variant)
        self.drawer.show_variant(variant)
        self._inspector.show_variant(variant)
        self.pane.show_scene(None)
        if variant is not None:
            self._graph.setCurrentWidget(self._waiting)
            self.workspace.load_graph(variant.id, partial(self._loaded, variant.id))

    def on_event(self, event: object) -> None:
        """Let the views follow their jobs."""
        self.compare.hear(event)
        self.drawer.hear(event)
        self._inspector.lookups.hear(event)

    def take_focus(self) -> None:
        """The arrow keys travel on the graph."""
        self.pane.canvas.setFocus(Qt.FocusReason.OtherFocusReason)

    def inspector(self) -> QWidget | None:
        """The inspector, beside the graph only: the summary says the same at length."""
        return self._inspector if self.stack.currentIndex() == 0 and self.variant else None

    def entries(self) -> Iterable[Entry]:
        """Every node of the graph, for the command palette."""
        scene = self.pane.canvas.scene
        if scene is None:
            return
        for index, box in enumerate(scene.boxes):
            if box.node is not None and scene.width[index]:
                run = partial(self.show_box, index)
                yield Entry(box.title, "Node", run, detail=box.name, weight=3)

    def show_box(self, index: int) -> None:
        """Show this page with a box of the graph selected."""
        self.shell.go(self.stage)
        self.show_view(0)
        self.pane.canvas.select(index)
        self.pane.canvas.setFocus(Qt.FocusReason.OtherFocusReason)

    def next_hit(self, step: int) -> None:
        """Select the next box that the search found, or the one before."""
        if not self._hits:
            return
        selected = self.pane.canvas.selected
        if selected in self._hits:
            place = (self._hits.index(selected) + step) % len(self._hits)
        else:
            place = 0 if step > 0 else len(self._hits) - 1
        self.pane.canvas.select(self._hits[place])
        self.found.setText(f"{place + 1} of {len(self._hits)}")

    def _loaded(self, variant: int, result: GraphView | Exception) -> None:
        if self.variant is None or self.variant.id != variant:
            return  # another variant was chosen meanwhile
        if isinstance(result, Exception):
            self._trouble.text.setText(f"{result} {getattr(result, 'hint', '')}".strip())
            self._graph.setCurrentWidget(self._trouble)
            return
        self.view = result
        self.detail.set_index(0 if result.opens_folded else 1)
        self.detail.setVisible(result.folded is not None and self.stack.currentIndex() == 0)
        self.show_part("")

    @property
    def is_folded(self) -> bool:
        """Whether blocks are shown rather than all nodes."""
        return self.view is not None and self.view.folded is not None and self.detail.index() == 0

    def toggle_detail(self) -> None:
        """Show all nodes instead of blocks, or blocks again."""
        if self.view is not None and self.view.folded is not None:
            self.detail.set_index(1 - self.detail.index())
            self.show_part("")

    def show_part(self, path: str, select: str = "") -> None:
        """Show a block or a function of the model; the main graph for an empty path.

        Args:
            select: Name of a node of it that is selected then.
        """
        view = self.view
        if view is None:
            return
        build = partial(_scene, view, path, self.is_folded)
        # Its index takes a second for 50,000 nodes; the window goes on answering meanwhile.
        self.workspace.in_background(
            build, partial(self._built, view, path, self.is_folded, select)
        )

    def enter(self, opened: str) -> None:
        """Look into a block of the selected box, or the function that it calls."""
        canvas = self.pane.canvas
        if canvas.scene is None or canvas.selected is None or self.view is None:
            return
        node = canvas.scene.boxes[canvas.selected].node
        if node is not None and opened in node.blocks:
            around = f"{self._path}/" if self._path else ""
            self.show_part(f"{around}{node.name}/{opened}")
        else:
            self.show_part(opened)

    def _look_into(self, box: int) -> None:
        """Enter a box; where it has several blocks, ask which."""
        canvas = self.pane.canvas
        opens = canvas.scene.boxes[box].opens if canvas.scene is not None else ()
        canvas.select(box, reveal=False)
        if len(opens) == 1:
            self.enter(opens[0])
        elif opens:
            self._menu = QMenu(self)
            for name in opens:
                self._menu.addAction(name, partial(self.enter, name))
            self._menu.popup(QCursor.pos())

    def _built(
        self,
        result: GraphView,
        path: str,
        folded: bool,
        select: str,
        built: tuple[Scene, frozenset[str]] | Exception,
    ) -> None:
        if self.view is not result or self.is_folded != folded:
            return  # something else was asked for meanwhile
        if isinstance(built, Exception):
            raise built
        scene, paths = built
        self._path = path
        self.trail.show_path(path, steps_to(path, set(paths)))
        self._graph.setCurrentWidget(self.drawer)
        self.pane.show_scene(scene)
        self._inspector.show_scene(scene, result)
        self.drawer.show_scene(scene, result, path)
        self._search(self.search.text())
        if self.colors.index() < 0:
            self.colors.set_index(0)
        self._recolor()
        box = scene.index_of(select) if select else None
        if box is not None:
            self.pane.canvas.select(box)

    def _selected(self, box: int) -> None:
        self._inspector.show_box(None if box < 0 else box)

    def _view_changed(self) -> None:
        on_graph = self.stack.currentIndex() == 0
        for item in (self.search, self.found):
            item.setVisible(on_graph)
        self.detail.setVisible(on_graph and self.view is not None and self.view.folded is not None)
        self.shell.inspector_changed()

    def _open_tool(self, number: int) -> None:
        self.show_view(0)
        self.drawer.open(number)

    def _find(self) -> None:
        self.show_view(0)
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    def _search(self, text: str) -> None:
        scene = self.pane.canvas.scene
        if scene is None or len(scene) <= SEARCHED_AT_ONCE:
            self._show_hits(scene, text, scene.find(text) if scene is not None else [])
        else:
            found = partial(self._show_hits, scene, text)
            self.workspace.in_background(partial(scene.find, text), found)

    def _show_hits(self, scene: Scene | None, text: str, hits: list[int] | Exception) -> None:
        """Show what was found, unless another graph or text came meanwhile."""
        if scene is not self.pane.canvas.scene or text != self.search.text():
            return
        if isinstance(hits, Exception):
            raise hits
        self._hits = hits
        self.pane.canvas.set_hits(frozenset(self._hits))
        self.found.setText(f"{len(self._hits)} found" if text.strip() else "")

    def _paint(self, overlay: Overlay | None) -> None:
        """Paint what a tool has found; the switch of colours says that it is none of its own."""
        if overlay is None:
            self.colors.set_index(0)
        else:
            self.colors.choose_none()
            self.pane.set_overlay(overlay)

    def _recolor(self) -> None:
        scene = self.pane.canvas.scene
        kind = self.colors.index()
        overlay = None
        if scene is not None and self.view is not None and kind > 0:
            overlay = cost_overlay(scene, self.view, KINDS[kind - 1])
        self.pane.set_overlay(overlay)


def _scene(view: GraphView, path: str, folded: bool) -> tuple[Scene, frozenset[str]]:
    """The scene of a part, and the paths of all parts."""
    part = view.part(path, folded=folded)
    return Scene(*part, frozenset(view.model.functions)), view.paths(folded=folded)
