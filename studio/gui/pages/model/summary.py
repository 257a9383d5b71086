"""The Summary view of the Model page: figures, inputs and outputs, operators, intake."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtGui import QFontDatabase, QShowEvent
from PySide6.QtWidgets import QPlainTextEdit, QVBoxLayout, QWidget

from studio.gui import figures
from studio.gui.graph.costs import short_count
from studio.gui.pages.model import facts as model_facts
from studio.gui.widgets.basics import GRID, Card, FieldList, Pill, Scroll, label, row
from studio.gui.widgets.tables import Table, TableCard
from studio.models.results import IntakeFinding, LanguageFacts, ModelFigures

if TYPE_CHECKING:
    from studio.workspace import VariantRecord

_TEMPLATE_HEIGHT = 16 * GRID


class ModelSummary(Scroll):
    """The model at a glance."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Summary of the model")
        self._figures = FieldList(name_width=112)
        self._inputs = Table(("Input", "Type"), stretch=1, name="Inputs")
        self._outputs = Table(("Output", "Type"), stretch=1, name="Outputs")
        self._operators = Table(
            ("Operator", "Nodes", "Share of MACs"), numeric=(1, 2), stretch=0, name="Operators"
        )
        self._intake = Card("Safety check", "Results of the safety check when the file was opened.")
        self._origin = FieldList(name_width=112)
        self._language = LanguageCard()
        left = _column(
            _card("Model", self._figures), self._language, TableCard("Operators", self._operators)
        )
        right = _column(
            TableCard("Inputs and outputs", self._inputs, self._outputs),
            self._intake,
            _card("Origin", self._origin),
        )
        columns = row(spacing=2 * GRID)
        columns.addLayout(left, 1)
        columns.addLayout(right, 1)
        self.body.addLayout(columns)
        self.body.addStretch(1)
        self._next: tuple[VariantRecord, str] | None = None

    def show_variant(self, variant: VariantRecord | None, parent: str = "") -> None:
        """Show the figures of a variant, now or when the view is shown.

        Args:
            parent: Name of the variant that it was made of.
        """
        self._next = (variant, parent) if variant is not None else None
        if self.isVisible():
            self._show_next()

    def showEvent(self, event: QShowEvent) -> None:
        """Show the variant that was chosen while the view was hidden."""
        super().showEvent(event)
        self._show_next()

    def _show_next(self) -> None:
        if self._next is None:
            return
        (variant, parent), self._next = self._next, None
        self._figures.show_fields(model_facts.figures_of(variant))
        model = ModelFigures.read(variant.summary)
        self._language.show_facts(model.language)
        for table, values in ((self._inputs, model.inputs), (self._outputs, model.outputs)):
            table.show_rows(model_facts.terminals(values))
            table.fit_height(8)
        self._operators.show_rows(
            (name, str(number), figures.NOTHING if share is None else f"{100 * share:.1f} %")
            for name, number, share in model_facts.operators(model)
        )
        self._operators.fit_height(16)
        self._show_findings(model.intake)
        self._origin.show_fields(model_facts.origin(variant, parent))

    def _show_findings(self, findings: Sequence[IntakeFinding]) -> None:
        body = self._intake.body
        while body.count() > 2:  # heading and note stay
            item = body.takeAt(2)
            if item is not None and (widget := item.widget()) is not None:
                widget.deleteLater()
        if not findings:
            body.addWidget(label("No issues found."))
        for finding in findings:
            holder = QWidget()
            holder.setLayout(
                row(
                    Pill(finding.level, model_facts.tone_of(finding)),
                    label(finding.text, wrap=True),
                )
            )
            body.addWidget(holder)
        body.addStretch(1)


def _column(*cards: QWidget) -> QVBoxLayout:
    column = QVBoxLayout()
    column.setSpacing(2 * GRID)
    for card in cards:
        column.addWidget(card)
    column.addStretch(1)
    return column


def _card(title: str, *content: QWidget) -> Card:
    card = Card(title)
    for item in content:
        card.body.addWidget(item)
    card.body.addStretch(1)
    return card


class LanguageCard(Card):
    """Facts of a language model; hidden for other models."""

    def __init__(self) -> None:
        super().__init__("Language model")
        self._fields = FieldList(name_width=112)
        self._heading = label("Chat template")
        self._template = QPlainTextEdit()
        self._template.setReadOnly(True)
        self._template.setAccessibleName("Chat template")
        self._template.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        holder = QWidget()  # the style sheet sets the height of the text's own widget
        holder.setFixedHeight(_TEMPLATE_HEIGHT)
        holder.setLayout(row(self._template))
        self._note = label("A template is a program. It is shown as text and never run here.")
        self._parts = (self._heading, holder, self._note)
        for widget in (self._fields, *self._parts):
            self.body.addWidget(widget)
        self.setVisible(False)

    def show_facts(self, facts: LanguageFacts | None) -> None:
        """Show a language model; None hides the card."""
        self.setVisible(facts is not None)
        if facts is None:
            return
        self._fields.show_fields(fields_of(facts))
        for widget in self._parts:
            widget.setVisible(bool(facts.chat_template))
        self._template.setPlainText(facts.chat_template)


def fields_of(facts: LanguageFacts) -> list[tuple[str, str]]:
    """Return names and values of the facts that are known."""
    fields = [
        ("Architecture", facts.architecture),
        ("Layers", figures.whole(facts.layers)),
        ("Attention", _attention(facts)),
        ("Weights", _precisions(facts)),
        ("Context", f"{facts.context:,} tokens" if facts.context else ""),
        ("KV cache", _cache(facts)),
        ("Tokenizer", facts.tokenizer),
        ("Vocabulary", f"{facts.vocabulary:,} tokens" if facts.vocabulary else ""),
    ]
    return [(name, value) for name, value in fields if value and value != figures.NOTHING]


def _attention(facts: LanguageFacts) -> str:
    if not facts.heads:
        return ""
    shared = facts.kv_heads or facts.heads
    if shared == facts.heads:
        return figures.count(facts.heads, "head")
    return f"{facts.heads} heads share {shared} of keys and values"


def _precisions(facts: LanguageFacts) -> str:
    total = sum(facts.precisions.values())
    shown = [(name, number / total) for name, number in facts.precisions.items() if number]
    return ", ".join(f"{name} {100 * share:.0f} %" for name, share in shown if share >= 0.005)


def _cache(facts: LanguageFacts) -> str:
    if not facts.cache_bytes:
        return ""
    each = f"{short_count(facts.cache_bytes)}B a token in fp16"
    if not facts.context:
        return each
    return f"{each}, {figures.size(facts.cache_bytes * facts.context)} for the whole context"
