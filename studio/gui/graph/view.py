"""The canvas with what lies on it: overview, legend and zoom buttons."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QLinearGradient, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from studio.gui import icons
from studio.gui.graph.canvas import GraphCanvas
from studio.gui.graph.families import TITLES
from studio.gui.graph.keyboard import HELP
from studio.gui.graph.keyhelp import KeyHelp
from studio.gui.graph.minimap import Minimap
from studio.gui.graph.overlay import SCALE, Overlay, heat
from studio.gui.graph.paths import PathButtons
from studio.gui.graph.scene import Scene
from studio.gui.theme import Theming
from studio.gui.widgets import GRID, button

GAP = 2 * GRID
SWATCH = 12


class Legend(QWidget):
    """What the colours say: the families or states that occur, or the ends of a heat scale."""

    def __init__(self, theming: Theming, parent: QWidget) -> None:
        super().__init__(parent)
        self._theming = theming
        self._families: list[str] = []
        self._overlay: Overlay | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        theming.changed.connect(self.update)

    def show_families(self, families: list[str]) -> None:
        """Show the families in the order given."""
        self._families, self._overlay = families, None
        rows = len(families)
        self.setFixedSize(176, rows * 20 + 2 * GRID)
        self.setAccessibleName("Colours: " + ", ".join(TITLES[name] for name in families))
        self.update()

    def show_overlay(self, overlay: Overlay) -> None:
        """Show a heat scale, or the states."""
        self._overlay = overlay
        if overlay.keys:
            self.setFixedSize(176, len(overlay.keys) * 20 + 2 * GRID)
            names = ", ".join(name for name, _ in overlay.keys)
            self.setAccessibleName(f"{overlay.title}: {names}")
        else:
            self.setFixedSize(248, 64)
            self.setAccessibleName(f"{overlay.title}, from {overlay.least} to {overlay.most}")
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme = self._theming.current
        painter.setPen(QPen(theme.color("border"), 1))
        painter.setBrush(theme.color("surface"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
        font = self.font()
        font.setPixelSize(11)
        painter.setFont(font)
        if self._overlay is None:
            families = self._families
            self._paint_keys(painter, [(TITLES[one], theme.graph_color(one)) for one in families])
        elif self._overlay.keys:
            self._paint_keys(painter, self._overlay.keys)
        else:
            self._paint_scale(painter, self._overlay)

    def _paint_keys(self, painter: QPainter, keys: Sequence[tuple[str, QColor]]) -> None:
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        for row, (title, color) in enumerate(keys):
            top = GRID + row * 20
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color)
            painter.drawRoundedRect(QRectF(GRID + 2, top + 4, SWATCH, SWATCH), 3, 3)
            painter.setPen(self._theming.current.color("dim"))
            text = QRectF(GRID + SWATCH + 12, top, self.width(), 20)
            painter.drawText(text, left, title)

    def _paint_scale(self, painter: QPainter, overlay: Overlay) -> None:
        theme = self._theming.current
        inner = self.rect().adjusted(GRID + 2, GRID, -GRID - 2, -GRID)
        painter.setPen(theme.color("dim"))
        painter.drawText(
            inner, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop, overlay.title
        )
        gradient = QLinearGradient(inner.left(), 0, inner.right(), 0)
        for stop in range(len(SCALE)):
            share = stop / (len(SCALE) - 1)
            gradient.setColorAt(share, heat(share))
        painter.fillRect(QRectF(inner.left(), inner.top() + 19, inner.width(), 8), gradient)
        bottom = Qt.AlignmentFlag.AlignBottom
        painter.drawText(inner, Qt.AlignmentFlag.AlignLeft | bottom, overlay.least)
        painter.drawText(inner, Qt.AlignmentFlag.AlignRight | bottom, overlay.most)


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

    def show_scene(self, scene: Scene | None, *, stay: bool = False) -> None:
        """Show another graph; look at the same place of it if it is the same with more details."""
        self.canvas.show_scene(scene, stay=stay)
        self.minimap.refresh()
        present = {box.family for box in scene.boxes} if scene is not None else set()
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
        """Take the icons in the theme's colours."""
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
            item.setToolTip(name)
            item.setAccessibleName(name)
            item.setCursor(Qt.CursorShape.ArrowCursor)
            item.setFixedSize(64 if item is self.level else 32, 32)
            item.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
            item.setProperty("kind", "tool")
            layout.addWidget(item)
        return holder

    def _show_level(self) -> None:
        percent = 100 * self.canvas.zoom
        self.level.setText(f"{percent:.0f} %" if percent >= 1 else f"{percent:.1f} %")

    def _place(self) -> None:
        wide, high = self.width(), self.height()
        self.minimap.move(wide - self.minimap.width() - GAP, GAP)
        self.paths.move(GAP, GAP)
        size = self._buttons.sizeHint()
        self._buttons.setGeometry(
            wide - size.width() - GAP, high - size.height() - GAP, size.width(), size.height()
        )
        self.legend.move(GAP, high - self.legend.height() - GAP)
