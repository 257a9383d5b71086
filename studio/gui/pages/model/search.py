"""The search of the Model page: its field in the header, and the list of results at the left."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QLineEdit, QListView, QSizePolicy, QVBoxLayout

from studio.gui.graph.block_paths import BlockPaths, boxes_of
from studio.gui.graph.scene import Scene
from studio.gui.graph.search_results import ResultLine, SearchResultPainter, SearchResults, grouped
from studio.gui.pages.model.graph_page import GraphPage
from studio.gui.shell import Shell
from studio.gui.widgets.basics import GRID, button, label, row
from studio.workspace import search_model

if TYPE_CHECKING:
    from studio.workspace import GraphView, SearchResult, Workspace

FIELD_WIDTH = 168
_LEAST_FIELD = 56
LIST_WIDTH = 300
PAUSE_MS = 120
"""The search begins when nothing was typed for so long."""

_PAGE = 8


class SearchField(QLineEdit):
    """The field for a search; its keys move through the list of results.

    Signals:
        stepped: Results further down, or up where it is negative.
        taken: Enter was pressed; -1 with Shift, otherwise 1.
        left: Escape was pressed.
    """

    stepped = Signal(int)
    taken = Signal(int)
    left = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setPlaceholderText("Find a node…")
        self.setAccessibleName("Find a node by operator, name, tensor, shape or attribute")
        self.setToolTip(
            "Find a node (Ctrl+F) by operator, name, tensor, kernel_shape=3 or 1x3x224x224.\n"
            "↑ ↓ choose a result, Enter shows it and then the next, Esc ends the search."
        )
        self.setClearButtonEnabled(True)
        self.setMaximumWidth(FIELD_WIDTH)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Return the usual width; a narrow page gives the field less."""
        return QSize(FIELD_WIDTH, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        """Return the width in which some letters can be read."""
        return QSize(_LEAST_FIELD, super().minimumSizeHint().height())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keys of the list, and those of any field."""
        steps = {
            Qt.Key.Key_Down: 1,
            Qt.Key.Key_Up: -1,
            Qt.Key.Key_PageDown: _PAGE,
            Qt.Key.Key_PageUp: -_PAGE,
        }
        key = Qt.Key(event.key())
        if key in steps:
            self.stepped.emit(steps[key])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            back = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
            self.taken.emit(-1 if back else 1)
        elif key == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)


class ModelSearch(QFrame):
    """The list of results; hidden while nothing is searched.

    All parts of the model are searched, whether they are in sight or not.

    Signals:
        found: There are other results.
        chosen: The result that the user wants to see.
        left: The user has ended the search.

    Attributes:
        hits: All results.
    """

    found = Signal()
    chosen = Signal(object)
    left = Signal()

    def __init__(self, workspace: Workspace, shell: Shell) -> None:
        super().__init__()
        self._workspace = workspace
        self._view: GraphView | None = None
        self._places: BlockPaths | None = None
        self._shown: SearchResult | None = None
        self._text = ""
        self.hits: list[SearchResult] = []
        self.field = SearchField()
        self.count = label("", "dim")
        self.lines = SearchResults(lambda hit: self._places.title(hit) if self._places else "")
        self.list = QListView()
        self.list.setModel(self.lines)
        self.list.setItemDelegate(SearchResultPainter(shell.theming, self))
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.list.setAccessibleName("Search results")
        self._pause = QTimer(self, singleShot=True, interval=PAUSE_MS)
        self._build()
        self._connect()
        self.hide()

    def _build(self) -> None:
        self.setProperty("role", "results")
        self.setAccessibleName("Search results")
        self.setFixedWidth(LIST_WIDTH)
        close = button("Close", self._leave, "link")
        close.setToolTip("Close search (Esc)")
        head = row(self.count, None, close)
        head.setContentsMargins(2 * GRID, GRID, 2 * GRID, 4)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(head)
        layout.addWidget(self.list, 1)

    def _connect(self) -> None:
        self.field.textChanged.connect(self._typed)
        self.field.stepped.connect(self.step)
        self.field.taken.connect(self.step_to)
        self.field.left.connect(self._leave)
        self.list.clicked.connect(self._go)
        self.list.activated.connect(self._go)
        self._pause.timeout.connect(self.search)

    def show_view(self, view: GraphView | None) -> None:
        """Search in another model; what is in the field stays."""
        self._view = view
        self._places = BlockPaths(view) if view is not None else None
        self._set_hits([], [])
        self.search()

    def search(self) -> None:
        """Search for the field's text on a background thread."""
        self._pause.stop()
        view, text = self._view, self.field.text().strip()
        self._text = text
        self.setVisible(bool(text) and view is not None)
        if view is None or not text:
            self._set_hits([], [])
            return
        self.count.setText("Searching…")
        self._workspace.in_background(
            partial(self._search, view, self._places, text), partial(self._on_results, view, text)
        )

    def step(self, lines: int) -> None:
        """Choose another result, over headings, without wrapping around."""
        places = self._results()
        if places:
            at = min(max(self._at(places) + lines, 0), len(places) - 1)
            self.list.setCurrentIndex(self.lines.index(places[at]))

    def step_to(self, way: int) -> None:
        """Show the chosen result; where it is shown already the next one, or the one before."""
        if self._pause.isActive():
            self.search()
        places = self._results()
        if not places:
            return
        at = max(self._at(places), 0)
        if self.lines.lines[places[at]].found is self._shown:
            at = (at + way) % len(places)
        index = self.lines.index(places[at])
        self.list.setCurrentIndex(index)
        self._go(index)

    # Inside

    def _typed(self) -> None:
        if self.field.text().strip():
            self._pause.start()
        else:
            self.search()

    def _search(
        self, view: GraphView, places: BlockPaths | None, text: str
    ) -> tuple[list[SearchResult], list[ResultLine]]:
        """Search and make the lines, titles of blocks included; not on the window's thread."""
        if text != self._text:
            return [], []  # more was typed while this one waited
        hits = search_model(view.model, text)
        lines = grouped(hits)
        for line in lines:
            if line.found is not None and places is not None:
                places.title(line.found)
        return hits, lines

    def _on_results(
        self,
        view: GraphView,
        text: str,
        answer: tuple[list[SearchResult], list[ResultLine]] | Exception,
    ) -> None:
        if view is not self._view or text != self._text:
            return
        if isinstance(answer, Exception):
            raise answer
        self._set_hits(*answer)

    def _set_hits(self, hits: list[SearchResult], lines: list[ResultLine]) -> None:
        self.hits, self._shown = hits, None
        self.lines.show(lines)
        self.count.setText(f"{len(hits):,} found" if hits else "No results")
        places = self._results()
        if places:
            self.list.setCurrentIndex(self.lines.index(places[0]))
        self.list.scrollToTop()
        self.found.emit()

    def _results(self) -> list[int]:
        return [at for at, line in enumerate(self.lines.lines) if line.found is not None]

    def _at(self, places: list[int]) -> int:
        now = self.list.currentIndex().row()
        return places.index(now) if now in places else -1

    def _go(self, index: QModelIndex) -> None:
        hit = self.lines.lines[index.row()].found
        if hit is None:
            return
        self._shown = hit
        places = self._results()
        if len(places) == len(self.hits):
            self.count.setText(f"{places.index(index.row()) + 1} of {len(places)}")
        self.chosen.emit(hit)

    def _leave(self) -> None:
        self.field.clear()
        self.left.emit()


class Results:
    """The display of search results on a page's canvas."""

    def __init__(self, page: GraphPage, finder: ModelSearch) -> None:
        self._page = page
        self._finder = finder

    def show(self, hit: SearchResult) -> None:
        """Show the block of a result, with the result selected."""
        page = self._page
        if page.view is None:
            return
        path = page.view.place_of(hit, folded=page.is_folded)
        if self._is_in_sight(path):
            self.select(hit.name, hit.kind)
        else:
            page.show_part(path, (hit.name, hit.kind))

    def _is_in_sight(self, path: str) -> bool:
        """Return whether the nodes of a block are on the canvas: shown, or expanded there."""
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
        view, scene, hits = page.view, canvas.scene, self._finder.hits
        if view is None or scene is None:
            return
        if not hits:
            canvas.set_hits(frozenset())
            return
        look = partial(boxes_of, hits, scene, view, page.path, folded=page.is_folded)
        page.workspace.in_background(look, partial(self._show_marks, scene, hits))

    def _show_marks(
        self, scene: Scene, hits: list[SearchResult], boxes: frozenset[int] | Exception
    ) -> None:
        if isinstance(boxes, Exception):
            raise boxes
        canvas = self._page.pane.canvas
        if scene is canvas.scene and hits is self._finder.hits:
            canvas.set_hits(boxes)
