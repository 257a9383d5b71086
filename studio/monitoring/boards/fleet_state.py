"""State of all boards: messages merged into records, the table for questions, the file."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path

from studio.api import StateMessage
from studio.monitoring.boards.message import BOARD_NAME, BadMessage, read_heartbeat
from studio.monitoring.boards.record import BoardRecord
from studio.monitoring.boards.store import BoardStore
from studio.monitoring.boards.table import BoardTable

MOST_BOARDS = 50_000
CROWDED = "too many boards"
_MOST_NAMED = 20


class FleetState:
    """State of the boards at a broker, bounded in memory whatever comes.

    Attributes:
        table: For filters, groups and percentiles.
        messages: Number of messages in all.
        refused: Number of refused messages by their reason.
        refused_boards: Some boards whose messages were refused, each with its last reason.
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
        self.refused_boards: dict[str, str] = {}
        self._clock = clock
        self._most = most
        self._records: dict[str, BoardRecord] = {}
        self._unsaved: dict[str, BoardRecord] = {}
        self._store = None if path is None else BoardStore(path)
        if self._store is not None:
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

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the boards."""
        return tuple(self._records)

    def take(self, messages: Iterable[StateMessage]) -> int:
        """Merge messages; return how many changed something."""
        taken = 0
        for one in messages:
            self.messages += 1
            try:
                taken += self._take(one)
            except BadMessage as error:
                self._refuse(one.board, error.reason)
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

    def _refuse(self, board: str, reason: str) -> None:
        self.refused[reason] = self.refused.get(reason, 0) + 1
        if not BOARD_NAME.fullmatch(board):
            return
        if board in self.refused_boards or len(self.refused_boards) < _MOST_NAMED:
            self.refused_boards[board] = reason

    def forget(self, board: str) -> None:
        """Remove a board with its counts; a new message of it makes a new one.

        Raises:
            KeyError: when nothing was heard of it.
            TargetError: when the disk does not take it.
        """
        self.record(board)
        if self._store is not None:
            self._store.remove(board)
        self._unsaved.pop(board, None)
        del self._records[board]

    def save(self) -> None:
        """Write what has changed to the file.

        Raises:
            TargetError: when the disk does not take it; the next call tries all of it again.
        """
        if self._store is not None and self._unsaved:
            self._store.save(self._unsaved.values())
        self._unsaved.clear()

    def close(self) -> None:
        """Save, and close the file."""
        self.save()
        if self._store is not None:
            self._store.close()
