"""The project's data in one line, or what it lacks, with the buttons that lead to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame

from studio.gui.widgets.basics import GRID, Dot, button, label, row

if TYPE_CHECKING:
    from studio.gui.pages.quantize.requirements import Requirement
    from studio.gui.theme import Theming

HEIGHT = 4 * GRID
"""Of two lines of text, whatever is shown."""


class DataLine(QFrame):
    """One line that always has the same height.

    Signals:
        change_asked: The user wants to see and change the project.
        skipped: The user wants to optimize without an evaluation.
        options_asked: The user wants to see all presets and options.
    """

    change_asked = Signal()
    skipped = Signal()
    options_asked = Signal()

    def __init__(self, theming: Theming) -> None:
        super().__init__()
        self.setAccessibleName("Data of the project")
        self._theming = theming
        self.setMinimumHeight(HEIGHT)
        self._token = "warning"
        self.dot = Dot(lambda: theming.current.color(self._token))
        self.text = label("", wrap=True)
        self.change = button("Change", self.change_asked.emit, "link")
        self.skip = button("Skip evaluation", self.skipped.emit, "link")
        self.options = button("All presets and options", self.options_asked.emit, "link")
        layout = row(self.dot, self.text, self.change, self.skip, self.options, spacing=12)
        layout.setStretch(1, 1)
        self.setLayout(layout)

    def show_line(self, text: str, requirement: Requirement | None) -> None:
        """Show the data, or what is missing.

        Args:
            text: The data in words.
        """
        self.dot.setVisible(requirement is not None)
        self.skip.setVisible(requirement is not None and requirement.can_skip)
        if requirement is None:
            self.text.setText(f"From the project: {text}")
            self._name_button("Change")
            return
        self._token = "bad" if requirement.blocks else "warning"
        self.dot.setAccessibleName("Missing" if requirement.blocks else "Note")
        self.dot.update()
        self.text.setText(requirement.text)
        self._name_button(requirement.action)

    def _name_button(self, text: str) -> None:
        self.change.setText(text)
        self.change.setAccessibleName(f"{text}: opens the project")

    def name_options(self, count: int, other: str) -> None:
        """Name the number of presets, and the one in use where no card shows it."""
        more = f": {other}" if other else ""
        self.options.setText(f"All {count} presets and options{more}")
