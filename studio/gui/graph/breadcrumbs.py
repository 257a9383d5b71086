"""The path from the main graph to the block that is shown, each step a button."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial

from PySide6.QtWidgets import QFrame

from studio.gui.names import shown
from studio.gui.widgets.basics import GRID, button, clear, label, row

MAIN = "Main graph"

FOLDED = "inside"
"""How the graph within a folded block is called; its title says enough."""


class Breadcrumbs(QFrame):
    """Hidden while the main graph is shown.

    Args:
        go: Called with the path of the part that the user wants to see; empty for the main graph.
    """

    def __init__(self, go: Callable[[str], None]) -> None:
        super().__init__()
        self._go = go
        self.setProperty("role", "header")
        self.setAccessibleName("Where in the model")
        self._row = row()
        self._row.setContentsMargins(2 * GRID, 4, 2 * GRID, 4)
        self.setLayout(self._row)
        self.hide()

    def show_path(self, path: str, steps: list[tuple[str, str]]) -> None:
        """Show the path to a part.

        Args:
            steps: Path and title of each part on the path, without the main graph.
        """
        clear(self._row)
        self._row.addWidget(button(MAIN, lambda: self._go(""), "link"))
        for step, title in steps:
            self._row.addWidget(label("›", "dim"))
            if step == path:
                self._row.addWidget(label(title, "strong"))
            else:
                self._row.addWidget(button(title, partial(self._go, step), "link"))
        self._row.addStretch(1)
        self.setVisible(bool(path))


def steps_to(path: str, known: Collection[str]) -> list[tuple[str, str]]:
    """Return the parts on the path to one, with titles: ``If.0 · then_branch``.

    Args:
        known: Paths of all parts, as a set; a name in a path may hold slashes of its own.
    """
    cuts = (at for at, char in enumerate(f"{path}/") if char == "/")
    before = [path[:at] for at in cuts if path[:at] in known]
    steps, start = [], 0
    for one in before:
        node, _, key = one[start:].rpartition("/")
        title = node.rpartition("/")[2] if key == FOLDED else f"{node} · {key}"
        steps.append((one, shown(title if node else one[start:])))
        start = len(one) + 1
    return steps
