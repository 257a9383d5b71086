"""Files that are dropped on a window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QWidget


class FileDrops(QObject):
    """A filter that makes a widget and its children accept dropped local files.

    Signals:
        dragged: The files that are dragged over the widget; none when the drag has ended.
    """

    dragged = Signal(list)

    def __init__(self, widget: QWidget, dropped: Callable[[Path], object]) -> None:
        super().__init__(widget)
        self._dropped = dropped
        widget.setAcceptDrops(True)
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QDragEnterEvent) and _files(event):
            event.acceptProposedAction()
            self.dragged.emit(_files(event))
            return True
        if event.type() == QEvent.Type.DragLeave:
            self.dragged.emit([])
        elif event.type() == QEvent.Type.Drop and isinstance(event, QDropEvent):
            self.dragged.emit([])
            event.acceptProposedAction()
            for path in _files(event):
                self._dropped(path)
            return True
        return super().eventFilter(watched, event)


def _files(event: QDropEvent) -> list[Path]:
    urls = event.mimeData().urls()
    return [Path(url.toLocalFile()) for url in urls if url.isLocalFile()]
