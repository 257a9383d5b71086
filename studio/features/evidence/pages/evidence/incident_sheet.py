"""The sheet that adds an entry about an incident: opens it, notes, reports or closes it."""

from __future__ import annotations

import getpass

from PySide6.QtCore import QDate, QDateTime, QTime, QTimeZone, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDateEdit,
    QDateTimeEdit,
    QLineEdit,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from studio.features.evidence.incidents.results import CLOSE, NOTE, OPEN, REPORT, IncidentState
from studio.gui.theme import Theming
from studio.gui.widgets.basics import GRID, label
from studio.gui.widgets.sheet import Sheet

_TITLES = {
    OPEN: ("Open an incident", "Open the incident", "What happened, and whom it affects"),
    NOTE: ("Add a note", "Add the note", "Note"),
    REPORT: ("Record a report", "Record the report", "What was reported"),
    CLOSE: ("Close the incident", "Close the incident", "Cause, and what was changed"),
}
_HINTS = {
    OPEN: "The releases that served then are read from the registry. Whether it is serious, and "
    "of which kind, is your decision: ask counsel where you are not sure.",
    NOTE: "Earlier entries stay. Another kind sets another deadline.",
    REPORT: "Nothing is sent: this records a report that you made.",
    CLOSE: "The entries stay. A closed incident can still get notes and reports.",
}
_SAME = "as it is"
_DAY, _MOMENT = "yyyy-MM-dd", "yyyy-MM-dd HH:mm"
_ISO = "yyyy-MM-ddTHH:mm"
_HEIGHT = 130
_LONGEST = 20_000
_BUSY = "The entry is being saved."


class IncidentSheet(Sheet):
    """Fields of an entry about an incident.

    Signals:
        saved: What the entry does, such as ``open``.
    """

    saved = Signal(str)

    def __init__(self, page: QWidget, theming: Theming) -> None:
        super().__init__(page, theming, ("Incident",))
        self._step, self._number, self._busy = OPEN, 0, False
        self.steps.hide()
        self.back.setText("Cancel")
        self.back.setAccessibleName("Cancel")
        self.hint = label("", "dim", wrap=True)
        self.heading, self.authority, self.reference = QLineEdit(), QLineEdit(), QLineEdit()
        self.reference.setPlaceholderText("number that the authority gave it")
        self.happened = QDateTimeEdit()
        self.happened.setDisplayFormat(_MOMENT)
        self.aware, self.day = QDateEdit(), QDateEdit()
        for day in (self.aware, self.day):
            day.setDisplayFormat(_DAY)
        self.kinds = QComboBox()
        self.text = QPlainTextEdit()
        self.text.setTabChangesFocus(True)
        self.author = QLineEdit(_user())
        self.problem = label("", tone="bad", wrap=True)
        self._kinds: tuple[tuple[str, str], ...] = ()
        self._rows: list[tuple[frozenset[str], QWidget, QWidget]] = []
        self.add_step(self._content())
        self.back.clicked.connect(lambda: self.close_sheet())
        self.primary.clicked.connect(lambda: self._save())
        self.text.textChanged.connect(self._explain)
        for one in (self.heading, self.authority, self.author):
            one.textChanged.connect(lambda _: self._explain())

    def _content(self) -> QWidget:
        holder = QWidget()
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(self.hint)
        every = frozenset(_TITLES)
        for steps, name, field in (
            (frozenset({OPEN}), "Title", self.heading),
            (frozenset({OPEN}), "Happened (UTC)", self.happened),
            (frozenset({OPEN}), "Aware since", self.aware),
            (frozenset({OPEN, NOTE}), "Kind", self.kinds),
            (frozenset({REPORT}), "Authority", self.authority),
            (frozenset({REPORT}), "Day of the report", self.day),
            (frozenset({REPORT}), "Reference", self.reference),
            (every, "Text", self.text),
            (every, "By", self.author),
        ):
            title = label(name, "dim")
            title.setBuddy(field)
            field.setAccessibleName(name)
            self._rows.append((steps, title, field))
            column.addWidget(title)
            column.addWidget(_tall(field) if field is self.text else field)
        for one in (self.happened, self.aware, self.day):
            one.setCalendarPopup(True)
        column.addWidget(self.problem)
        return holder

    def offer(self, kinds: tuple[tuple[str, str], ...]) -> None:
        """Set the ids and titles of the kinds."""
        self._kinds = kinds

    def open_for(self, step: str, incident: IncidentState | None = None) -> None:
        """Open the sheet for an entry; all but the first one of an incident are about it."""
        self._step, self._busy = step, False
        self._number = incident.number if incident is not None else 0
        title = _TITLES[step][0]
        self.title.setText(title if incident is None else f"{title}: {incident.title}")
        self.hint.setText(_HINTS[step])
        for steps, name, field in self._rows:
            name.setVisible(step in steps)
            field.setVisible(step in steps)
        self._fill(incident)
        self.show_problem("")
        self.show_step(0)
        self.open_sheet()
        (self.heading if step == OPEN else self.text).setFocus()

    def _fill(self, incident: IncidentState | None) -> None:
        for one in (self.heading, self.authority, self.reference):
            one.clear()
        self.text.clear()
        self.text.setPlaceholderText(_TITLES[self._step][2])
        now = QDateTime.currentDateTimeUtc()
        self.happened.setTimeZone(QTimeZone.utc())
        for field in (self.happened, self.aware, self.day):
            field.setMaximumDateTime(QDateTime(now.date(), QTime(23, 59, 59), QTimeZone.utc()))
        self.happened.setDateTime(now)
        for day in (self.aware, self.day):
            day.setDate(now.date())
        if incident is not None:
            self.day.setMinimumDate(QDate.fromString(incident.aware[:10], _DAY))
        self.kinds.clear()
        if self._step == NOTE:
            self.kinds.addItem(_SAME, "")
        for name, title in self._kinds:
            self.kinds.addItem(title, name)

    def values(self) -> dict[str, object]:
        """Return the options of the step, without the model."""
        found: dict[str, object] = {
            "text": self.text.toPlainText().strip(),
            "by": self.author.text().strip(),
        }
        kind = str(self.kinds.currentData() or "")
        if self._step == OPEN:
            happened = self.happened.dateTime().toString(_ISO)
            aware = self.aware.date().toString(_DAY)
            found |= {"title": self.heading.text().strip(), "happened": happened, "aware": aware}
            return found | {"kind": kind}
        found["number"] = self._number
        if self._step == NOTE and kind:
            found["kind"] = kind
        if self._step == REPORT:
            found |= {"to": self.authority.text().strip(), "on": self.day.date().toString(_DAY)}
            reference = self.reference.text().strip()
            found |= {"reference": reference} if reference else {}
        return found

    def show_problem(self, text: str) -> None:
        """Show why the entry was not saved; the sheet stays as it is."""
        self._busy = False
        self.problem.setText(text)
        self.problem.setVisible(bool(text))
        self._explain()

    def set_busy(self) -> None:
        """Wait for the entry to be saved."""
        self._busy = True
        self._explain()

    def _save(self) -> None:
        if self.primary.isEnabled():
            self.saved.emit(self._step)

    def _explain(self) -> None:
        text = self.text.toPlainText().strip()
        wanted = (
            (self._step == OPEN and not self.heading.text().strip(), "Enter a title."),
            (self._step == REPORT and not self.authority.text().strip(), "Enter the authority."),
            (not text, "Write the text."),
            (len(text) > _LONGEST, f"Shorten the text to {_LONGEST:,} characters."),
            (not self.author.text().strip(), "Enter who writes it."),
        )
        reason = next((one for holds, one in wanted if holds), "")
        self.explain_primary(_TITLES[self._step][1], _BUSY if self._busy else reason)


def _tall(field: QWidget) -> QWidget:
    """Return a field in a holder of some height, as the style sheet sets that of the field."""
    holder = QWidget()
    holder.setMinimumHeight(_HEIGHT)
    column = QVBoxLayout(holder)
    column.setContentsMargins(0, 0, 0, 0)
    column.addWidget(field)
    return holder


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
