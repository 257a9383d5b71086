"""The view of a model's incidents: a line for each with its clock, and the entries of one."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from studio.features.evidence.incidents.results import CLOSE, NOTE, OPEN, REPORT, IncidentState
from studio.gui.widgets.basics import (
    GRID,
    Card,
    FieldList,
    Hint,
    Pill,
    Scroll,
    button,
    label,
    row,
    set_enabled,
)
from studio.gui.widgets.tables import Table, framed

_MOST_ROWS = 8
_SOON = 2
"""Days to a deadline below which it is marked."""
_SERVED = ("Target", "Version", "Digest", "Since (UTC)", "Until (UTC)")
_ENTRIES = ("At (UTC)", "Entry", "By", "Text")
_NO_RELEASE = "The registry has no release of this model on a target at that time."
_CLOSED = "The incident is closed already."


class IncidentsView(Scroll):
    """All incidents of a model, and the selected one.

    Signals:
        wanted: Entry that the user wants to write, such as ``open``.
        exported: The user wants a folder for an authority.
    """

    wanted = Signal(str)
    exported = Signal()

    def __init__(self) -> None:
        super().__init__(spacing=GRID + 4)
        self.incidents: Sequence[IncidentState] = ()
        self._number = self._wanted = 0
        self.open_button = button("Open an incident…", lambda: self.wanted.emit(OPEN))
        self.count = label("", "dim")
        self.table = Table(
            ("No", "Title", "Kind", "State", "Happened", "Report"), (0,), (1, 2), "Incidents"
        )
        self.detail = Card("Incident")
        self.pill = Pill("")
        self.fields = FieldList()
        self.served = Table(_SERVED, (), 0, "Served when it happened")
        self.no_release = label(_NO_RELEASE, "dim", wrap=True)
        self.entries = Table(_ENTRIES, (), 3, "Entries of the incident")
        self.hint = Hint(
            "No incidents",
            "An incident keeps who knew what when, what served then, and the days for a report.",
            "Open an incident…",
            lambda: self.wanted.emit(OPEN),
        )
        self._make_detail()
        self._listed = framed(self.table)
        for widget in (self.hint, self._listed, self.detail):
            self.body.addWidget(widget)
        self.body.insertLayout(0, row(self.count, None, self.open_button))
        self.body.addStretch(1)
        self.table.itemSelectionChanged.connect(self._chosen)

    def _make_detail(self) -> None:
        body = self.detail.body
        self.note = button("Add a note…", lambda: self.wanted.emit(NOTE))
        self.report = button("Record a report…", lambda: self.wanted.emit(REPORT))
        self.close_button = button("Close…", lambda: self.wanted.emit(CLOSE))
        self.export = button("Export…", self.exported.emit)
        body.addLayout(row(self.pill, None, self.note, self.report, self.close_button, self.export))
        body.addWidget(self.fields)
        body.addSpacing(GRID)
        for widget in (
            label("Served when it happened", "section"),
            self.served,
            self.no_release,
            label("Entries", "section"),
            self.entries,
        ):
            body.addWidget(widget)

    @property
    def current(self) -> IncidentState | None:
        """The selected incident."""
        return next((one for one in self.incidents if one.number == self._number), None)

    def show_incidents(self, incidents: Sequence[IncidentState]) -> None:
        """Show the incidents of a model, the newest first; the selected one stays selected."""
        self.incidents = tuple(sorted(incidents, key=lambda one: -one.number))
        running = sum(one.state == "open" for one in incidents)
        self.count.setText(f"{running} open of {len(incidents)}" if incidents else "")
        has = bool(incidents)
        self.hint.setVisible(not has)
        for widget in (self.open_button, self._listed, self.detail):
            widget.setVisible(has)
        self.table.show_rows(_line(one) for one in self.incidents)
        self.table.fit_height(_MOST_ROWS)
        places = [one.number for one in self.incidents]
        number = self._wanted if self._wanted in places else self._number
        if has:
            self._wanted = 0 if number == self._wanted else self._wanted
            self.table.selectRow(places.index(number) if number in places else 0)
            self._chosen()

    def select(self, number: int) -> None:
        """Select an incident, also one that is read later."""
        self._wanted = number
        self.show_incidents(self.incidents)

    def _chosen(self) -> None:
        place = self.table.currentRow()
        if not 0 <= place < len(self.incidents):
            return
        one = self.incidents[place]
        self._number = one.number
        self.detail.heading.setText(f"{one.number}  {one.title}")
        self.pill.show_state(*_pill(one))
        set_enabled(self.close_button, "" if one.state == "open" else _CLOSED)
        self.fields.show_fields(
            [
                ("Kind", one.kind_title),
                ("Happened", _moment(one.happened)),
                ("Aware since", _moment(one.aware)),
                ("Clock", one.clock.text),
                ("Last hash", one.head),
            ]
        )
        self._show_tables(one)

    def _show_tables(self, one: IncidentState) -> None:
        self.served.setVisible(bool(one.served))
        self.no_release.setVisible(not one.served)
        self.served.show_rows(
            (
                *(each.target, each.version, each.digest[:12], _moment(each.since)),
                _moment(each.until) if each.until else "still",
            )
            for each in one.served
        )
        self.entries.show_rows(
            (_moment(each.at), each.what, each.by, " ".join(each.text.split()))
            for each in one.entries
        )
        for table in (self.served, self.entries):
            table.fit_height(_MOST_ROWS)


def _line(one: IncidentState) -> tuple[str | QWidget, ...]:
    return (
        *(str(one.number), one.title, one.kind_title, one.state, _moment(one.happened)),
        _pill(one)[0],
    )


def _pill(one: IncidentState) -> tuple[str, str]:
    """Return the clock in few words with its tone."""
    days = one.clock.days
    if days is None:
        if not one.clock.deadline:
            return "not serious", ""
        return (f"reported {one.reported}" if one.reported else "closed, not reported"), ""
    if days < 0:
        return f"{-days} d overdue", "bad"
    return ("due today" if not days else f"{days} d left"), "bad" if days < _SOON else "warning"


def _moment(text: str) -> str:
    return text[:16].replace("T", " ")
