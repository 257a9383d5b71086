"""A small program of its own whose one window is a file that can be dragged (a file manager).

Started with the URLs to drag; prints ``ready`` once it can be seen, ``over`` with what a drop would
do where the mouse is, and how each drag ended.
"""

from __future__ import annotations

import sys

from PySide6.QtCore import QMimeData, QPoint, Qt, QTimer, QUrl
from PySide6.QtGui import QDrag, QMouseEvent
from PySide6.QtWidgets import QApplication, QLabel

TITLE = "Files to drag"
PLACE = (8, 8, 120, 24)
"""Left, top, width and height on the screen."""


class DragSource(QLabel):
    """The file; a drag begins once the mouse moves with its left button down."""

    def __init__(self, urls: list[str]) -> None:
        super().__init__(TITLE)
        self._urls = [QUrl(url) for url in urls]
        self.setWindowTitle(TITLE)
        self.setWindowFlags(Qt.WindowType.WindowStaysOnTopHint)
        self.setGeometry(*PLACE)
        self._pressed: QPoint | None = None

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._pressed = event.position().toPoint()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pressed is None:
            return
        far = (event.position().toPoint() - self._pressed).manhattanLength()
        if far < QApplication.startDragDistance():
            return
        self._pressed = None
        drag, data = QDrag(self), QMimeData()
        data.setUrls(self._urls)
        drag.setMimeData(data)
        drag.actionChanged.connect(lambda action: print(f"over {action.name}", flush=True))
        both = Qt.DropAction.CopyAction | Qt.DropAction.MoveAction
        print(drag.exec(both, Qt.DropAction.MoveAction).name, flush=True)


def main() -> None:
    """Show the window until the program is ended."""
    application = QApplication(sys.argv[:1])
    source = DragSource(sys.argv[1:])
    source.show()
    QTimer.singleShot(0, lambda: print("ready", flush=True))
    application.exec()


if __name__ == "__main__":
    main()
