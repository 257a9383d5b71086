"""Buttons in the corner of the canvas: paths, unfolding, and the keys."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from studio.api.qt import plain_tip
from studio.gui import icons
from studio.gui.graph.canvas import GraphCanvas
from studio.gui.graph.families import BLOCK
from studio.gui.graph.keyboard import HELP, UNFOLD
from studio.gui.theme import Theming
from studio.gui.widgets.basics import button

_NOTHING = "Select a node first."
_ICONS = ("ancestors", "descendants", "both-ways", "close", "unfold", "help")
EDGE = 32


class PathButtons(QWidget):
    """The buttons that highlight ancestors or descendants, expand a block and show the keys."""

    def __init__(self, canvas: GraphCanvas, theming: Theming) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self._theming = theming
        self.up = button("", partial(canvas.trace, up=True))
        self.down = button("", partial(canvas.trace, down=True))
        self.both = button("", partial(canvas.trace, up=True, down=True))
        self.clear = button("", canvas.trace)
        self.unfold = button("", partial(canvas.wished.emit, UNFOLD))
        self.help = button("", partial(canvas.wished.emit, HELP))
        self._all = (self.up, self.down, self.both, self.clear, self.unfold, self.help)
        self._names = {
            self.up: "Highlight ancestors (A)",
            self.down: "Highlight descendants (D)",
            self.both: "Highlight ancestors and descendants (S)",
            self.clear: "Clear highlight (X)",
            self.unfold: "Expand or collapse the block (U)",
            self.help: "Keys of the graph (?)",
        }
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        for item in self._all:
            item.setAccessibleName(self._names[item])
            item.setCheckable(item in (self.up, self.down, self.both))
            item.setCursor(Qt.CursorShape.ArrowCursor)
            item.setFixedSize(EDGE, EDGE)
            item.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
            item.setProperty("kind", "tool")
            layout.addWidget(item)
        canvas.selection_changed.connect(self.refresh)
        canvas.path_changed.connect(self.refresh)
        theming.changed.connect(self.dress)
        self.dress()
        self.refresh()

    def refresh(self) -> None:
        """Follow the canvas: the highlighted path, and whether a box can be highlighted."""
        ways = self._canvas.ways
        for item, way in ((self.up, (True, False)), (self.down, (False, True))):
            item.setChecked(ways == way)
        self.both.setChecked(ways == (True, True))
        reason = "" if self._canvas.selected is not None else _NOTHING
        for item in (self.up, self.down, self.both, self.clear):
            why = reason or (
                "No nodes are highlighted." if item is self.clear and not any(ways) else ""
            )
            item.setEnabled(not why)
            item.setToolTip(plain_tip(f"{self._names[item]}. {why}" if why else self._names[item]))
            item.setAccessibleDescription(why)
        self.unfold.setVisible(self._has_blocks())
        for item in (self.unfold, self.help):
            item.setToolTip(plain_tip(self._names[item]))
        self.adjustSize()

    def _has_blocks(self) -> bool:
        """Return whether anything that is shown can be unfolded or folded."""
        scene = self._canvas.scene
        return scene is not None and (bool(scene.frames) or BLOCK in scene.families)

    def dress(self) -> None:
        """Set the icons in the theme's colours."""
        color = self._theming.current.color("dim")
        for name, item in zip(_ICONS, self._all, strict=True):
            item.setIcon(icons.icon(name, color, 16))
