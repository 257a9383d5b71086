"""The App page before an app is open: what appears here, and the recent apps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QVBoxLayout

from studio.gui.widgets.basics import GRID, Card, ElidedLabel, Scroll, button, clear, label, row

_TEXT = (
    "An app turns cameras, films and signals into events: sources give frames, models and steps "
    "find what happens, sinks take the events. Its graph, picture, counts and events appear here. "
    "Drop the folder of an app, or its app.toml, on the window."
)
_WIDTH = 56 * GRID
COLUMN = 90 * GRID


class StartView(Scroll):
    """The invitation to open or create an app, with the apps that were opened last."""

    def __init__(
        self,
        choose: Callable[[], object],
        create: Callable[[], object],
        take: Callable[[Path], object],
    ) -> None:
        super().__init__()
        self._take = take
        self.open = button("Open app…", choose)
        self.new = button("New app…", create)
        zone = QFrame()
        zone.setProperty("role", "drop")
        zone.setAccessibleName("Drop an app here")
        text = label(_TEXT, "dim", wrap=True)
        text.setFixedWidth(_WIDTH)
        text.setMinimumHeight(text.heightForWidth(_WIDTH))
        text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        inner = QVBoxLayout(zone)
        inner.setContentsMargins(4 * GRID, 5 * GRID, 4 * GRID, 5 * GRID)
        inner.setSpacing(2 * GRID)
        inner.addWidget(label("No app open yet", "title"), 0, Qt.AlignmentFlag.AlignHCenter)
        inner.addWidget(text, 0, Qt.AlignmentFlag.AlignHCenter)
        inner.addLayout(row(None, self.open, self.new, None))
        self.recent = Card("Recent apps")
        self._rows = QVBoxLayout()
        self._rows.setSpacing(4)
        self.recent.body.addLayout(self._rows)
        column = QVBoxLayout()
        column.setSpacing(2 * GRID)
        for widget in (zone, self.recent):
            widget.setMaximumWidth(COLUMN)
            column.addWidget(widget)
        column.addStretch(1)
        line = row(None)
        line.addLayout(column, 100)
        line.addStretch(1)
        self.body.addLayout(line, 1)

    def show_recent(self, folders: Sequence[Path]) -> None:
        """Show the folders of the apps that were opened last, the newest first."""
        clear(self._rows)
        for folder in folders:
            opened = button("Open", partial(self._take, folder), "link")
            opened.setAccessibleName(f"Open the app {folder.name}")
            path = ElidedLabel(str(folder.parent))
            path.setProperty("role", "dim")
            line = row(label(folder.name, "strong"), path, opened)
            line.setStretch(1, 1)
            self._rows.addLayout(line)
        self.recent.setVisible(bool(folders))
