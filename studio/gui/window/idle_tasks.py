"""Pages that are made before anyone asks for them, a piece in each pause of the event loop."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QWidget

from studio.gui.widgets.late_view import LateFrame
from studio.gui.window.stages import Stage

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


def pages(
    stages: Iterable[Stage], make: Callable[[str], QWidget | None], at_last: Callable[[], object]
) -> Iterator[None]:
    """Yield the work of making each stage's page, in pieces.

    Args:
        make: Makes one page, or gives None where that fails; then no more are made.
        at_last: Called after the pages, which it would hold up.
    """
    for stage in stages:
        for module in stage.parts:
            import_module(module)
            yield
        page = make(stage.id)
        if page is None:
            return
        for frame in page.findChildren(LateFrame):
            yield
            frame.complete()
        # Pages stay: Python's collector of cycles need not look at them again, for which it would
        # take 50 ms at once.
        gc.freeze()
        yield
    at_last()
