"""One section of evidence: its state, its question, what was written, and its records."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from PySide6.QtCore import Qt, Signal

from studio.features.evidence.pages.evidence.section_list import note_of
from studio.features.evidence.survey.views import EvidenceSection
from studio.gui import figures
from studio.gui.widgets.basics import GRID, Card, Pill, Scroll, button, clear, label, row
from studio.gui.widgets.tables import Table

_TONES = {"present": "good", "asked": "accent", "missing": "bad"}
_MOST_ROWS = 14
_SELECTABLE = Qt.TextInteractionFlag.TextSelectableByMouse
_PLACES = {
    "quality": ("groups", "Go to Groups"),
    "data.evaluation": ("groups", "Go to Groups"),
    "explanations": ("explanations", "Go to Explanations"),
    "performance": ("profile", "Go to Profile"),
    "energy": ("profile", "Go to Profile"),
    "deployment": ("deploy", "Go to Deploy"),
    "changes": ("deploy", "Go to Deploy"),
    "logs": ("deploy", "Go to Deploy"),
    "security.signing": ("deploy", "Go to Deploy"),
    "monitoring.records": ("monitor", "Go to Monitor"),
    "monitoring.plan": ("monitor", "Go to Monitor"),
    "incidents": ("incidents", "Go to Incidents"),
    "licence": ("project", "Go to Project"),
    "data.calibration": ("quantize", "Go to Optimize"),
}
"""Where records of a section are made, by the beginning of its id."""


class SectionView(Scroll):
    """The content of the selected section.

    Signals:
        written: Id of the section that the user wants to write.
        went: Name of the view or stage where its records are made.
    """

    written = Signal(str)
    went = Signal(str)

    def __init__(self) -> None:
        super().__init__(margin=0)
        self.section: EvidenceSection | None = None
        self.card = Card()
        self.body.addWidget(self.card)
        self.body.addStretch(1)

    def show_section(self, section: EvidenceSection | None) -> None:
        """Show a section; a hint without one."""
        if section == self.section and section is not None:
            return
        self.section = section
        clear(self.card.body)
        body = self.card.body
        if section is None:
            body.addWidget(label("Select a section to read it.", "dim"))
            return
        self.card.setAccessibleName(section.title)
        pill = Pill(section.state, _TONES[section.state])
        body.addLayout(row(label(section.title, "heading"), pill, None, spacing=GRID + 4))
        body.addWidget(label(_note(section), "dim", wrap=True))
        if section.question:
            body.addWidget(label(section.question, "section", wrap=True))
        for text in section.paragraphs:
            paragraph = label(text, wrap=True)
            paragraph.setTextInteractionFlags(_SELECTABLE)
            body.addWidget(paragraph)
        self._add_tables(section)
        actions = [button(text, call) for text, call in self._actions(section)]
        if actions:
            body.addLayout(row(*actions, None))

    def _add_tables(self, section: EvidenceSection) -> None:
        for one in section.tables:
            if one.title:
                self.card.body.addWidget(label(one.title, "section"))
            numeric = [place for place, mark in enumerate(one.numbers) if mark == "n"]
            table = Table(one.head, numeric, 0, one.title or section.title)
            table.show_rows(one.rows)
            table.fit_height(_MOST_ROWS)
            self.card.body.addWidget(table)

    def _actions(self, section: EvidenceSection) -> Iterator[tuple[str, Callable[[], object]]]:
        """Yield texts and effects of buttons: writing, and going to where records are made."""
        if section.question:
            text = "Change the answer…" if section.answer else "Write this section…"
            yield text, lambda: self.written.emit(section.id)
        place = next((one for one in _PLACES if section.id.startswith(one)), "")
        if place and not (section.state == "present" and _PLACES[place][0] == "project"):
            name, text = _PLACES[place]
            yield text, lambda: self.went.emit(name)


def _note(section: EvidenceSection) -> str:
    text = note_of(section)
    return f"{text[:1].upper()}{text[1:]}." if text else figures.NOTHING
