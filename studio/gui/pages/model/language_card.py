"""The card of a language model: its architecture, its context, its tokenizer, its template."""

from __future__ import annotations

from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from studio.gui import figures
from studio.gui.graph.costs import short_count
from studio.gui.widgets.basics import GRID, Card, FieldList, label, row
from studio.models.results import LanguageFacts

_HEIGHT = 16 * GRID


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
        holder.setFixedHeight(_HEIGHT)
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
