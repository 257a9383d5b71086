"""Pages that are made before anyone asks for them, one in each pause of the event loop."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import QObject, QTimer

PAUSE_MS = 150
"""Between two pages, so that what the user does comes in between."""


class Ahead(QTimer):
    """Makes the pages of some stages one after the other; start it when the window is painted.

    Args:
        names: The stages, in the order in which their pages are made.
        make: Makes one page, or gives None where that fails; then no more are made.
    """

    def __init__(
        self, parent: QObject, names: Iterable[str], make: Callable[[str], object | None]
    ) -> None:
        super().__init__(parent)
        self._names = iter(tuple(names))
        self._make = make
        self.setSingleShot(True)
        self.setInterval(PAUSE_MS)
        self.timeout.connect(self._one)

    def stop(self) -> None:
        """Make no more pages, even if it is started after this."""
        super().stop()
        self._names = iter(())

    def _one(self) -> None:
        name = next(self._names, None)
        if name is not None and self._make(name) is not None:
            self.start()
