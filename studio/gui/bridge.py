"""The bridge from the threads of the workspace to the window's own."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, Signal, Slot


class Bridge(QObject):
    """Runs calls on the thread that it lives on, in the order of the requests.

    One queued signal carries all of them, so that no other object of the window needs to know of
    threads.
    """

    _asked = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._is_open = True
        self._asked.connect(self._run, Qt.ConnectionType.QueuedConnection)

    def deliver(self, call: Callable[[], None]) -> None:
        """Queue a call from any thread; a closed bridge drops it."""
        if self._is_open:
            self._asked.emit(call)

    def close(self) -> None:
        """Drop the calls that have not run yet."""
        self._is_open = False

    @Slot(object)
    def _run(self, call: Callable[[], None]) -> None:
        if self._is_open:
            call()
