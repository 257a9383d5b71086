"""The alert inbox: what holds, what was; acknowledge it, or let it be silent for a while."""

from __future__ import annotations

from datetime import UTC, datetime

from studio.gui import figures
from studio.gui.tables import Table
from studio.gui.widgets import Card, button, label, row, set_enabled
from studio.workspace.inbox import HOUR_S, Entry, Inbox

_SHOWN = 60
_COLUMNS = ("Alert", "Endpoint", "Since", "State")


class InboxCard(Card):
    """Of all endpoints."""

    def __init__(self, inbox: Inbox) -> None:
        super().__init__("Alert inbox")
        self._inbox = inbox
        self._entries: list[Entry] = []
        self.calm = label("No alert yet.", "dim")
        self.table = Table(_COLUMNS, name="Alerts, what holds first")
        self.table.setMinimumHeight(150)
        self.acknowledge = button("Acknowledge", self._acknowledge)
        self.silence = button("Silence for an hour", self._silence)
        self.body.addWidget(self.calm)
        self.body.addWidget(self.table, 1)
        self.body.addLayout(row(self.acknowledge, self.silence, None))
        self.table.currentCellChanged.connect(lambda *_: self._explain())
        self.show_entries()

    def show_entries(self) -> None:
        """Show what the inbox holds now; the selection stays on its alert."""
        chosen = self._chosen()
        key = (chosen.target, chosen.name) if chosen else None
        self._entries = self._inbox.entries()[:_SHOWN]
        self.calm.setVisible(not self._entries)
        self.table.setVisible(bool(self._entries))
        self.table.blockSignals(True)
        self.table.show_rows(self._cells(entry) for entry in self._entries)
        keys = [(entry.target, entry.name) for entry in self._entries]
        if keys:
            self.table.setCurrentCell(keys.index(key) if key in keys else 0, 0)
        self.table.blockSignals(False)
        self._explain()

    def _cells(self, entry: Entry) -> tuple[str, ...]:
        # Texts, no pills: a hundred widgets would cost more than a frame, each time.
        if not entry.active:
            state = "over"
        elif self._inbox.is_silent(entry):
            state = "silent"
        else:
            state = "seen" if entry.acknowledged else entry.level
        since = figures.moment(datetime.fromtimestamp(entry.since, UTC).isoformat())
        return f"{entry.name.capitalize()}: {entry.text}", entry.target, since, state

    def _chosen(self) -> Entry | None:
        place = self.table.currentRow()
        return self._entries[place] if 0 <= place < len(self._entries) else None

    def _explain(self) -> None:
        entry = self._chosen()
        reason = "Select an alert." if entry is None else ""
        if entry is not None and not entry.active:
            reason = "This alert is over."
        silent = entry is not None and self._inbox.is_silent(entry)
        self.silence.setText("End the silence" if silent else "Silence for an hour")
        set_enabled(self.silence, reason)
        seen = entry is not None and entry.acknowledged
        set_enabled(self.acknowledge, reason or ("It is acknowledged already." if seen else ""))

    def _acknowledge(self) -> None:
        if (entry := self._chosen()) is not None:
            self._inbox.acknowledge(entry)
            self.show_entries()

    def _silence(self) -> None:
        if (entry := self._chosen()) is not None:
            self._inbox.silence(entry, 0.0 if self._inbox.is_silent(entry) else HOUR_S)
            self.show_entries()
