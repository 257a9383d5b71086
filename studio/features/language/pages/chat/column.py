"""One conversation: the model that it is had with, its text, the figures of its answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QSizePolicy, QVBoxLayout, QWidget

from studio.api import StudioError
from studio.documents.dataclass_json import JsonValue, from_json
from studio.features.language.chat.lines import UPDATE
from studio.features.language.chat.results import (
    ASSISTANT,
    USER,
    ChatAnswer,
    ChatMessage,
    ChatResult,
    ChatUpdate,
)
from studio.features.language.chat.subjects import ChatSubject, missing_chat_backend
from studio.features.language.chat.texts import figures as chat_figures
from studio.features.language.pages.chat.transcript import Transcript
from studio.gui import figures
from studio.gui.pages.shared.licence_question import install_accepted
from studio.gui.pages.shared.stage_page import JobStrip
from studio.gui.shell import Shell
from studio.gui.widgets.basics import GRID, Card, Hint, label
from studio.gui.widgets.style_parts import PartStack

if TYPE_CHECKING:
    from studio.workspace import Environment, JobOutcome, Plugin, Workspace

INSTALL = "environment-install"
_TALLEST_TEXT = 22 * GRID


class ChatColumn(QWidget):
    """A conversation with one model.

    Signals:
        chosen: Another model was chosen.
        changed: An answer began, ended or failed.
        ready: The backend was installed, and a message can be written.

    Attributes:
        answer: The last whole answer; None before it, and after one that was stopped.
    """

    chosen = Signal()
    changed = Signal()
    ready = Signal()

    def __init__(self, workspace: Workspace, shell: Shell, name: str, none: str = "") -> None:
        """Make an empty one.

        Args:
            name: Of the choice, for screen readers.
            none: The entry for no model; empty where there has to be one.
        """
        super().__init__()
        self._workspace, self._shell, self._none = workspace, shell, none
        self._subjects: tuple[ChatSubject, ...] = ()
        self._turns: list[str] = []
        self._prompt, self._written = "", list[str]()
        self.answer: ChatAnswer | None = None
        self.choice = QComboBox()
        self.choice.setAccessibleName(name)
        self.choice.setMinimumContentsLength(12)
        self.choice.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.text = Transcript(f"Conversation with the {name.lower()}", shell.theming)
        self.text.setMinimumHeight(_TALLEST_TEXT)
        self.figures = label(" ", "dim", wrap=True)
        self.figures.setAccessibleName(f"Figures of the {name.lower()}")
        self.problem = label("", tone="bad", wrap=True)
        self.problem.hide()
        self.lacking = Hint("The backend is not installed", "", "Install", self._install)
        self.nothing = Hint("No second model", "Choose one to get two answers to each message.")
        self.empty = Hint("No messages yet", "Write one below. Each answer shows its speed.")
        self.pane = PartStack(self.text, self.lacking, self.nothing, self.empty)
        self.job, self.installing = JobStrip(), JobStrip()
        self._lay_out()
        self.job.message.connect(self._message)
        self.job.finished.connect(self._finished)
        self.installing.finished.connect(self._installed)
        self.choice.currentIndexChanged.connect(lambda _: self._choose())

    def _lay_out(self) -> None:
        card = Card()
        self.job.setParent(card)
        self.job.hide()
        card.body.addWidget(self.choice)
        card.body.addWidget(self.pane, 1)
        card.body.addWidget(self.problem)
        card.body.addWidget(self.installing)
        card.body.addWidget(self.figures)
        self.figures.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(card)

    # The model

    @property
    def subject(self) -> ChatSubject | None:
        """The chosen model."""
        place = self.choice.currentIndex() - (1 if self._none else 0)
        return self._subjects[place] if 0 <= place < len(self._subjects) else None

    def offer(self, subjects: Sequence[ChatSubject], wanted: str = "") -> None:
        """Offer models; what was chosen stays so.

        Args:
            wanted: Key of the one that is chosen instead, while nothing was talked about yet.
        """
        kept = self.subject.key if self.subject else ""
        if wanted and not self._turns and not self.is_busy:
            kept = wanted
        self._subjects = tuple(subjects)
        self.choice.blockSignals(True)
        self.choice.clear()
        if self._none:
            self.choice.addItem(self._none, "")
        for one in self._subjects:
            self.choice.addItem(one.title, one.key)
        self.choice.setCurrentIndex(max(self.choice.findData(kept), 0))
        self.choice.blockSignals(False)
        if (self.subject.key if self.subject else "") != kept:
            self._choose()
        self._look()

    def _choose(self) -> None:
        self.clear()
        self._look()
        self.chosen.emit()

    def _look(self) -> None:
        """Show what has to be installed first."""
        subject, reason = self.subject, ""
        try:
            missing = self._missing(subject)
        except StudioError as error:
            missing, reason = None, f"{error.message} {error.hint}".strip()
        if missing is not None:
            environment = missing[1]
            size = figures.megabytes(environment.need.megabytes)
            self.lacking.text.setText(
                f"{environment.title} runs this model and takes about {size}."
            )
            self.lacking.text.show()
        talk = self.text if self.text.toPlainText() else self.empty
        shown = talk if missing is None else self.lacking
        self.pane.setCurrentWidget(self.nothing if subject is None else shown)
        self.lacking.button.setEnabled(not self.installing.running)
        if reason:
            self._complain(reason)

    def _missing(self, subject: ChatSubject | None) -> tuple[Plugin, Environment] | None:
        if subject is None:
            return None
        return missing_chat_backend(self._workspace.registry, self._workspace.plugins, subject)

    @property
    def lacks(self) -> str:
        """Why nothing can be asked; empty when it can."""
        if self.subject is None:
            return "Choose a model first."
        is_missing = self.pane.currentWidget() is self.lacking
        return "Install the backend first." if is_missing else ""

    def _install(self) -> None:
        subject = self.subject
        missing = self._missing(subject)
        if missing is not None and not self.installing.running:
            plugin, environment = missing
            install_accepted(self, environment, partial(self._start_install, name=plugin.id))

    def _start_install(self, **options: object) -> None:
        self.installing.follow(self._shell.start(INSTALL, **options))
        self._look()

    def _installed(self, outcome: JobOutcome) -> None:
        self._look()
        if outcome.ok:
            self.ready.emit()
        if not outcome.ok and outcome.end.value != "cancelled":
            self._complain(f"{outcome.sentence} {outcome.hint}".strip())
        self.changed.emit()

    # The conversation

    @property
    def is_busy(self) -> bool:
        """Whether an answer is being written."""
        return self.job.running

    @property
    def messages(self) -> tuple[ChatMessage, ...]:
        """The messages, without the system's."""
        roles = (USER, ASSISTANT)
        return tuple(ChatMessage(roles[n % 2], text) for n, text in enumerate(self._turns))

    def clear(self) -> None:
        """Begin a new conversation."""
        self.stop()
        self._turns, self.answer = [], None
        self.text.unmark()
        self.text.clear()
        self.figures.setText(" ")
        self._complain("")
        self._look()

    def ask(self, prompt: str, options: Mapping[str, object]) -> bool:
        """Ask the model; False when nothing was started."""
        subject = self.subject
        if subject is None or self.is_busy:
            return False
        self._complain("")
        self.answer, self._prompt = None, prompt
        self._written.clear()
        history = {"history": tuple(self._turns)} if self._turns else {}
        asked = {**options, **subject.options, **history, "prompt": prompt}
        self.pane.setCurrentWidget(self.text)
        self.text.add_message("You", prompt)
        self.text.add_message("Model")
        if not self.job.follow(self._shell.start(subject.step, **asked)):
            return False
        self.job.hide()  # the growing answer is the progress
        self.figures.setText("Waiting for the first token…")
        return True

    def stop(self) -> None:
        """Stop the answer; what there is of it stays."""
        if self.job.job is not None:
            self.job.job.cancel()

    def on_event(self, event: object) -> None:
        """Follow the jobs of the column."""
        self.job.on_event(event)
        self.installing.on_event(event)

    def _message(self, name: str, values: dict[str, JsonValue]) -> None:
        if name != UPDATE:
            return
        update = from_json(ChatUpdate, values)
        self._written.append(update.text)
        self.text.add_text(update.text)
        self.figures.setText(_live(update))

    def _finished(self, outcome: JobOutcome) -> None:
        written = "".join(self._written)
        if outcome.ok and isinstance(outcome.result, ChatResult):
            self.answer = outcome.result.answer
            self._turns += [self._prompt, self.answer.text]
            self.figures.setText(chat_figures(self.answer).strip("[]"))
        elif outcome.end.value == "cancelled":
            self._turns += [self._prompt, written] if written else []
            self.figures.setText("Stopped.")
        else:
            self.figures.setText(" ")
            self._complain(f"{outcome.sentence} {outcome.hint}".strip())
        self._look()
        self.changed.emit()

    def _complain(self, text: str) -> None:
        self.problem.setText(text)
        self.problem.setVisible(bool(text))


def _live(update: ChatUpdate) -> str:
    """Return the figures of an answer that is being written."""
    times = update.times
    parts = [figures.count(update.count, "token")]
    if times.first_ms is not None:
        parts.append(f"first after {figures.whole(times.first_ms)} ms")
    if times.tokens_per_s is not None:
        parts.append(f"{figures.rate(times.tokens_per_s)} tokens/s")
    return ", ".join(parts)
