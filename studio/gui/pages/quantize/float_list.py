"""The nodes that the project keeps in float, each with a button that removes it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from studio.gui import figures
from studio.gui.names import shown
from studio.gui.pages.shared.float_nodes import FloatNodes
from studio.gui.shell import Shell
from studio.gui.widgets.basics import GRID, button, clear, label, row, set_enabled
from studio.gui.widgets.elided_text import ElidedButton

if TYPE_CHECKING:
    from studio.workspace import VariantRecord

MOST = 50
"""Nodes that are listed; a block may have thousands."""

_HELP = (
    "These nodes stay in fp32 with every preset. Add one with Keep in float in the context menu of "
    "the graph."
)


class FloatList(QWidget):
    """A section with a row for each node.

    Signals:
        asked: Name of a node that the user wants to see in the graph.

    Attributes:
        nodes: The list of the current model.
    """

    asked = Signal(str)

    def __init__(self, shell: Shell) -> None:
        super().__init__()
        self.nodes = FloatNodes(shell)
        self.setAccessibleName("Nodes kept in float")
        self.remove_all = button("Remove all", self._remove_all, "link")
        self.remove_all.setAccessibleName("Remove all nodes kept in float")
        self._rows = QVBoxLayout()
        self._rows.setSpacing(4)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID)
        layout.addLayout(row(label("Nodes kept in float", "section"), None, self.remove_all))
        layout.addWidget(label(_HELP, "dim", wrap=True))
        layout.addLayout(self._rows)
        self.nodes.changed.connect(self._show)
        self._show()

    def show_variant(self, variant: VariantRecord | None) -> None:
        """Show the list of another model."""
        self.nodes.show_variant(variant)
        self._show()

    def _show(self) -> None:
        names = self.nodes.names
        clear(self._rows)
        set_enabled(self.remove_all, "" if names else "No node is kept in float.")
        for name in names[:MOST]:
            remove = button("Remove", partial(self.nodes.release, [name], name), "link")
            remove.setAccessibleName(f"Keep {shown(name)} in float no longer")
            go = ElidedButton(shown(name), partial(self.asked.emit, name), f"Show {shown(name)}")
            line = row(go, remove, spacing=GRID)
            line.setStretch(0, 1)
            self._rows.addLayout(line)
        if len(names) > MOST:
            self._rows.addWidget(label(f"{len(names) - MOST:,} more", "small"))

    def _remove_all(self) -> None:
        names = self.nodes.names
        self.nodes.release(names, figures.count(len(names), "node"))
