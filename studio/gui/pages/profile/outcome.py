"""The card on top of the Profile page: the verdict, the progress of a run, or why it failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QSizePolicy, QVBoxLayout, QWidget

from studio.gui.pages.profile.verdict import Headline, MoreRounds
from studio.gui.pages.shared.stage_page import JobStrip
from studio.gui.widgets.basics import (
    GRID,
    Disclosure,
    Pill,
    button,
    label,
    restyle,
    row,
    set_enabled,
)

if TYPE_CHECKING:
    from studio.workspace import JobOutcome

VERDICT, PROGRESS, FAILURE = range(3)
LEAST_HEIGHT = 8 * GRID
DISCARDS = (
    "Ends early once everything is decided. "
    "Cancel discards the rounds of this run; earlier profiles stay."
)


class OutcomeCard(QWidget):
    """The verdict of the shown profile, in whose place a run reports how far it is.

    Signals:
        more_asked: The run that would decide is to be started.
        again_asked: The failed run is to be started again.
    """

    more_asked = Signal()
    again_asked = Signal()

    def __init__(self, strip: JobStrip) -> None:
        super().__init__()
        self.verdict = VerdictCard()
        self.progress = ProgressCard(strip)
        self.failure = FailureCard()
        self._views = (self.verdict, self.progress, self.failure)
        self._shown = VERDICT
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for view in self._views:  # no stack: it would be as high as the highest of them
            view.setMinimumHeight(LEAST_HEIGHT)
            layout.addWidget(view)
            view.setVisible(view is self.verdict)
        self.verdict.more.clicked.connect(lambda _=False: self.more_asked.emit())
        self.failure.again.clicked.connect(lambda _=False: self.again_asked.emit())
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        # Not shown here: what has no parent yet would flash as a window of its own.

    def _show(self, view: int) -> None:
        self._shown = view
        for place, card in enumerate(self._views):
            card.setVisible(place == view)
        self.show()

    def forget(self) -> None:
        """Show nothing until there is a verdict: what has failed is no longer of interest."""
        self._shown = VERDICT
        self.hide()

    def show_running(self) -> None:
        """Show the progress of a run that starts."""
        self._show(PROGRESS)

    def show_failure(self, outcome: JobOutcome) -> None:
        """Show why a run failed, until another one ends otherwise."""
        self.failure.show_outcome(outcome)
        self._show(FAILURE)

    def show_verdict(self, headline: Headline, more: MoreRounds | None, reason: str) -> None:
        """Show a verdict, and what would decide where it is open.

        Args:
            reason: Why more rounds cannot be run; empty where they can.
        """
        self.verdict.show_headline(headline, more, reason)
        self._show(VERDICT)

    @property
    def has_failed(self) -> bool:
        """Whether a failure is shown."""
        return self._shown == FAILURE


class VerdictCard(QFrame):
    """Word, sentence, what it rests on, and the button for more rounds."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "verdict")
        self.setAccessibleName("Verdict")
        self.pill = Pill("")
        self.sentence = label("", "heading", wrap=True)
        self.detail = label("", "small", wrap=True)
        self.more = button("", None, "outline")
        for text in (self.sentence, self.detail):
            text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        texts = QVBoxLayout()
        texts.setSpacing(2)
        texts.addWidget(self.sentence)
        texts.addWidget(self.detail)
        layout = row(spacing=2 * GRID)
        layout.setContentsMargins(2 * GRID, GRID + 2, 2 * GRID, GRID + 2)
        layout.addWidget(self.pill, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(texts, 1)
        layout.addWidget(self.more, 0, Qt.AlignmentFlag.AlignVCenter)
        self.setLayout(layout)
        self.more.hide()

    def show_headline(self, headline: Headline, more: MoreRounds | None, reason: str) -> None:
        """Show another verdict."""
        self.pill.show_state(headline.word, headline.tone)
        if self.property("tone") != headline.tone:
            restyle(self, tone=headline.tone)
        self.sentence.setText(headline.sentence)
        advice = more.sentence(headline) if more else ""
        self.detail.setText(" ".join(filter(None, (advice, headline.detail))))
        self.more.setVisible(more is not None)
        if more is not None:
            text = f"Run {more.rounds:,} rounds"
            self.more.setText(text)
            set_enabled(self.more, reason)
            self.more.setAccessibleName(text)


class ProgressCard(QFrame):
    """The current work of a run and its progress, with Cancel."""

    def __init__(self, strip: JobStrip) -> None:
        super().__init__()
        self.setProperty("role", "verdict")
        self.setProperty("tone", "accent")
        self.setAccessibleName("Progress of the profile")
        self.strip = strip
        strip.setProperty("role", "")  # this card is its frame
        self.note = label(DISCARDS, "small", wrap=True)
        self.note.setContentsMargins(2 * GRID, 0, GRID, 0)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 2, 2 * GRID, GRID)
        layout.setSpacing(0)
        layout.addWidget(strip)
        layout.addWidget(self.note)


class FailureCard(QFrame):
    """The reason of a failure, with what to do and Try again."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "verdict")
        self.setProperty("tone", "bad")
        self.setAccessibleName("Failed profile")
        self.pill = Pill("failed", "bad")
        self.sentence = label("", "heading", wrap=True)
        self.hint = label("", "dim", wrap=True)
        self.again = button("Try again", None, "outline")
        self.details = Disclosure("Details")
        texts = QVBoxLayout()
        texts.setSpacing(4)
        for item in (self.sentence, self.hint, self.details):
            texts.addWidget(item)
        layout = row(spacing=2 * GRID)
        layout.setContentsMargins(2 * GRID, GRID + 2, 2 * GRID, GRID + 2)
        layout.addWidget(self.pill, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(texts, 1)
        layout.addWidget(self.again, 0, Qt.AlignmentFlag.AlignTop)
        self.setLayout(layout)

    def show_outcome(self, outcome: JobOutcome) -> None:
        """Show another failure."""
        self.sentence.setText(outcome.message or outcome.sentence)
        self.hint.setText(outcome.hint)
        self.hint.setVisible(bool(outcome.hint))
        self.details.show_text(outcome.detail)
        self.details.setVisible(bool(outcome.detail))
