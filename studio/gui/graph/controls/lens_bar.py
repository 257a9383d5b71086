"""The bar above a graph: paths, shapes, direction, overview, and zoom."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QPushButton, QSizePolicy, QWidget

from studio.api.qt import plain_tip
from studio.gui import icons
from studio.gui.graph.canvas import GraphCanvas
from studio.gui.graph.controls.choices import ViewChoices
from studio.gui.graph.keyboard import DIRECTION, DOCK, SHAPES
from studio.gui.graph.paths import EDGE, PathButtons
from studio.gui.theme import Theming
from studio.gui.widgets.basics import GRID, button, row

_LEVEL_WIDTH = 64
_ICON = 16


class LensBar(QFrame):
    """The bar of a graph pane, which covers none of the nodes.

    Attributes:
        choices: What is chosen now.

    Signals:
        chosen: The ``ViewChoices`` after the user changed one of them.
    """

    chosen = Signal(object)

    def __init__(self, canvas: GraphCanvas, theming: Theming) -> None:
        super().__init__()
        self._canvas = canvas
        self._theming = theming
        self.choices = ViewChoices()
        self.paths = PathButtons(canvas, theming)
        self.shapes = button("", lambda: self.toggle(SHAPES))
        self.direction = button("", lambda: self.toggle(DIRECTION))
        self.dock = button("", lambda: self.toggle(DOCK))
        self.zoom_out = button("", lambda: canvas.zoom_by(0.8))
        self.level = button("100 %", lambda: canvas.zoom_to(1.0))
        self.zoom_in = button("", lambda: canvas.zoom_by(1.25))
        self.fit = button("", canvas.fit)
        self._icons = {
            self.shapes: "shapes",
            self.direction: "across",
            self.dock: "panel",
            self.zoom_out: "minus",
            self.zoom_in: "plus",
            self.fit: "fit",
        }
        self._build()
        canvas.view_changed.connect(self._show_level)
        theming.changed.connect(self.dress)
        self.show_choices(self.choices)
        self.dress()

    def _build(self) -> None:
        names = {
            self.shapes: "Shapes on the edges (E)",
            self.direction: "Left to right (L)",
            self.dock: "Overview and legend (M)",
            self.zoom_out: "Zoom out (−)",
            self.level: "Zoom to 100 % (0)",
            self.zoom_in: "Zoom in (+)",
            self.fit: "Show the whole graph (F)",
        }
        for item, name in names.items():
            _dress_tool(item, name, _LEVEL_WIDTH if item is self.level else EDGE)
        for item in (self.shapes, self.direction, self.dock):
            item.setCheckable(True)
        self.setProperty("role", "lenses")
        self.setAccessibleName("View of the graph")
        self._line = row(self.paths, None, *names, spacing=4)
        self._line.insertSpacing(self._line.indexOf(self.zoom_out), GRID)
        self._line.setContentsMargins(2 * GRID, 4, 2 * GRID, 4)
        self.setLayout(self._line)

    def add_title(self, title: QWidget) -> None:
        """Put a title at the left end, in the place of the paths, whose keys go on to work."""
        self.paths.hide()
        self._line.insertWidget(0, title, 1)

    def show_part(self, *, zoom: bool) -> None:
        """Show the zoom or the choices alone, where another bar has the rest."""
        for item in (self.zoom_out, self.level, self.zoom_in, self.fit):
            item.setVisible(zoom)
        for item in (self.shapes, self.direction, self.dock):
            item.setVisible(not zoom)

    def toggle(self, what: str) -> None:
        """Change one choice, and pass them on."""
        now = self.choices
        changed = {
            SHAPES: replace(now, shapes=not now.shapes),
            DIRECTION: replace(now, across=not now.across),
            DOCK: replace(now, dock=not now.dock),
        }.get(what)
        if changed is not None:
            self.show_choices(changed)
            self.chosen.emit(changed)

    def show_choices(self, choices: ViewChoices) -> None:
        """Show what is chosen."""
        self.choices = choices
        for item, is_on in (
            (self.shapes, choices.shapes),
            (self.direction, choices.across),
            (self.dock, choices.dock),
        ):
            item.setChecked(is_on)

    def dress(self) -> None:
        """Set the icons in the theme's colours."""
        color = self._theming.current.color("dim")
        for item, name in self._icons.items():
            item.setIcon(icons.icon(name, color, _ICON))

    def _show_level(self) -> None:
        percent = 100 * self._canvas.zoom
        digits = 0 if percent >= 1 else 1 if percent >= 0.1 else 2
        self.level.setText(f"{percent:.{digits}f} %")


def _dress_tool(item: QPushButton, name: str, width: int) -> None:
    item.setToolTip(plain_tip(name))
    item.setAccessibleName(name)
    item.setFixedSize(width, EDGE)
    item.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
    item.setProperty("kind", "tool")
