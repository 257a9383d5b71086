"""The view that explains samples: method, samples, comparison, and the maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QGridLayout, QLineEdit, QWidget

from studio.api import Option
from studio.features.evidence.pages.evidence.explanations_card import ExplanationsCard
from studio.features.evidence.survey.views import MeasuredSamples
from studio.gui.pages.shared.stage_page import JobStrip
from studio.gui.theme import Theming
from studio.gui.widgets.basics import GRID, Card, Scroll, button, label, row, set_enabled
from studio.workspace import VariantRecord

CHOSEN, NUMBERED = range(2)
_DEFAULT = "0, 1, 2, 3"
_NO_GROUPS = "Measure the groups first: they show which samples are wrong."


class ExplanationsView(Scroll):
    """Settings of the step ``explain``, and its newest result.

    Signals:
        started: The user has started the step; ``options`` are its options.
    """

    started = Signal()

    def __init__(self, theming: Theming) -> None:
        super().__init__(spacing=GRID + 4)
        self._samples = MeasuredSamples()
        self._reason = ""
        self.method = QComboBox()
        self.choice = QComboBox()
        self.choice.addItems(["typical, then the worst", "by number or name"])
        self.numbers = QLineEdit(_DEFAULT)
        self.numbers.setPlaceholderText("0, 1, 2")
        self.against = QComboBox()
        self.shuffle = QCheckBox("Check with shuffled weights")
        self.shuffle.setChecked(True)
        self.explain = button("Explain", self.started.emit)
        self.strip = JobStrip()
        self.card = ExplanationsCard(theming)
        settings = Card("Samples to explain")
        settings.body.addWidget(self._settings())
        settings.body.addLayout(row(self.shuffle, None, self.explain))
        for widget in (settings, self.strip, self.card):
            self.body.addWidget(widget)
        self.body.addStretch(1)
        self.choice.currentIndexChanged.connect(lambda _: self._explain())
        self.numbers.textChanged.connect(lambda _: self._explain())
        self.numbers.returnPressed.connect(self.explain.click)
        self.card.wanted.connect(self.explain.click)
        self._explain()

    def _settings(self) -> QWidget:
        holder = QWidget()
        grid = QGridLayout(holder)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(2 * GRID)
        fields = (
            ("Method", self.method),
            ("Samples", self.choice),
            ("Numbers", self.numbers),
            ("Compare with", self.against),
        )
        for column, (title, field) in enumerate(fields):
            name = label(title, "dim")
            name.setBuddy(field)
            field.setAccessibleName(title)
            grid.addWidget(name, 0, column)
            grid.addWidget(field, 1, column)
            grid.setColumnStretch(column, 1)
        return holder

    def offer(self, method: Option) -> None:
        """Offer the methods of the step."""
        titles = method.choice_titles or method.choices
        for value, title in zip(method.choices, titles, strict=True):
            self.method.addItem(title, value)

    def show_variants(
        self, variant: VariantRecord | None, variants: Sequence[VariantRecord]
    ) -> None:
        """Offer the other variants to compare with; the parent of the current one first."""
        before = self.against.currentData()
        self.against.clear()
        self.against.addItem("no other variant", "")
        for one in variants:
            if variant is not None and one.id != variant.id:
                self.against.addItem(f"{one.model_name}:{one.name}", f"#{one.id}")
        parent = f"#{variant.parent}" if variant is not None and variant.parent else ""
        place = self.against.findData(before or parent)
        self.against.setCurrentIndex(max(place, 0))

    def show_samples(self, samples: MeasuredSamples) -> None:
        """Offer typical and worst samples, where a measurement knows them."""
        self._samples = samples
        is_default = self.numbers.text() == _DEFAULT
        self.choice.setCurrentIndex(CHOSEN if samples.chosen and is_default else NUMBERED)
        self._explain()

    def choose(self, numbers: Sequence[str]) -> None:
        """Choose samples by their numbers."""
        self.choice.setCurrentIndex(NUMBERED)
        self.numbers.setText(", ".join(numbers))

    def set_reason(self, reason: str) -> None:
        """Disable the step with a reason, or enable it."""
        self._reason = reason
        self._explain()

    def options(self) -> dict[str, Any]:
        """Return the options of the step, without the model."""
        chosen = self.choice.currentIndex() == CHOSEN
        samples = list(self._samples.chosen) if chosen else [self.numbers.text().strip()]
        given: dict[str, Any] = {
            "sample": samples,
            "method": str(self.method.currentData()),
            "sanity": self.shuffle.isChecked(),
        }
        if self.against.currentData():
            given["against"] = [str(self.against.currentData())]
        return given

    def _explain(self) -> None:
        chosen = self.choice.currentIndex() == CHOSEN
        set_enabled(self.numbers, "The samples are chosen already." if chosen else "")
        reason = self._reason
        if not reason and chosen and not self._samples.chosen:
            reason = _NO_GROUPS
        if not reason and not chosen and not self.numbers.text().strip():
            reason = "Enter the number or the name of a sample."
        set_enabled(self.explain, reason)
        set_enabled(self.card.hint.button, reason)
