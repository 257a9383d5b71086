"""The thread that merges changed boards and makes snapshots, once a second at most."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from studio.monitoring.boards.changes import MESSAGE as MESSAGE
from studio.workspace.boards.filter_line import BoardFilter
from studio.workspace.boards.view import BoardsSnapshot, SnapshotBuilder

log = logging.getLogger(__name__)

EVERY_S = 1.0
_SLICE, _REST_S = 40, 0.002
"""Boards that are taken in one piece, so that the window gets its turn in between."""


class BoardsFeed:
    """A thread with all boards of one broker.

    Args:
        deliver: Called in this thread with each snapshot.
        clock: Seconds since 1970.
    """

    def __init__(
        self,
        deliver: Callable[[BoardsSnapshot], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._deliver, self._clock = deliver, clock
        self._view = SnapshotBuilder()
        self._queue: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._wanted: tuple[BoardFilter, str] = (BoardFilter(), "release")
        self._wants_now = threading.Event()
        self._ends = False
        self._thread = threading.Thread(target=self._work, name="boards", daemon=True)
        self._thread.start()

    def take(self, values: Mapping[str, Any]) -> None:
        """Take a message of changed boards, from any thread; it is merged later."""
        self._queue.put(str(values.get("rows", "")))

    def ask(self, wanted: BoardFilter, group: str) -> None:
        """Show another filter or other groups; the snapshot comes at once."""
        self._wanted = (wanted, group)
        self._wants_now.set()
        self._queue.put("")

    def close(self) -> None:
        """End the thread."""
        self._ends = True
        self._queue.put(None)
        self._thread.join(5.0)

    def _work(self) -> None:
        shown = -EVERY_S
        is_new = False
        while not self._ends:
            wait = max(shown + EVERY_S - time.monotonic(), 0.0) if is_new else EVERY_S
            try:
                text = self._queue.get(timeout=wait)
                is_new |= bool(text) and self._take(text or "")
            except queue.Empty:
                is_new = True  # a board becomes silent without a message
            is_due = is_new and time.monotonic() - shown >= EVERY_S
            if (self._wants_now.is_set() or is_due) and not self._ends:
                self._wants_now.clear()
                self._show()
                shown, is_new = time.monotonic(), False

    def _take(self, text: str) -> bool:
        try:
            records = self._view.take(text)
        except ValueError:
            log.warning("a message of changed boards cannot be read", exc_info=True)
            return False
        for first in range(0, len(records), _SLICE):
            self._view.put(records[first : first + _SLICE])
            time.sleep(_REST_S)
        return True

    def _show(self) -> None:
        wanted, group = self._wanted
        try:
            self._deliver(self._view.snapshot(wanted, group, self._clock()))
        except RuntimeError:  # the window that showed it was closed
            log.debug("a snapshot of boards has no receiver", exc_info=True)
            self._ends = True
