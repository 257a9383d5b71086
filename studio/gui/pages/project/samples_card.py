"""The card with pictures of the project's data, which a worker has drawn."""

from __future__ import annotations

from PySide6.QtWidgets import QGridLayout

from studio.gui import figures
from studio.gui.pages.project.model_rows import SampleState
from studio.gui.pages.shared.input_preview import InputPreview
from studio.gui.theme import Theming
from studio.gui.widgets.basics import GRID, Card, label

_COLUMNS = 4
_MOST = 8
_SIDE = 8 * GRID
_MOST_PNG = 64 * 1024
"""Characters of a picture; a worker draws smaller ones."""

_EMPTY = "Pictures of the calibration or evaluation data appear here."
_NONE = "The data are no pictures."


class SamplesCard(Card):
    """A few pictures of the data."""

    def __init__(self, theming: Theming) -> None:
        super().__init__("Samples")
        self.text = label(_EMPTY, "dim", wrap=True)
        self.pictures = [InputPreview(theming) for _ in range(_MOST)]
        grid = QGridLayout()
        grid.setSpacing(GRID)
        for number, picture in enumerate(self.pictures):
            picture.setFixedSize(_SIDE, _SIDE)
            picture.hide()
            grid.addWidget(picture, number // _COLUMNS, number % _COLUMNS)
        grid.setColumnStretch(_COLUMNS, 1)
        self.body.addLayout(grid)
        self.body.addWidget(self.text)

    def show_state(self, state: SampleState) -> None:
        """Show the pictures of a result, and in words what is not shown."""
        result = state.result
        found = [one for one in result.pictures if len(one.png) <= _MOST_PNG] if result else []
        for number, picture in enumerate(self.pictures):
            picture.setVisible(number < len(found))
            if number < len(found):
                picture.show_input(found[number])
                picture.setAccessibleName(f"Sample {number + 1} of the data")
        text = "" if found else _EMPTY if result is None else _NONE
        if result is not None and result.unreadable:
            text = f"{figures.count(result.unreadable, 'picture')} cannot be read."
        self.text.setText(text)
        self.text.setVisible(bool(text))
