"""Samples that a variant reads otherwise than the float model, drawn, with both answers."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QVBoxLayout, QWidget

from studio.documents.dataclass_json import to_json
from studio.gui.pages.shared.answer_view import ScoreBars, percent
from studio.gui.pages.shared.input_preview import InputPreview
from studio.gui.widgets.basics import GRID, Card, Hint, Pill, label, row
from studio.gui.widgets.list_or_hint import ListOrHint
from studio.gui.widgets.sortable import SortableRow, SortableTable
from studio.gui.widgets.two_columns import TwoColumns
from studio.models.results import Answer
from studio.quantization.results import ComparedSample

if TYPE_CHECKING:
    from studio.gui.theme import Theming

COLUMNS = ("Sample", "State", "Label", "Float", "Variant", "SQNR dB")
_WIDTHS = (0, 84, 60, 96, 96, 76)
_SHOWN = {"lost": "regressed", "gained": "improved", "agrees": "same", "differs": "changed"}
"""Words that are shown for the stored states."""
_TONES = {"lost": "bad", "gained": "good", "differs": "warning"}


class SamplesView(QWidget):
    """A list at the left; at the right the chosen sample with what both models say of it."""

    def __init__(self, theming: Theming) -> None:
        super().__init__()
        self._samples: dict[str, ComparedSample] = {}
        self.table = SortableTable(COLUMNS, (5,), _WIDTHS, "Changed samples")
        self.empty = Hint(
            "No samples to show",
            "Select a variant quantized with data. Samples whose result changed appear here, "
            "regressions first.",
        )
        self.title = label("", "section")
        self.state = Pill("")
        self.input = InputPreview(theming)
        self.lines = label("", "dim", wrap=True)
        self.answers = tuple(_Answer(title, theming) for title in ("Float model", "Variant"))
        self._build()
        self.table.chosen.connect(self._chosen)
        self.show_samples(())

    def _build(self) -> None:
        side = Card()
        side.body.addLayout(row(self.title, self.state, None))
        side.body.addWidget(self.input, 1)
        side.body.addWidget(self.lines)
        both = row(*self.answers, spacing=3 * GRID)
        for position in range(len(self.answers)):
            both.setStretch(position, 1)
        side.body.addLayout(both)
        listed = TwoColumns(self.table, side, (3, 2), least=0)
        listed.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        self._stack = ListOrHint(self, listed, self.empty)

    def show_samples(self, samples: Sequence[ComparedSample]) -> None:
        """Show the samples of another variant."""
        self._samples = {sample.name: sample for sample in samples}
        self.table.show_rows(map(_row, samples))
        self._stack.show_list(bool(samples))
        if samples:
            self.table.select(samples[0].name)
            self._show(samples[0])

    def _chosen(self, key: Hashable) -> None:
        self._show(self._samples[str(key)])

    def _show(self, sample: ComparedSample) -> None:
        self.title.setText(f"{sample.name}, label {sample.label}" if sample.label else sample.name)
        self.state.show_state(_SHOWN.get(sample.state, sample.state), _TONES.get(sample.state, ""))
        self.input.show_input(sample.input)
        self.lines.setText("\n".join(sample.input.lines))
        for shown, answer in zip(self.answers, (sample.before, sample.after), strict=True):
            shown.show_answer(answer)


class _Answer(QWidget):
    """Return the answer of one model."""

    def __init__(self, title: str, theming: Theming) -> None:
        super().__init__()
        self.text = label("", "strong", wrap=True)
        self.bars = ScoreBars(theming)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(label(title, "dim"))
        layout.addWidget(self.text)
        layout.addWidget(self.bars)
        layout.addStretch(1)

    def show_answer(self, answer: Answer) -> None:
        self.bars.show_classes(to_json(answer.classes))
        self.bars.setVisible(bool(answer.classes))
        self.text.setText("" if answer.classes else short(answer))
        self.text.setVisible(not answer.classes)


def short(answer: Answer) -> str:
    """Return an answer in a few words."""
    if answer.classes:
        best = answer.classes[0]
        return f"{best.label} {percent(best.score)}"
    return answer.text if answer.kind == "text" else "; ".join(answer.values)


def _row(sample: ComparedSample) -> SortableRow:
    texts = (
        sample.name,
        _SHOWN.get(sample.state, sample.state),
        sample.label or "",
        short(sample.before),
        short(sample.after),
        f"{sample.sqnr_db:.1f}",
    )
    return SortableRow(texts[0], texts, (*texts[:5], sample.sqnr_db))
