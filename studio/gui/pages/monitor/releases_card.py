"""The release history of an endpoint, with a rollback at each release that can serve again."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtWidgets import QGridLayout, QSizePolicy, QWidget

from studio.gui.pages.monitor.release_rows import ReleaseRow
from studio.gui.widgets.basics import (
    GRID,
    Card,
    ElidedLabel,
    Scroll,
    button,
    clear,
    label,
    line,
    row,
    set_enabled,
)

SHOWN = 20
EMPTY = "No deployments yet."


class ReleasesCard(Card):
    """The changes of what an endpoint serves, the newest first.

    Args:
        roll_back: Called with the row of the release that is to serve again.
    """

    def __init__(self, roll_back: Callable[[ReleaseRow], object]) -> None:
        super().__init__()
        self.setAccessibleName("Release history")
        self._roll_back = roll_back
        self._why_not = ""
        self.rows: Sequence[ReleaseRow] = ()
        self.buttons: list[QWidget] = []
        self.note = label("", "dim")
        self._lines = QWidget()
        self._grid = QGridLayout(self._lines)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(GRID)
        self._grid.setVerticalSpacing(6)
        self._grid.setColumnStretch(0, 1)
        self.body.setContentsMargins(2 * GRID, GRID, GRID, GRID)
        self.body.addLayout(row(label("Release history", "section"), None, self.note))
        content = Scroll(margin=0, spacing=0)
        content.body.addWidget(self._lines)
        content.body.addStretch(1)
        self.body.addWidget(content, 1)

    def show_rows(self, rows: Sequence[ReleaseRow]) -> None:
        """Show other changes."""
        rows = tuple(rows[:SHOWN])
        self.note.setText("" if rows else EMPTY)
        if rows == self.rows:
            return
        self.rows = rows
        self.buttons = []
        clear(self._grid)
        for place, shown in enumerate(rows):
            self._add(3 * place, shown)
        self.explain(self._why_not)

    def explain(self, why_not: str) -> None:
        """Disable all rollbacks with a reason, or enable them."""
        self._why_not = why_not
        for one in self.buttons:
            set_enabled(one, why_not)

    def _add(self, y: int, shown: ReleaseRow) -> None:
        if y:
            self._grid.addWidget(line(), y - 1, 0, 1, 2)
        name, detail = ElidedLabel(shown.name), ElidedLabel(shown.detail)
        name.setProperty("role", "strong")
        detail.setProperty("role", "small")
        state = label(shown.state, "" if shown.tone else "dim", tone=shown.tone)
        state.setAccessibleName(f"{shown.name}: {shown.state}. {shown.detail}")
        name.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        head = row(name, state, None)
        self._grid.addLayout(head, y, 0)
        self._grid.addWidget(detail, y + 1, 0)
        if shown.to:
            back = button("Roll back", lambda: self._roll_back(shown))
            back.setAccessibleName(f"Roll back to {shown.name}")
            self._grid.addWidget(back, y, 1, 2, 1)
            self.buttons.append(back)
