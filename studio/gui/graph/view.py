"""The canvas with its surroundings: the bar above it, and the dock of overview and legend."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QGridLayout, QVBoxLayout, QWidget

from studio.gui.graph.canvas import GraphCanvas
from studio.gui.graph.controls.choices import ViewChoices
from studio.gui.graph.controls.dock import GraphDock
from studio.gui.graph.controls.lens_bar import LensBar
from studio.gui.graph.families import TITLES
from studio.gui.graph.keyboard import HELP, KEYS
from studio.gui.graph.overlay import Overlay
from studio.gui.graph.scene import Scene
from studio.gui.theme import Theming
from studio.gui.widgets.basics import GRID, label


class GraphPane(QWidget):
    """The canvas between its bar and its dock, which cover none of its nodes."""

    def __init__(self, theming: Theming) -> None:
        super().__init__()
        self._families: list[str] = []
        self.canvas = GraphCanvas(theming)
        self.bar = LensBar(self.canvas, theming)
        self.paths = self.bar.paths
        self.dock = GraphDock(self.canvas, theming)
        self.minimap, self.legend = self.dock.minimap, self.dock.legend
        self.help = KeyHelp(self.canvas)
        self._body = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._body.setSpacing(0)
        self._body.addWidget(self.canvas, 1)
        self._body.addWidget(self.dock)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.bar)
        layout.addLayout(self._body, 1)
        self.canvas.wished.connect(self._grant)
        self.bar.chosen.connect(self.show_choices)
        self.show_choices(self.bar.choices)

    def show_choices(self, choices: ViewChoices) -> None:
        """Show what is chosen; another direction needs another scene, which the page builds."""
        self.bar.show_choices(choices)
        self.canvas.show_shapes(choices.shapes)
        self.dock.place(below=choices.across)
        directions = QBoxLayout.Direction
        is_below = self.dock.is_below
        self._body.setDirection(directions.TopToBottom if is_below else directions.LeftToRight)
        self.dock.setVisible(choices.dock)

    def show_scene(
        self,
        scene: Scene | None,
        *,
        stay: bool = False,
        kept: tuple[QPointF, QPointF] | None = None,
    ) -> None:
        """Show another graph; look at the same place of it if it is the same with more details.

        Args:
            kept: A point of the graph that was shown, and the one that takes its place.
        """
        self.canvas.show_scene(scene, stay=stay, kept=kept)
        self.paths.refresh()
        present = scene.families if scene is not None else ()
        self._families = [name for name in TITLES if name in present]
        self.set_overlay(None)

    def set_overlay(self, overlay: Overlay | None) -> None:
        """Paint numbers on the nodes, or their families again."""
        self.canvas.set_overlay(overlay)
        self.minimap.set_overlay(overlay)
        if overlay is not None:
            self.legend.show_overlay(overlay)
        else:
            self.legend.show_families(self._families)

    def _grant(self, wish: str) -> None:
        if wish == HELP:
            self.help.open()
        else:
            self.bar.toggle(wish)


_KEY_WIDTH = 104


class KeyHelp(QFrame):
    """A list of the keys, made when first opened; any key or click closes it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._around = parent
        self.setProperty("role", "palette")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.ArrowCursor)
        spoken = [f"{keys}: {text}" for _, rows in KEYS for keys, text in rows]
        self.setAccessibleName("Keys of the graph")
        self.setAccessibleDescription(". ".join(spoken))
        self.hide()

    def _list(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(3 * GRID, 2 * GRID, 3 * GRID, 2 * GRID)
        layout.setSpacing(4)
        for title, rows in KEYS:
            layout.addWidget(label(title, "section"))
            grid = QGridLayout()
            grid.setContentsMargins(0, 0, 0, GRID)
            grid.setHorizontalSpacing(2 * GRID)
            grid.setVerticalSpacing(4)
            grid.setColumnMinimumWidth(0, _KEY_WIDTH)
            grid.setColumnStretch(1, 1)
            for place, (keys, text) in enumerate(rows):
                grid.addWidget(label(keys, "strong"), place, 0)
                grid.addWidget(label(text, "dim"), place, 1)
            layout.addLayout(grid)
        layout.addWidget(label("Any key closes this.", "small"))

    def open(self) -> None:
        """Show it in the middle of what it lies over."""
        if self.layout() is None:
            self._list()
        around = self._around
        size = self.sizeHint().boundedTo(around.size())
        self.setGeometry(
            (around.width() - size.width()) // 2,
            (around.height() - size.height()) // 2,
            size.width(),
            size.height(),
        )
        self.show()
        self.raise_()
        self.setFocus(Qt.FocusReason.PopupFocusReason)

    def keyPressEvent(self, _event: QKeyEvent) -> None:
        """Close the list."""
        self._close()

    def mousePressEvent(self, _event: QMouseEvent) -> None:
        """Close the list."""
        self._close()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Close the list after a click elsewhere."""
        super().focusOutEvent(event)
        if self.window().isActiveWindow():
            self.hide()

    def _close(self) -> None:
        self.hide()
        self._around.setFocus(Qt.FocusReason.OtherFocusReason)
