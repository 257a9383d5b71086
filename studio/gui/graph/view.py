"""The canvas with what lies on it: overview, legend and zoom buttons."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from studio.api.qt import plain_tip
from studio.gui import icons
from studio.gui.graph.canvas import GraphCanvas
from studio.gui.graph.families import TITLES
from studio.gui.graph.keyboard import HELP, KEYS
from studio.gui.graph.legend import Legend
from studio.gui.graph.minimap import Minimap
from studio.gui.graph.overlay import Overlay
from studio.gui.graph.paths import PathButtons
from studio.gui.graph.scene import Scene
from studio.gui.theme import Theming
from studio.gui.widgets.basics import GRID, button, label

GAP = 2 * GRID


class GraphPane(QWidget):
    """The canvas, and its furniture in the corners."""

    def __init__(self, theming: Theming) -> None:
        super().__init__()
        self._theming = theming
        self._families: list[str] = []
        self.canvas = GraphCanvas(theming)
        self.minimap = Minimap(self.canvas, theming)
        self.legend = Legend(theming, self.canvas)
        self.zoom_out = button("", lambda: self.canvas.zoom_by(0.8))
        self.level = button("100 %", lambda: self.canvas.zoom_to(1.0))
        self.zoom_in = button("", lambda: self.canvas.zoom_by(1.25))
        self.fit = button("", self.canvas.fit)
        self._buttons = self._zoom_buttons()
        self.paths = PathButtons(self.canvas, theming)
        self.help = KeyHelp(self.canvas)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.canvas)
        self.canvas.view_changed.connect(self._show_level)
        self.canvas.wished.connect(lambda wish: self.help.open() if wish == HELP else None)
        theming.changed.connect(self.dress)
        self.dress()

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
        self.minimap.refresh()
        self.paths.refresh()
        present = scene.families if scene is not None else ()
        self._families = [name for name in TITLES if name in present]
        self.set_overlay(None)

    def set_overlay(self, overlay: Overlay | None) -> None:
        """Paint numbers on the nodes, or their families again."""
        self.canvas.set_overlay(overlay)
        if overlay is not None:
            self.legend.show_overlay(overlay)
        else:
            self.legend.show_families(self._families)
        self.legend.setVisible(bool(self._families))
        self._place()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def dress(self) -> None:
        """Set the icons in the theme's colours."""
        color = self._theming.current.color("dim")
        for name, item in (("minus", self.zoom_out), ("plus", self.zoom_in), ("fit", self.fit)):
            item.setIcon(icons.icon(name, color, 16))

    def _zoom_buttons(self) -> QWidget:
        holder = QWidget(self.canvas)
        layout = QHBoxLayout(holder)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        names = {
            self.zoom_out: "Zoom out (−)",
            self.level: "Zoom to 100 % (0)",
            self.zoom_in: "Zoom in (+)",
            self.fit: "Show the whole graph (F)",
        }
        for item, name in names.items():
            item.setToolTip(plain_tip(name))
            item.setAccessibleName(name)
            item.setCursor(Qt.CursorShape.ArrowCursor)
            item.setFixedSize(64 if item is self.level else 32, 32)
            item.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
            item.setProperty("kind", "tool")
            layout.addWidget(item)
        return holder

    def _show_level(self) -> None:
        percent = 100 * self.canvas.zoom
        digits = 0 if percent >= 1 else 1 if percent >= 0.1 else 2
        self.level.setText(f"{percent:.{digits}f} %")

    def _place(self) -> None:
        wide, high = self.width(), self.height()
        self.minimap.move(wide - self.minimap.width() - GAP, GAP)
        self.paths.move(GAP, GAP)
        size = self._buttons.sizeHint()
        self._buttons.setGeometry(
            wide - size.width() - GAP, high - size.height() - GAP, size.width(), size.height()
        )
        self.legend.move(GAP, high - self.legend.height() - GAP)


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
