"""The sheet in which a person decides otherwise than an answer, with the job that records it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from studio.gui.pages.shared.stage_page import JobStrip
from studio.gui.shell import Shell
from studio.gui.widgets.basics import GRID, label, set_enabled
from studio.gui.widgets.sheet import Sheet
from studio.settings.user import user_name

if TYPE_CHECKING:
    from studio.workspace import JobOutcome

OVERRIDE = "decisions-override"
_HEIGHT = 12 * GRID
_LONGEST_REASON = 2000
_BUSY = "The decision is being recorded."


class OverrideSheet(Sheet):
    """Decision, reason and name; the answer that they replace above them."""

    def __init__(self, page: QWidget, shell: Shell) -> None:
        super().__init__(page, shell.theming, ("Override",))
        self._shell, self._target, self._request = shell, "", ""
        self.steps.hide()
        self.title.setText("Override the answer")
        self.back.setText("Cancel")
        self.back.setAccessibleName("Cancel")
        self.primary.setText("Record")
        self.primary.setAccessibleName("Record the decision")
        self.answer = label("", wrap=True)
        self.decision, self.person = QLineEdit(), QLineEdit(user_name())
        self.reason = QPlainTextEdit()
        self.reason.setTabChangesFocus(True)
        self.reason.setMinimumHeight(_HEIGHT)
        self.problem = label("", tone="bad", wrap=True)
        self.strip = JobStrip()
        self.strip.setParent(self)
        self.strip.hide()
        self.add_step(self._content())
        self.back.clicked.connect(lambda: self.close_sheet())
        self.primary.clicked.connect(lambda: self._record())
        self.reason.textChanged.connect(self._explain)
        for field in (self.decision, self.person):
            field.textChanged.connect(lambda _: self._explain())
        self.strip.finished.connect(self._recorded)

    def _content(self) -> QWidget:
        holder = QWidget()
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(self.answer)
        fields = (("Decision", self.decision), ("Reason", self.reason), ("Name", self.person))
        for title, field in fields:
            field.setAccessibleName(title)
            heading = label(title, "dim")
            heading.setBuddy(field)
            column.addWidget(heading)
            column.addWidget(field)
        kept = "The target keeps the decision, the reason and the name in its record."
        column.addWidget(label(kept, "small", wrap=True))
        column.addWidget(self.problem)
        return holder

    def open_for(self, target: str, request: str, answer: str) -> None:
        """Open the sheet for an answer of a target.

        Args:
            request: Id of the answer in the target's record.
        """
        self._target, self._request = target, request
        self.answer.setText(f"{target} answered: {answer}" if answer else f"Answer of {target}")
        self.decision.clear()
        self.reason.clear()
        self.problem.clear()
        self.show_step(0)
        self.open_sheet()
        self._explain()
        self.decision.setFocus(Qt.FocusReason.OtherFocusReason)

    def _reason_text(self) -> str:
        return self.reason.toPlainText().strip()

    def _explain(self) -> None:
        """State why the decision cannot be recorded yet."""
        missing = next(
            (
                f"The {name} is missing."
                for name, text in (
                    ("decision", self.decision.text()),
                    ("reason", self._reason_text()),
                    ("name", self.person.text()),
                )
                if not text.strip()
            ),
            "",
        )
        if len(self._reason_text()) > _LONGEST_REASON:
            missing = f"A reason has up to {_LONGEST_REASON:,} characters."
        set_enabled(self.primary, _BUSY if self.strip.running else missing)

    def _record(self) -> None:
        if self.strip.running:
            return
        job = self._shell.start(
            OVERRIDE,
            target=self._target,
            request=self._request,
            decision=self.decision.text().strip(),
            reason=self._reason_text(),
            by=self.person.text().strip(),
        )
        if self.strip.follow(job):
            self.strip.hide()  # the disabled button says it
        self._explain()

    def _recorded(self, outcome: JobOutcome) -> None:
        self._explain()
        if not outcome.ok:
            self.problem.setText(f"{outcome.sentence} {outcome.hint}".strip())
            return
        self.close_sheet()
        self._shell.notify("The decision is recorded.", "good")
