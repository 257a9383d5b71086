"""The history of a target, and the rollback to the previous release."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QWidget

from studio.gui.pages.deploy import rows
from studio.gui.pages.shared import target_rows
from studio.gui.widgets.basics import GRID, Card, button, clear, label, line, row

if TYPE_CHECKING:
    from studio.workspace import ReleaseRecord

SHOWN = 8


class HistoryCard(Card):
    """The history of a target, the newest entry first; a rollback needs a confirmation.

    Args:
        roll_back: Called with the release that is to serve again.
    """

    def __init__(self, roll_back: Callable[[ReleaseRecord], object]) -> None:
        super().__init__("History")
        self._roll_back = roll_back
        self._candidate: ReleaseRecord | None = None
        self._serving = ""
        self._lines = QWidget()
        self._grid = QGridLayout(self._lines)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(2 * GRID)
        self._grid.setVerticalSpacing(6)
        self._grid.setColumnStretch(1, 1)
        self._empty = label("", "dim", wrap=True)
        self.back = button("", lambda: self.show_question(True))
        self.question = label("", wrap=True)
        self.confirm = button("Roll back", self._confirmed, "danger")
        self._keep = button("Cancel", lambda: self.show_question(False), "link")
        self._asking = QWidget()
        asking = row(self.question, self.confirm, self._keep)
        asking.setStretch(0, 1)
        self._asking.setLayout(asking)
        for part in (self._lines, self._empty, self._asking):
            self.body.addWidget(part)
        self.body.addLayout(row(self.back, None))
        self.body.addStretch(1)
        self._asking.hide()

    def show_releases(self, name: str, releases: Sequence[ReleaseRecord]) -> None:
        """Show the history of a target."""
        self.heading.setText(f"History of {name}")
        self._empty.setText(f"No deployments to {name} yet.")
        self._empty.setVisible(not releases)
        self._lines.setVisible(bool(releases))
        clear(self._grid)
        for position, texts in enumerate(rows.history(releases)[:SHOWN]):
            self._add(2 * position, *texts)
        self._candidate = rows.rollback_candidate(releases)
        self._serving = target_rows.running(releases).name
        if self._candidate is not None:
            earlier = target_rows.release_name(self._candidate)
            self.back.setText(f"Roll back to {earlier}…")
            self.back.setAccessibleName(self.back.text())
            self.question.setText(f"Roll back from {self._serving} to {earlier}?")
        self.show_question(False)

    def show_question(self, asking: bool) -> None:
        """Show the confirmation in place of the button, or the button again."""
        possible = self._candidate is not None
        self._asking.setVisible(asking and possible)
        self.back.setVisible(possible and not asking)
        if asking and possible:
            self.confirm.setFocus()

    def _add(self, y: int, name: str, state: str, tone: str, moment: str, by: str) -> None:
        if y:
            self._grid.addWidget(line(), y - 1, 0, 1, 4)
        texts = (
            label(name, "strong"),
            label(state, "" if tone else "dim", tone=tone, wrap=True),
            label(moment, "dim"),
            label(by, "dim"),
        )
        for x, text in enumerate(texts):
            self._grid.addWidget(text, y, x, Qt.AlignmentFlag.AlignTop)

    def _confirmed(self) -> None:
        candidate = self._candidate
        self.show_question(False)
        if candidate is not None:
            self._roll_back(candidate)
