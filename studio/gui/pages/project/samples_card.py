"""The card with pictures of the project's data, which a worker has drawn."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from studio.gui import figures
from studio.gui.pages.project.model_rows import SampleState
from studio.gui.pages.shared.input_preview import InputPreview
from studio.gui.theme import Theming
from studio.gui.widgets.basics import GRID, Card, label, row

_MOST = 8
_SIDE = 4 * GRID
_HEIGHT = 5 * GRID
"""Of the pictures or of two lines: nothing moves when the pictures come."""

_MOST_PNG = 64 * 1024
"""Characters of a picture; a worker draws smaller ones."""

_EMPTY = "Pictures of the calibration or evaluation data appear here."
_NONE = "The data has no pictures."


class SamplesCard(Card):
    """A few pictures of the data in a row of fixed height."""

    def __init__(self, theming: Theming) -> None:
        super().__init__()
        self.setAccessibleName("Samples")
        self.unreadable = label("", tone="warning")
        self.text = label(_EMPTY, "dim", wrap=True)
        self.pictures = [InputPreview(theming) for _ in range(_MOST)]
        strip = QWidget()
        strip.setFixedHeight(_HEIGHT)
        strip.setLayout(row(*self.pictures, self.text, spacing=GRID // 2))
        for picture in self.pictures:
            picture.setFixedSize(_SIDE, _SIDE)
        self.body.addLayout(row(label("Samples", "section"), None, self.unreadable))
        self.body.addWidget(strip)
        self.show_state(SampleState())

    def show_state(self, state: SampleState) -> None:
        """Show the pictures of a result, and in words what is not shown."""
        result = state.result
        found = [one for one in result.pictures if len(one.png) <= _MOST_PNG] if result else []
        for number, picture in enumerate(self.pictures):
            picture.setVisible(number < len(found))
            if number < len(found):
                picture.show_input(found[number])
                picture.setAccessibleName(f"Sample {number + 1} of the data")
        self.text.setText(_EMPTY if result is None else _NONE)
        self.text.setVisible(not found)
        count = result.unreadable if result is not None else 0
        self.unreadable.setText(f"{figures.count(count, 'picture')} unreadable" if count else "")
