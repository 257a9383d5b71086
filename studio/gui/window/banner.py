"""The banner: an error as one sentence, what to do, and the detail on demand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QFrame, QVBoxLayout

from studio.gui import icons
from studio.gui.theme import Theming
from studio.gui.widgets.basics import GRID, Disclosure, button, label, restyle, row

if TYPE_CHECKING:
    from studio.workspace import JobOutcome

QUIET_MS = 8000
"""A message that asks for nothing goes away after this time; an error stays."""

_WORDS = {"good": "Done", "warning": "Note", "bad": "Problem", "": "Note"}


class Banner(QFrame):
    """The message above the page, which never blocks the work.

    Attributes:
        about: What has failed (the entry of a job); empty where no success makes the message old.
    """

    def __init__(self, theming: Theming) -> None:
        super().__init__()
        self._theming = theming
        self.about = ""
        self.setProperty("role", "banner")
        self.sentence = label("", "strong", wrap=True)
        self.hint = label("", "dim", wrap=True)
        self.detail = Disclosure("Detail")
        self.dismiss = button("", self.close_message, "quiet")
        self.dismiss.setAccessibleName("Close message")
        self.dismiss.setToolTip("Close message (Esc)")
        texts = QVBoxLayout()
        texts.setSpacing(2)
        for item in (self.sentence, self.hint, self.detail):
            texts.addWidget(item)
        layout = row(spacing=GRID)
        layout.setContentsMargins(2 * GRID - 4, GRID, GRID, GRID)
        layout.addLayout(texts, 1)
        layout.addWidget(self.dismiss)
        self.setLayout(layout)
        self._timer = QTimer(self, singleShot=True, interval=QUIET_MS)
        self._timer.timeout.connect(self.close_message)
        theming.changed.connect(self._dress)
        self._dress()
        self.hide()

    def show_message(
        self, sentence: str, tone: str = "", hint: str = "", detail: str = "", about: str = ""
    ) -> None:
        """Show a message instead of the one before.

        Args:
            tone: ``bad`` and ``warning`` stay until they are closed; others leave by themselves.
            detail: Native messages and paths, behind a disclosure.
            about: What has failed; when it has succeeded since, the message goes away.
        """
        self.about = about
        restyle(self, tone=tone)
        self.sentence.setText(sentence)
        self.hint.setText(hint)
        self.hint.setVisible(bool(hint))
        self.detail.show_text(detail.strip())
        self.detail.setVisible(bool(detail.strip()))
        self.setAccessibleName(f"{_WORDS.get(tone, 'Note')}: {sentence} {hint}".strip())
        self.show()
        if tone in ("bad", "warning"):
            self._timer.stop()
        else:
            self._timer.start()

    def show_end(self, outcome: JobOutcome, about: str) -> None:
        """Show why a job failed, or dismiss the message of its earlier failure."""
        if outcome.ok and self.about == about:
            self.close_message()
        elif not outcome.ok and outcome.end.value != "cancelled":  # the user knows
            said = (outcome.sentence, "bad", outcome.hint, outcome.detail)
            self.show_message(*said, about=about)

    def close_message(self) -> None:
        """Hide the message."""
        self._timer.stop()
        self.about = ""
        self.hide()

    def _dress(self) -> None:
        self.dismiss.setIcon(icons.icon("close", self._theming.current.color("dim"), 16))
