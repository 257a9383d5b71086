"""The error of an app in one sentence, with what to do about it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSizePolicy

from studio.gui.widgets.basics import GRID, Card, button, label, restyle, row


class ProblemCard(Card):
    """An error or warning that stays until it is solved."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Problem")
        self.text = label("", "", tone="bad", wrap=True)
        self.hint = label("", "dim", wrap=True)
        self.retry = button("Retry", self._retry)
        self._again: Callable[[], object] | None = None
        self.body.setContentsMargins(2 * GRID, GRID + 4, GRID + 4, GRID + 4)
        texts = row(self.text, self.retry, spacing=2 * GRID)
        texts.setStretch(0, 1)
        texts.setAlignment(self.retry, Qt.AlignmentFlag.AlignTop)
        self.body.addLayout(texts)
        self.body.addWidget(self.hint)
        for item in (self.text, self.hint):
            item.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.hide()

    def show_problem(
        self,
        text: str,
        hint: str = "",
        again: Callable[[], object] | None = None,
        tone: str = "bad",
    ) -> None:
        """Show what is wrong; *Retry* calls ``again``."""
        self._again = again
        self.text.setText(text)
        restyle(self.text, tone=tone)
        self.hint.setText(hint)
        self.hint.setVisible(bool(hint))
        self.retry.setVisible(again is not None)
        self.setAccessibleName(f"Problem: {text}")
        self.show()

    def _retry(self) -> None:
        if self._again is not None:
            self._again()
