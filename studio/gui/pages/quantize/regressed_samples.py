"""The first regressed samples of a variant as pictures, with what the variant answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from studio.api.qt import plain_tip
from studio.gui import figures
from studio.gui.pages.quantize.samples_view import short
from studio.gui.pages.shared.input_preview import InputPreview
from studio.gui.widgets.basics import GRID, ElidedLabel, button, label, row

if TYPE_CHECKING:
    from studio.evaluation.results import MetricChange
    from studio.gui.theme import Theming
    from studio.quantization.results import ComparedSample

SHOWN = 4
_HEIGHT = 8 * GRID


class RegressedSamples(QWidget):
    """A line of pictures of what the variant gets wrong, and a link to all of them.

    Signals:
        all_asked: The user wants to see all changed samples.
    """

    all_asked = Signal()

    def __init__(self, theming: Theming) -> None:
        super().__init__()
        self.heading = label("Regressed samples", "section")
        self.note = label("", "dim")
        self.all = button("All changed samples", self.all_asked.emit, "link")
        self.tiles = tuple(_Tile(theming) for _ in range(SHOWN))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addLayout(row(self.heading, self.note, None, self.all))
        tiles = row(*self.tiles, spacing=12)
        for index in range(SHOWN):
            tiles.setStretch(index, 1)
        layout.addLayout(tiles)

    def show_counts(self, metric: MetricChange | None) -> None:
        """Show how many samples changed; the pictures follow when they are read."""
        lost, gained = metric.changed if metric is not None else (0, 0)
        samples = metric.samples if metric is not None else 0
        if metric is None:
            text = "Known after an evaluation"
        elif not lost and not gained:
            text = f"None of {figures.whole(samples)}"
        else:
            text = f"{lost} of {figures.whole(samples)}; {gained} improved"
        self.note.setText(text)
        self.show_samples(())

    def show_samples(self, samples: Sequence[ComparedSample]) -> None:
        """Show the worst of the samples whose result changed."""
        changed = [one for one in samples if one.state in ("lost", "differs")][:SHOWN]
        self.all.setEnabled(bool(samples))
        for tile, sample in zip(self.tiles, [*changed, *[None] * SHOWN], strict=False):
            tile.show_sample(sample)


class _Tile(QWidget):
    """One sample: its picture, and the wrong answer below it."""

    def __init__(self, theming: Theming) -> None:
        super().__init__()
        self.input = InputPreview(theming)
        self.input.setFixedHeight(_HEIGHT)
        self.answer = ElidedLabel("", Qt.TextElideMode.ElideRight)
        self.answer.setProperty("role", "small")
        self.answer.setProperty("tone", "bad")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.input)
        layout.addWidget(self.answer)
        self.hide()

    def show_sample(self, sample: ComparedSample | None) -> None:
        self.setVisible(sample is not None)
        if sample is None:
            return
        self.input.show_input(sample.input)
        before = sample.label or short(sample.before)
        self.answer.setText(f"{before} → {short(sample.after)}")
        self.input.setToolTip(plain_tip(f"{sample.name}: {before} → {short(sample.after)}"))
