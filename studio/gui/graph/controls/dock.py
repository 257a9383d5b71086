"""The dock of a graph: the overview and the legend, next to the canvas and never over its nodes."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QBoxLayout, QFrame

from studio.gui.graph.canvas import GraphCanvas
from studio.gui.graph.controls.legend import Legend
from studio.gui.graph.controls.minimap import Minimap
from studio.gui.theme import Theming
from studio.gui.widgets.basics import GRID

SIDE_WIDTH, HEIGHT, LEGEND_HEIGHT = 144, 128, 72
"""Width at the side, and height below the canvas: with the overview, and with the legend alone."""


class GraphDock(QFrame):
    """The overview and the legend, in a place of fixed size.

    Attributes:
        has_map: Whether the overview is shown; without it the dock stands below the canvas.
    """

    def __init__(self, canvas: GraphCanvas, theming: Theming) -> None:
        super().__init__()
        self.has_map = True
        self.minimap = Minimap(canvas, theming)
        self.legend = Legend(theming, self)
        self._line = QBoxLayout(QBoxLayout.Direction.TopToBottom, self)
        self._line.setContentsMargins(GRID, GRID, GRID, GRID)
        self._line.setSpacing(GRID)
        self._line.addWidget(self.minimap, 1)
        self._line.addWidget(self.legend)
        self.setProperty("role", "graphdock")
        self.setAccessibleName("Overview and legend")

    @property
    def is_below(self) -> bool:
        """Whether the dock stands below the canvas rather than at its side."""
        return self.legend.is_wide

    def place(self, *, below: bool) -> None:
        """Arrange the dock for its place: below the canvas or at its side."""
        below = below or not self.has_map
        self.minimap.setVisible(self.has_map)
        height = HEIGHT if self.has_map else LEGEND_HEIGHT
        self.legend.set_wide(below, height - 2 * GRID)
        self.setProperty("below", below)
        self.style().polish(self)
        across, down = QBoxLayout.Direction.RightToLeft, QBoxLayout.Direction.TopToBottom
        self._line.setDirection(across if below else down)
        if below:
            self.setMinimumWidth(0)
            self.setMaximumWidth(_ANY)
            self.setFixedHeight(height)
            self._line.setAlignment(self.legend, Qt.AlignmentFlag.AlignLeft)
        else:
            self._line.setAlignment(self.legend, Qt.AlignmentFlag(0))
            self.setMinimumHeight(0)
            self.setMaximumHeight(_ANY)
            self.setFixedWidth(SIDE_WIDTH)


_ANY = 16_777_215
"""Qt's largest size."""
