"""State of all boards: messages merged into records, the table for questions, the file."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path

from studio.api import StateMessage
from studio.monitoring.boards.message import BadMessage, read_heartbeat
from studio.monitoring.boards.record import BoardRecord
from studio.monitoring.boards.store import BoardStore
from studio.monitoring.boards.table import BoardTable

MOST_BOARDS = 50_000
CROWDED = "too many boards"


class FleetState:
    """State of the boards at a broker, bounded in memory whatever comes.

    Attributes:
        table: For filters, groups and percentiles.
        messages: Number of messages in all.
        refused: Number of refused messages by their reason, with those of earlier times.
    """

    def __init__(
        self,
        path: Path | None = None,
        *,
        most: int = MOST_BOARDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Read the file.

        Args:
            path: None to keep the state in memory alone.
            most: Number of boards; messages of others are refused.
            clock: Seconds since the epoch, of this computer.

        Raises:
            TargetError: when the file cannot be used.
        """
        self.table = BoardTable()
        self.messages = 0
        self.refused: dict[str, int] = {}
        self._clock = clock
        self._most = most
        self._records: dict[str, BoardRecord] = {}
        self._unsaved: dict[str, BoardRecord] = {}
        self._unsaved_refused: dict[str, int] = {}
        self._store = None if path is None else BoardStore(path)
        if self._store is not None:
            self.refused = self._store.refused()
            for record in self._store.records():
                self._records[record.name] = record
                self.table.update(record)
        self.table.take_changes()

    def record(self, board: str) -> BoardRecord:
        """Return the record of a board.

        Raises:
            KeyError: when nothing was heard of it.
        """
        return self._records[board]

    def take(self, messages: Iterable[StateMessage]) -> int:
        """Merge messages; return how many changed something."""
        taken = 0
        for one in messages:
            self.messages += 1
            try:
                taken += self._take(one)
            except BadMessage as error:
                for counts in (self.refused, self._unsaved_refused):
                    counts[error.reason] = counts.get(error.reason, 0) + 1
        return taken

    def _take(self, message: StateMessage) -> bool:
        heartbeat = read_heartbeat(message.board, message.content)
        record = self._records.get(message.board)
        if record is None:
            if len(self._records) >= self._most:
                raise BadMessage(CROWDED)
            record = BoardRecord(message.board)
        changed = record.merge(heartbeat, self._clock() - max(message.age_s, 0.0))
        if changed:
            self._records[message.board] = self._unsaved[message.board] = record
            self.table.update(record)
        return changed

    def save(self) -> None:
        """Write what has changed to the file.

        Raises:
            TargetError: when the disk does not take it; the next call tries all of it again.
        """
        if self._store is not None and (self._unsaved or self._unsaved_refused):
            self._store.save(self._unsaved.values(), self._unsaved_refused)
        self._unsaved.clear()
        self._unsaved_refused.clear()

    def close(self) -> None:
        """Save, and close the file."""
        self.save()
        if self._store is not None:
            self._store.close()
