"""The list of events: newest first, bounded, and copied as text."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QHeaderView, QTableView

from studio.api.qt import plain_tip
from studio.documents.dataclass_json import InvalidDocument, JsonValue, from_json
from studio.gui import figures
from studio.gui.widgets.basics import GRID
from studio.lazy_dataclass import dataclass

Event = Mapping[str, JsonValue]
_AnyIndex = QModelIndex | QPersistentModelIndex

MOST = 5000
COLUMNS = ("Time", "Source", "Event", "Details")
_ROW = 28
_WIDTHS = (13 * GRID, 11 * GRID, 17 * GRID)
_LONGEST = 300
_NARROW = 56 * GRID


class EventModel(QAbstractTableModel):
    """The newest events of a run."""

    def __init__(self) -> None:
        super().__init__()
        self._events: list[Event] = []

    @property
    def events(self) -> Sequence[Event]:
        """The events, the oldest first."""
        return self._events

    def show_events(self, events: Iterable[Event]) -> None:
        """Replace all events; only the newest are kept."""
        self.beginResetModel()
        self._events = list(events)[-MOST:]
        self.endResetModel()

    def add(self, events: Sequence[Event]) -> None:
        """Add newer events, and forget the oldest beyond the limit."""
        events = events[-MOST:]
        if not events:
            return
        self.beginInsertRows(QModelIndex(), 0, len(events) - 1)
        self._events.extend(events)
        self.endInsertRows()
        excess = len(self._events) - MOST
        if excess > 0:
            self.beginRemoveRows(QModelIndex(), MOST, MOST + excess - 1)
            del self._events[:excess]
            self.endRemoveRows()

    def event_at(self, row: int) -> Event:
        """Return the event of a row; the newest is in row 0."""
        return self._events[-1 - row]

    def rowCount(self, parent: _AnyIndex = QModelIndex()) -> int:  # noqa: B008
        """Return the number of events."""
        return 0 if parent.isValid() else len(self._events)

    def columnCount(self, parent: _AnyIndex = QModelIndex()) -> int:  # noqa: B008
        """Return the number of columns."""
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> object:
        """Return the title of a column."""
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section]
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        return left if role == Qt.ItemDataRole.TextAlignmentRole else None

    def data(self, index: _AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return a cell, or all of the event as its tooltip."""
        event = self.event_at(index.row())
        if role == Qt.ItemDataRole.DisplayRole:
            return cells(event)[index.column()]
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(_whole(event))
        return None


class EventTable(QTableView):
    """The table of a model of events; Ctrl+C copies the selected rows."""

    def __init__(self, name: str = "Events, newest first") -> None:
        super().__init__()
        self.rows = EventModel()
        self.setModel(self.rows)
        self.setAccessibleName(name)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        self.setHorizontalScrollMode(QTableView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(_ROW)
        self.verticalHeader().setMinimumSectionSize(_ROW)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionsClickable(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.setStretchLastSection(True)
        for column, width in enumerate(_WIDTHS):
            self.setColumnWidth(column, width)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Hide the least important column where details would have too little room."""
        super().resizeEvent(event)
        self.setColumnHidden(1, event.size().width() < _NARROW)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Copy the selected rows, or move as any table does."""
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy_rows()
        else:
            super().keyPressEvent(event)

    def copy_rows(self) -> int:
        """Copy the selected events, or all without a selection; return their number."""
        chosen = sorted({index.row() for index in self.selectionModel().selectedRows()})
        numbers = chosen or list(range(self.rows.rowCount()))
        lines = ["\t".join(cells(self.rows.event_at(row))) for row in numbers]
        QGuiApplication.clipboard().setText("\n".join(["\t".join(COLUMNS), *lines]))
        return len(lines)


@dataclass(frozen=True, slots=True)
class EventFacts:
    """Facts of any event; further details are its own.

    Attributes:
        time: Seconds since 1970.
        at_s: Seconds on the clock of the source.
    """

    kind: str = ""
    source: str = ""
    step: str = ""
    time: float | None = None
    at_s: float | None = None
    frame: int | None = None


_KNOWN = frozenset({"id", *(one.name for one in fields(EventFacts))})


def facts_of(event: Event) -> EventFacts:
    """Return the facts of an event; without those that are of another type."""
    try:
        return from_json(EventFacts, event)
    except InvalidDocument:
        return EventFacts(str(next((event[name] for name in event if name == "kind"), "")))


def cells(event: Event) -> tuple[str, str, str, str]:
    """Return time of day, source, kind with its step, and details of an event."""
    facts = facts_of(event)
    own_step = facts.step if facts.step != facts.source else ""
    name = f"{facts.kind} {own_step}".rstrip()
    return clock(facts.time), facts.source, name, details(event)


def clock(seconds: float | None) -> str:
    """Return a time since 1970 as local time of day with tenths: ``14:02:33.1``."""
    if seconds is None:
        return figures.NOTHING
    tenths = round(seconds * 10)
    return time.strftime("%H:%M:%S", time.localtime(tenths // 10)) + f".{tenths % 10}"


def details(event: Event) -> str:
    """Return what an event has besides its kind, place and time, in words."""
    rest = (f"{name} {_word(value)}" for name, value in event.items() if name not in _KNOWN)
    text = ", ".join(rest)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _word(value: JsonValue) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, dict):
        inner = ", ".join(f"{name} {_word(one)}" for name, one in value.items())
        return f"({inner})" if inner else "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _whole(event: Event) -> str:
    facts = facts_of(event)
    at = f"{figures.seconds(facts.at_s)} on its clock, frame {figures.whole(facts.frame)}"
    return "\n".join(filter(None, (f"source {facts.source}", at, details(event))))
