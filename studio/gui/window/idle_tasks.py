"""Work that is done before it is needed, a piece in each pause of the event loop."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QObject, QTimer

PAUSE_MS = 15
"""Between two pieces, so that what the user does comes in between."""


class IdleTasks(QTimer):
    """A queue of work in small pieces; start it when the window is painted.

    Args:
        pieces: Runs the next piece at each call; none of them should take
            longer than a key may have to wait.
    """

    def __init__(self, parent: QObject, pieces: Iterable[object]) -> None:
        super().__init__(parent)
        self._pieces = iter(pieces)
        self.setSingleShot(True)
        self.setInterval(PAUSE_MS)
        self.timeout.connect(self._one)

    def stop(self) -> None:
        """Do nothing more, even if it is started after this."""
        super().stop()
        self._pieces = iter(())

    def _one(self) -> None:
        try:
            next(self._pieces)
        except StopIteration:
            return
        self.start()
