"""Pages that are made before anyone asks for them, a piece in each pause of the event loop."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QObject, QTimer

PAUSE_MS = 15
"""Between two pieces, so that what the user does comes in between."""


class Ahead(QTimer):
    """Does work in pieces, one after the other; start it when the window is painted.

    Args:
        pieces: Does the next piece each time that it is asked for one; none of them should take
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
