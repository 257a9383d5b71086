"""The sheet that answers a question of the evidence, or records who is to answer it."""

from __future__ import annotations

import getpass
from typing import Any

from PySide6.QtCore import QDate, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDateEdit,
    QLineEdit,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from studio.features.evidence.survey.views import EvidenceSection
from studio.gui import figures
from studio.gui.theme import Theming
from studio.gui.widgets.basics import GRID, button, label, line, row, set_enabled
from studio.gui.widgets.sheet import Sheet

TEXT, CHOICE, DATE = range(3)
_KINDS = {"text": TEXT, "choice": CHOICE, "date": DATE}
_DAY = "yyyy-MM-dd"
_HEIGHT = 220
_LONGEST = 20_000
_BUSY = "The answer is being saved."


class AnswerSheet(Sheet):
    """Question, answer and author; below, the person who is to answer instead.

    Signals:
        saved: Id of the section, the answer, and its author.
        requested: Id of the section, and the person who is to answer.
    """

    saved = Signal(str, str, str)
    requested = Signal(str, str)

    def __init__(self, page: QWidget, theming: Theming) -> None:
        super().__init__(page, theming, ("Answer",))
        self.section: EvidenceSection | None = None
        self._busy, self._kind = False, TEXT
        self.steps.hide()
        self.back.setText("Cancel")
        self.back.setAccessibleName("Cancel")
        self.question = label("", "section", wrap=True)
        self.who = label("", "dim", wrap=True)
        self.text = QPlainTextEdit()
        self.text.setTabChangesFocus(True)
        self.text.setMinimumHeight(_HEIGHT)
        self.choice = QComboBox()
        self.day = QDateEdit()
        self.day.setDisplayFormat(_DAY)
        self.day.setCalendarPopup(True)
        self._fields = (self.text, self.choice, self.day)
        for widget in self._fields:
            widget.setAccessibleName("Answer")
        self.author = QLineEdit(_user())
        self.author.setAccessibleName("Answered by")
        self.person = QLineEdit()
        self.person.setAccessibleName("Person who is to answer")
        self.person.setPlaceholderText("name")
        self.request = button("Record the request", self._request)
        self.problem = label("", tone="bad", wrap=True)
        self.add_step(self._content())
        self.back.clicked.connect(lambda: self.close_sheet())
        self.primary.clicked.connect(lambda: self._save())
        self.text.textChanged.connect(self._explain)
        for one in (self.author, self.person):
            one.textChanged.connect(lambda _: self._explain())

    def _content(self) -> QWidget:
        holder = QWidget()
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        author = label("Answered by", "dim")
        author.setBuddy(self.author)
        kept = label("Earlier answers stay in the record with their authors.", "small", wrap=True)
        for widget in (self.question, self.who, *self._fields, author, self.author, kept):
            column.addWidget(widget)
        column.addWidget(self.problem)
        column.addSpacing(GRID)
        column.addWidget(line())
        column.addWidget(label("Or request the answer from a person", "section"))
        asking = row(self.person, self.request)
        asking.setStretch(0, 1)
        column.addLayout(asking)
        return holder

    def open_for(self, section: EvidenceSection) -> None:
        """Open the sheet for a section that a person answers."""
        self.section, self._busy = section, False
        self.title.setText(section.title)
        self.question.setText(section.question)
        name, at = section.requested
        text = f"For the {section.who}."
        if name:
            text += f" Requested from {name}, {figures.moment(at)}."
        self.who.setText(text)
        self._kind = _KINDS.get(section.kind, TEXT)
        for place, widget in enumerate(self._fields):
            widget.setVisible(place == self._kind)
        self.text.setPlainText(section.answer if section.kind == "text" else "")
        self.choice.clear()
        self.choice.addItems(section.choices)
        self.choice.setCurrentText(section.answer)
        day = QDate.fromString(section.answer, _DAY)
        self.day.setDate(day if day.isValid() else QDate.currentDate())
        self.person.clear()
        self.show_problem("")
        self.show_step(0)
        self.open_sheet()
        self._fields[self._kind].setFocus(Qt.FocusReason.OtherFocusReason)

    def answer(self) -> str:
        """Return the answer as text."""
        kind = self._kind
        if kind == CHOICE:
            return self.choice.currentText()
        if kind == DATE:
            return self.day.date().toString(_DAY)
        return self.text.toPlainText().strip()

    def show_problem(self, text: str) -> None:
        """Show why an answer was not saved; the sheet stays as it is."""
        self._busy = False
        self.problem.setText(text)
        self.problem.setVisible(bool(text))
        self._explain()

    def set_busy(self) -> None:
        """Wait for the answer to be saved."""
        self._busy = True
        self._explain()

    def values(self) -> dict[str, Any]:
        """Return the options of the step, without the model."""
        subject = self.section.id if self.section is not None else ""
        return {"subject": subject, "text": self.answer(), "by": self.author.text().strip()}

    def _save(self) -> None:
        if self.section is not None and self.primary.isEnabled():
            self.saved.emit(self.section.id, self.answer(), self.author.text().strip())

    def _request(self) -> None:
        if self.section is not None:
            self.requested.emit(self.section.id, self.person.text().strip())

    def _explain(self) -> None:
        reason = _BUSY if self._busy else ""
        if not reason and not self.answer():
            reason = "Write an answer."
        if not reason and len(self.answer()) > _LONGEST:
            reason = f"Shorten the answer to {_LONGEST:,} characters."
        if not reason and not self.author.text().strip():
            reason = "Enter who answers."
        self.explain_primary("Save the answer", reason)
        missing = "" if self.person.text().strip() else "Enter the name of a person."
        set_enabled(self.request, _BUSY if self._busy else missing)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
