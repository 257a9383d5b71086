"""The sheet in which a conversation becomes a test: its file, and what makes an answer right."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QLineEdit,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from studio.api import StudioError
from studio.features.language.chat.results import ASSISTANT, SYSTEM, ChatMessage, ChatParameters
from studio.features.language.chat.saved_test import ExpectedAnswer, save_test
from studio.gui.shell import Shell
from studio.gui.widgets.basics import GRID, button, label, row, set_enabled
from studio.gui.widgets.sheet import Sheet
from studio.settings import full_path

if TYPE_CHECKING:
    from studio.workspace import Workspace

_HEIGHT = 12 * GRID
_CHECKS = (
    ("exact", "Is this text", "Right answer"),
    ("regex", "Contains this pattern", "Pattern"),
    ("json", "Is JSON that fits the schema", ""),
    ("open", "Any answer, to be compared by people", ""),
)
_NOTE = (
    "The file is a task set: each line has a conversation and what makes its answer right. "
    "Evaluations of language models take it."
)


class SaveTestSheet(Sheet):
    """File, check and right answer of a test."""

    def __init__(self, page: QWidget, shell: Shell, workspace: Workspace) -> None:
        super().__init__(page, shell.theming, ("Test",))
        self._shell, self._workspace = shell, workspace
        self._messages: tuple[ChatMessage, ...] = ()
        self._values = ChatParameters()
        self.steps.hide()
        self.title.setText("Save as test")
        self.back.setText("Cancel")
        self.back.setAccessibleName("Cancel")
        self.primary.setText("Save")
        self.primary.setAccessibleName("Save the test")
        self.file = QLineEdit()
        self.file.setPlaceholderText("tests.jsonl")
        self.browse = button("Browse…", self._browse)
        self.check = QComboBox()
        for name, title, _ in _CHECKS:
            self.check.addItem(title, name)
        self.expected = QPlainTextEdit()
        self.expected.setTabChangesFocus(True)
        self.expected.setMinimumHeight(_HEIGHT)
        self.heading = label("", "dim")
        self.problem = label("", tone="bad", wrap=True)
        self.add_step(self._content())
        self.back.clicked.connect(lambda: self.close_sheet())
        self.primary.clicked.connect(lambda: self._save())
        self.check.currentIndexChanged.connect(lambda _: self._explain())
        self.file.textChanged.connect(lambda _: self._explain())
        self.expected.textChanged.connect(self._explain)

    def _content(self) -> QWidget:
        holder = QWidget()
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        self.file.setAccessibleName("File of the tests")
        self.check.setAccessibleName("An answer is right if it")
        self.expected.setAccessibleName("Right answer or pattern")
        line = row(self.file, self.browse)
        line.setStretch(0, 1)
        column.addWidget(label("File of the tests (.jsonl)", "dim"))
        column.addLayout(line)
        column.addWidget(label("An answer is right if it", "dim"))
        column.addWidget(self.check)
        column.addWidget(self.heading)
        column.addWidget(self.expected)
        column.addWidget(label(_NOTE, "small", wrap=True))
        column.addWidget(self.problem)
        return holder

    def open_for(self, messages: Sequence[ChatMessage], values: ChatParameters) -> None:
        """Open the sheet for a conversation.

        Args:
            values: The parameters of its questions.
        """
        first = (ChatMessage(SYSTEM, values.system),) if values.system else ()
        self._messages, self._values = (*first, *messages), values
        answers = [one.content for one in messages if one.role == ASSISTANT]
        self.expected.setPlainText(answers[-1].strip() if answers else "")
        self.problem.clear()
        self.show_step(0)
        self.open_sheet()
        self._explain()
        self.file.setFocus(Qt.FocusReason.OtherFocusReason)

    def _browse(self) -> None:
        chosen, _ = QFileDialog.getSaveFileName(
            self,
            "File of the tests",
            self.file.text(),
            "Tests (*.jsonl)",
            options=QFileDialog.Option.DontConfirmOverwrite,  # tests are added to it
        )
        if chosen:
            self.file.setText(chosen if chosen.endswith(".jsonl") else f"{chosen}.jsonl")

    def _explain(self) -> None:
        """Show the field of the check, and state what is missing."""
        name, _, heading = _CHECKS[self.check.currentIndex()]
        self.heading.setText(heading)
        self.heading.setVisible(bool(heading))
        self.expected.setVisible(bool(heading))
        reason = "" if self.file.text().strip() else "Choose a file first."
        if not reason and heading and not self.expected.toPlainText().strip():
            reason = f"The {heading.lower()} is empty."
        if not reason and name == "json" and not self._values.schema:
            reason = "Choose a JSON Schema among the parameters of the chat first."
        set_enabled(self.primary, reason)

    def _save(self) -> None:
        path = full_path(self.file.text().strip())
        name = _CHECKS[self.check.currentIndex()][0]
        text, limit = self.expected.toPlainText(), self._values.tokens
        expected = ExpectedAnswer(name, text, limit=limit)
        schema = self._values.schema if name == "json" else ""
        set_enabled(self.primary, "The test is being saved.")
        self._workspace.in_background(
            partial(save_test, path, self._messages, expected, schema),
            partial(self._saved, path),
        )

    def _saved(self, path: Path, result: object) -> None:
        self._explain()
        if isinstance(result, StudioError):
            self.problem.setText(f"{result.message} {result.hint}".strip())
        elif isinstance(result, BaseException):
            self.problem.setText(f"The test could not be saved: {result}.")
        else:
            self.close_sheet()
            self._shell.notify(f"Saved as test {result} in {path.name}.", "good")
