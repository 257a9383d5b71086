"""The Model page: the graph on its canvas, the summary, and the inspector of a node."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QMenu, QVBoxLayout, QWidget

from studio.gui.graph.breadcrumbs import Breadcrumbs, steps_to
from studio.gui.graph.costs import KINDS, cost_overlay
from studio.gui.graph.keyboard import DETAIL, LEAVE, UNFOLD, UNFOLD_ALL
from studio.gui.graph.overlay import Overlay
from studio.gui.graph.scene import Scene
from studio.gui.graph.view import GraphPane
from studio.gui.pages.model.block_expansion import BlockExpansion
from studio.gui.pages.model.commands import add_commands, node_entries
from studio.gui.pages.model.compare_view import CompareView
from studio.gui.pages.model.drawer import Drawer
from studio.gui.pages.model.graph_export import GraphExport
from studio.gui.pages.model.inspector import ModelInspector
from studio.gui.pages.model.node_metric_sources import Source, from_cost
from studio.gui.pages.model.part_scene import scene_of_part
from studio.gui.pages.model.screen_anchor import ScreenAnchor
from studio.gui.pages.model.search import ModelSearch, Results
from studio.gui.pages.model.summary import ModelSummary
from studio.gui.pages.model.view_settings import ViewSettings
from studio.gui.pages.shared.base import Page
from studio.gui.shell import PaletteEntry, Shell
from studio.gui.widgets.basics import Hint, Segmented, row
from studio.gui.widgets.style_parts import PartStack
from studio.workspace import NodeAsked, SearchResult

if TYPE_CHECKING:
    from studio.workspace import GraphView, VariantRecord, Workspace


class ModelPage(Page):
    """The page that shows the graph of the current variant."""

    stage = icon = "model"
    title = "Model"
    fills_width = True
    repeats = ("open", "edit", "graph", "coverage", "check")

    def __init__(self, workspace: Workspace, shell: Shell) -> None:
        super().__init__(workspace, shell)
        self.variant: VariantRecord | None = None
        self.view: GraphView | None = None
        self.pane = GraphPane(shell.theming)
        self.path = ""
        self._preview: Scene | None = None
        self._early: GraphView | None = None
        self.unfolding = BlockExpansion(self)
        self._wanted: NodeAsked | None = None
        self.trail = Breadcrumbs(self.show_part)

    def build(self) -> Iterator[None]:
        """Make the inspector, the tools below the graph, and the other views."""
        workspace, shell = self.workspace, self.shell
        self.summary = ModelSummary()
        self._inspector = ModelInspector(shell, self.show_box, self.enter, self.unfolding.toggle)
        self._waiting = Hint("Reading the graph…")
        self._trouble = Hint("The graph cannot be shown", " ")
        self._drawn = QWidget()
        drawn = QVBoxLayout(self._drawn)
        drawn.setContentsMargins(0, 0, 0, 0)
        drawn.setSpacing(0)
        drawn.addWidget(self.trail)
        self.finder = ModelSearch(workspace, shell)
        drawn.addLayout(row(self.finder, self.pane, spacing=0), 1)
        self.colors = Segmented(["Operators", *(kind.title for kind in KINDS)], "Colours")
        self.colors.setToolTip("Node colours")
        self.export = GraphExport(shell, self._painted, self.unfolding.export_options)
        yield
        self.drawer = Drawer(
            workspace, shell, self._drawn, self.pane.canvas, self.colors, self.export
        )
        yield
        self._graph = PartStack(self.drawer, self._waiting, self._trouble)
        self.add_view("Graph", self._graph)
        self.add_view("Summary", self.summary)
        self.compare = CompareView(workspace, shell)
        self.add_view("Compare", self.compare)
        self.detail = Segmented(["Blocks", "All nodes"], "Level of detail")
        self.detail.setToolTip("Show blocks or all nodes")
        self.detail.hide()
        self.search = self.finder.field
        self.results = Results(self, self.finder)
        self.add_tool(self.detail, left=True)
        self.add_tool(self.search)
        self.set_primary("Optimize…", lambda: shell.go("quantize"))
        self._connect()

    def _connect(self) -> None:
        canvas = self.pane.canvas
        canvas.selection_changed.connect(
            lambda box: self._inspector.show_box(None if box < 0 else box)
        )
        canvas.entered.connect(self._enter_box)
        canvas.wished.connect(self._grant)
        canvas.unfolded.connect(self.unfolding.unfold)
        canvas.folded.connect(self.unfolding.fold)
        self.colors.changed.connect(self._recolor)
        self.detail.changed.connect(lambda _index: self.show_part(""))
        self.drawer.painted.connect(self._paint)
        self.drawer.width_taken.connect(self.shell.inspector_changed)
        self.drawer.weights_wanted.connect(self._inspector.show_weights)
        self.finder.found.connect(self.results.mark)
        self.finder.chosen.connect(self.results.show)
        self.finder.left.connect(self.take_focus)
        self.stack.currentChanged.connect(self._view_changed)
        add_commands(self, self.unfolding, self.export, self.compare)
        self._settings = ViewSettings(self, self.unfolding, self.compare)

    def show_variant(self, variant: VariantRecord | None) -> None:
        """Read the graph of another variant; the old one stays until the new one is there."""
        if variant is not None and self.variant is not None and variant.id == self.variant.id:
            return
        previewed = self._preview is not None and self.pane.canvas.scene is self._preview
        if not previewed:
            self._early, self.path = None, ""
            self.unfolding.clear()
        self.variant, self.view = variant, self._early
        self.finder.show_view(self.view)
        self.summary.show_variant(variant, self._parent_of(variant))
        self.compare.show_variant(variant)
        self.drawer.show_variant(variant)
        self.export.show_variant(variant)
        self._inspector.show_variant(variant)
        if not previewed:
            self.pane.show_scene(None)
        if variant is not None:
            self._graph.setCurrentWidget(self.drawer if previewed else self._waiting)
            self.workspace.load_graph(variant.id, partial(self._loaded, variant.id))

    def show_preview(self, scene: Scene) -> None:
        """Show what is known so far of a model that is being opened, until its variant comes."""
        self.variant, self.view, self.path, self._preview = None, None, "", scene
        self._early = None
        self.unfolding.clear()
        self._inspector.show_variant(None)
        self.drawer.show_variant(None)
        self.detail.hide()
        self.trail.show_path("", [])
        self._graph.setCurrentWidget(self.drawer)
        self.show_view(0)
        self.pane.show_scene(scene)
        self.shell.inspector_changed()

    def show_drawn(self, view: GraphView) -> None:
        """Show a model that is being opened; its types appear when loading finishes."""
        if self._preview is None:
            self.variant, self.path = None, ""
        self.view = self._early = view
        self.finder.show_view(view)
        self._offer_detail(view)
        self.show_part("")

    def end_preview(self) -> None:
        """Show nothing, as the model could not be opened."""
        self._preview = self._early = self.view = None
        self.show_variant(None)

    def _parent_of(self, variant: VariantRecord | None) -> str:
        """Return the name of the parent variant; empty without one."""
        if variant is None or variant.parent is None:
            return ""
        others = self.workspace.registry.variants(variant.model)
        return next((one.name for one in others if one.id == variant.parent), "")

    def on_event(self, event: object) -> None:
        """Pass a workspace event on to the views."""
        if isinstance(event, NodeAsked):
            self._wanted = event
            self._show_requested()
        self.compare.on_event(event)
        self.drawer.on_event(event)
        self.export.on_event(event)
        self._inspector.on_event(event)

    def take_focus(self) -> None:
        """The arrow keys travel on the graph."""
        self.pane.canvas.setFocus(Qt.FocusReason.OtherFocusReason)

    def inspector(self) -> QWidget | None:
        """Return the inspector next to the graph only: the summary has the same facts at length."""
        shown = self.variant is not None or self._preview is not None
        fits = self.stack.currentIndex() == 0 and not self.drawer.takes_width
        return self._inspector if fits and shown else None

    def entries(self) -> Iterable[PaletteEntry]:
        """Return the nodes of the graph, for the command palette."""
        return node_entries(self)

    def show_box(self, index: int) -> None:
        """Show this page with a box of the graph selected."""
        self.shell.go(self.stage)
        self.show_view(0)
        self.pane.canvas.select(index)
        self.pane.canvas.setFocus(Qt.FocusReason.OtherFocusReason)

    def _loaded(self, variant: int, result: GraphView | Exception) -> None:
        if self.variant is None or self.variant.id != variant:
            return  # the user chose another variant since
        if isinstance(result, Exception):
            self._trouble.text.setText(f"{result} {getattr(result, 'hint', '')}".strip())
            self._graph.setCurrentWidget(self._trouble)
            return
        was_drawn, self.view, self._early = self._early is not None, result, None
        self.finder.show_view(result)
        if not was_drawn:
            self._offer_detail(result)
        self.show_part(self.path)
        self._show_requested()

    def _offer_detail(self, view: GraphView) -> None:
        """Begin with blocks where there are many nodes, and let the user choose."""
        self.detail.choose(0 if view.opens_folded else 1)
        self.detail.setVisible(view.folded is not None and self.stack.currentIndex() == 0)

    def _show_requested(self) -> None:
        """Show the node that another page requested, once the graph is loaded."""
        wanted, view = self._wanted, self.view
        if wanted is None or view is None:
            return
        self._wanted = None
        self.show_view(2 if wanted.compare else 0)
        if wanted.name:
            hit = SearchResult("", "", "node", "", wanted.name, "name", wanted.name)
            self.show_part(view.place_of(hit, folded=self.is_folded), (hit.name, hit.kind))

    @property
    def is_folded(self) -> bool:
        """Whether blocks are shown rather than all nodes."""
        return self.view is not None and self.view.folded is not None and self.detail.index() == 0

    def toggle_detail(self) -> None:
        """Show all nodes instead of blocks, or blocks again."""
        if self.view is not None and self.view.folded is not None:
            self.detail.set_index(1 - self.detail.index())  # which shows it

    def show_part(
        self, path: str, select: tuple[str, str] | None = None, held: ScreenAnchor | None = None
    ) -> None:
        """Show a block or a function of the model; the main graph for an empty path.

        Args:
            select: Name and kind of what is selected then, as ``Scene.index_of`` takes them.
            held: What stays where it is on the screen.
        """
        view = self.view
        if view is None:
            return
        opened, across = self.unfolding.opened, self.pane.bar.choices.across
        build = partial(scene_of_part, view, path, self.is_folded, opened, across, self._preview)
        # Its index takes a second for 50,000 nodes; the window keeps responding.
        self.workspace.in_background(
            build, partial(self._built, view, path, self.is_folded, select, held)
        )

    def enter(self, opened: str) -> None:
        """Open a block of the selected box, or the function that it calls."""
        canvas = self.pane.canvas
        if canvas.scene is None or canvas.selected is None or self.view is None:
            return
        node = canvas.scene.boxes[canvas.selected].node
        if node is not None and opened in node.blocks:
            path = canvas.scene.path_of(canvas.selected, self.path)
            around = f"{path}/" if path else ""
            self.show_part(f"{around}{node.name}/{opened}")
        else:
            self.show_part(opened)

    def leave(self) -> None:
        """Leave the block that is shown, and select its box in the outer graph."""
        view, path = self.view, self.path
        if view is None or not path:
            return
        steps = steps_to(path, view.paths(folded=self.is_folded))
        around = steps[-2][0] if len(steps) > 1 else ""
        node = path[len(around) :].lstrip("/").rpartition("/")[0]
        self.show_part(around, (node, "node"))

    def _grant(self, wish: str) -> None:
        """Do what a key on the canvas asks for."""
        if wish == LEAVE and not self.unfolding.fold_around():
            self.leave()
        elif wish == DETAIL:
            self.toggle_detail()
        elif wish == UNFOLD:
            self.unfolding.toggle()
        elif wish == UNFOLD_ALL:
            self.unfolding.toggle_all()

    def _enter_box(self, box: int) -> None:
        """Enter a box; where it has several blocks, ask which."""
        canvas = self.pane.canvas
        opens = canvas.scene.boxes[box].opens if canvas.scene is not None else ()
        canvas.select(box, reveal=False)
        if len(opens) == 1:
            self.enter(opens[0])
        elif opens:
            self._menu = QMenu(self.header)
            for name in opens:
                self._menu.addAction(name, partial(self.enter, name))
            self._menu.popup(QCursor.pos())

    def _built(
        self,
        result: GraphView,
        path: str,
        folded: bool,
        select: tuple[str, str] | None,
        held: ScreenAnchor | None,
        built: tuple[Scene, frozenset[str]] | Exception,
    ) -> None:
        if self.view is not result or self.is_folded != folded:
            return  # the user requested another node since
        if isinstance(built, Exception):
            raise built
        scene, paths = built
        self.path = path
        self.trail.show_path(path, steps_to(path, paths))
        self._graph.setCurrentWidget(self.drawer)
        kept, box = held.place(scene, path) if held is not None else (None, None)
        self.pane.show_scene(scene, stay=self._is_of_preview(scene), kept=kept)
        self._preview = scene if result is self._early else None
        self._inspector.show_scene(scene, result)
        if (chosen := self.pane.canvas.selected) is not None:  # in the preview
            self._inspector.show_box(chosen)
        if self.variant is not None:
            self.drawer.show_scene(scene, result, path)
        self.results.mark()
        if self.colors.index() < 0:
            self.colors.set_index(0)
        self._recolor()
        if select:
            self.results.select(*select)
        elif held is not None and held.is_selected and box is not None:
            self.pane.canvas.select(box, reveal=False)

    def _is_of_preview(self, scene: Scene) -> bool:
        """Return whether a scene has the boxes of the preview that is shown, in the same places."""
        preview = self._preview
        return preview is not None and preview.size == scene.size and len(preview) == len(scene)

    def _view_changed(self) -> None:
        on_graph = self.stack.currentIndex() == 0
        self.search.setVisible(on_graph)
        self.detail.setVisible(on_graph and self.view is not None and self.view.folded is not None)
        self.shell.inspector_changed()

    def open_tool(self, number: int) -> None:
        """Open a tool of the drawer below the graph."""
        self.show_view(0)
        self.drawer.open(number)

    def start_search(self, text: str = "") -> None:
        """Focus the search field, and search for a text."""
        self.shell.go(self.stage)
        self.show_view(0)
        self.search.setText(text or self.search.text())
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    def _paint(self, overlay: Overlay | None) -> None:
        """Paint the findings of a tool; the colour switch then shows none of its own modes."""
        if overlay is None:
            self.colors.set_index(0)
        else:
            self.colors.choose_none()
            self.pane.set_overlay(overlay)

    def _painted(self) -> Source | None:
        """Return the numbers that are painted on the graph."""
        kind = self.colors.index()
        if kind > 0 and self.view is not None:
            return from_cost(KINDS[kind - 1], self.view)
        return self.drawer.numbers.source() if kind < 0 else None

    def _recolor(self) -> None:
        scene = self.pane.canvas.scene
        kind = self.colors.index()
        overlay = None
        if scene is not None and self.view is not None and kind > 0:
            overlay = cost_overlay(scene, self.view, KINDS[kind - 1])
        self.pane.set_overlay(overlay)
