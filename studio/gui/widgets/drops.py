"""Files that are dropped on a window."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Qt, QUrl, Signal
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QWidget


class FileDrops(QObject):
    """A filter that makes a widget and its children accept dropped local files.

    Args:
        dropped: Called with the files and folders of one drop.

    Signals:
        dragged: The files that are dragged over the widget; none when the drag has ended.
    """

    dragged = Signal(list)

    def __init__(self, widget: QWidget, dropped: Callable[[Sequence[Path]], object]) -> None:
        super().__init__(widget)
        self._dropped = dropped
        widget.setAcceptDrops(True)
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QDragEnterEvent) and (files := _files(event)):
            _accept_copy(event)
            self.dragged.emit(files)
            return True
        if event.type() == QEvent.Type.DragMove and isinstance(event, QDragMoveEvent):
            _accept_copy(event)
            return True
        if event.type() == QEvent.Type.DragLeave:
            self.dragged.emit([])
        elif event.type() == QEvent.Type.Drop and isinstance(event, QDropEvent):
            self.dragged.emit([])
            _accept_copy(event)
            if files := _files(event):  # none where their source has ended in between
                self._dropped(files)
            return True
        return super().eventFilter(watched, event)


def _accept_copy(event: QDropEvent) -> None:
    """Accept a drop as a copy: a source whose move is accepted deletes its file."""
    event.setDropAction(Qt.DropAction.CopyAction)
    event.accept()


def _files(event: QDropEvent) -> list[Path]:
    return [Path(_local_path(url)) for url in event.mimeData().urls() if url.isLocalFile()]


def _local_path(url: QUrl) -> str:
    """Return the path of a file; some programs put the name of this computer in front of it."""
    import socket

    is_here = url.host() in ("localhost", socket.gethostname().lower())
    return url.path(QUrl.ComponentFormattingOption.FullyDecoded) if is_here else url.toLocalFile()
