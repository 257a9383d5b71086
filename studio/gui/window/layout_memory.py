"""The window's size, docks and inspector from one session to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray

from studio.gui import session_state as memory

if TYPE_CHECKING:
    from PySide6.QtWidgets import QMainWindow

    from studio.gui.window.docks import InspectorDock
    from studio.settings import Settings


def restore_layout(window: QMainWindow, inspector: InspectorDock, settings: Settings) -> None:
    """Restore the window layout of the last session."""
    kept = memory.recall(settings)
    for name, take in (("geometry", window.restoreGeometry), ("state", window.restoreState)):
        if isinstance(kept.get(name), str):
            take(QByteArray.fromBase64(str(kept[name]).encode("ascii")))
    inspector.wanted = bool(kept.get("inspector", True))


def store_layout(window: QMainWindow, inspector: InspectorDock, settings: Settings) -> None:
    """Store the window layout for the next session."""
    memory.store(
        settings,
        geometry=bytes(window.saveGeometry().toBase64().data()).decode("ascii"),
        state=bytes(window.saveState().toBase64().data()).decode("ascii"),
        inspector=inspector.wanted,
    )
