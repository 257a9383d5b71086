"""The view of chats: one or two conversations over the field for the next message."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QPlainTextEdit, QSizePolicy, QVBoxLayout, QWidget

from studio.documents.dataclass_json import from_json
from studio.features.language.chat.results import ChatParameters
from studio.features.language.chat.subjects import chat_subjects
from studio.features.language.pages.chat.column import ChatColumn
from studio.features.language.pages.chat.save_test_sheet import SaveTestSheet
from studio.gui.forms.form import Form
from studio.gui.pages.shared.base import AddedView
from studio.gui.pages.shared.stage_page import needs_model
from studio.gui.widgets.basics import (
    GRID,
    Scroll,
    button,
    label,
    row,
    set_enabled,
)
from studio.gui.widgets.two_columns import TwoColumns

if TYPE_CHECKING:
    from studio.gui.pages.shared.base import Page
    from studio.workspace import VariantRecord

STEP = "chat"
_PARAMETERS = ("temperature", "top_p", "seed", "tokens", "threads", "system", "schema")
_ONLY_HERE = ("threads",)
_NARROW = 700
_PROMPT_HEIGHT = 9 * GRID
_TEMPLATE_HEIGHT = 20 * GRID
_TEMPLATE_NOTE = "The template is a program of the model's author. It is shown as text here."

_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class PromptEdit(QPlainTextEdit):
    """The field for a message: Enter sends it, Shift+Enter begins a new line.

    Signals:
        sent: Enter was pressed.
    """

    sent = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Message")
        self.setAccessibleDescription("Enter sends the message, Shift+Enter begins a new line.")
        self.setPlaceholderText("Message. Enter sends it, Shift+Enter begins a new line.")
        self.setTabChangesFocus(True)

    @property
    def text(self) -> str:
        """The message without surrounding space."""
        return self.toPlainText().strip()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Send with Enter."""
        shifted = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        if event.key() in _ENTER and not shifted:
            self.sent.emit()
            return
        super().keyPressEvent(event)


class ChatView(AddedView):
    """Conversations with one or two models, who get the same messages.

    Models on one computer answer one after the other, as both at once would slow each other.
    """

    title = "Chat"

    def __init__(self, page: Page) -> None:
        super().__init__(page)
        workspace, shell = page.workspace, page.shell
        self._workspace, self._shell = workspace, shell
        self._waiting: tuple[str, dict[str, object]] | None = None
        self.left = ChatColumn(workspace, shell, "Model")
        self.right = ChatColumn(workspace, shell, "Second model", "Compare with…")
        self.prompt = PromptEdit()
        self.difference = label("", "dim", wrap=True)
        self.difference.hide()
        options = {one.name: one for one in workspace.steps[STEP].form}
        self.form = Form([options[name] for name in _PARAMETERS], columns=3)
        # Its least size is that of fields without a style; they would be cut.
        self.form.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.parameters = button("", lambda: self._unfold(self.form), "link")
        self.parameters.setCheckable(True)
        self.parameters.setAccessibleName("Parameters")
        self.template_button = button("", lambda: self._unfold(self._template_holder), "link")
        self.template_button.setCheckable(True)
        self.template_button.setAccessibleName("Chat template")
        self.template = QPlainTextEdit()
        self.template.setReadOnly(True)
        self.template.setAccessibleName("Text of the chat template")
        self.new = button("New chat", self.begin_anew)
        self.save = button("Save as test…", self._save)
        self.sheet = SaveTestSheet(page, shell, workspace)
        self.columns = TwoColumns(self.left, self.right, least=_NARROW)
        self._content()
        self._pane = needs_model(self._holder, "chat with", shell.go)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._pane)
        self._connect()
        self._fold()

    def _content(self) -> None:
        """Lay out the conversations, which scroll, over the field, which is always seen."""
        self.area = Scroll()
        body = self.area.body
        body.addWidget(self.columns, 1)
        for widget in (self.difference, self.form, self._template_part()):
            body.addWidget(widget)
        prompt = QWidget()  # the style sheet sets the height of the text's own widget
        prompt.setFixedHeight(_PROMPT_HEIGHT)
        line = row(self.prompt)
        line.setContentsMargins(0, 0, 0, 0)
        prompt.setLayout(line)
        below = QVBoxLayout()
        below.setContentsMargins(2 * GRID, GRID, 2 * GRID, 2 * GRID)
        below.setSpacing(GRID)
        below.addWidget(prompt)
        below.addLayout(row(self.parameters, self.template_button, None, self.new, self.save))
        self._holder = QWidget()
        column = QVBoxLayout(self._holder)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.area, 1)
        column.addLayout(below)

    def _template_part(self) -> QWidget:
        self._template_holder = QWidget()
        column = QVBoxLayout(self._template_holder)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(label(_TEMPLATE_NOTE, "dim", wrap=True))
        column.addWidget(self.template)
        self._template_holder.setFixedHeight(_TEMPLATE_HEIGHT)
        return self._template_holder

    def _connect(self) -> None:
        self.prompt.sent.connect(self.send)
        self.prompt.textChanged.connect(self._explain)
        for column in self._both:
            column.changed.connect(self._go_on)
            column.chosen.connect(self._chosen)
            column.ready.connect(self.prompt.setFocus)

    @property
    def _both(self) -> tuple[ChatColumn, ChatColumn]:
        return self.left, self.right

    @property
    def _asked(self) -> list[ChatColumn]:
        """The columns with a model."""
        return [one for one in self._both if one.subject is not None]

    # What can be done

    @property
    def is_busy(self) -> bool:
        """Whether an answer is being written, or waits for the other."""
        return self._waiting is not None or any(one.is_busy for one in self._both)

    @property
    def why_not(self) -> str:
        """Why nothing can be sent; empty when it can."""
        lacks: Iterable[str] = (one.lacks for one in self._asked or [self.left])
        reason = next(filter(None, lacks), "")
        return reason or ("" if self.prompt.text else "Write a message first.")

    def refresh(self, variant: VariantRecord | None) -> None:
        """Offer the models that there are."""
        subjects = chat_subjects(self._workspace.registry)
        wanted = [one.key for one in subjects if variant and one.variant == variant.id]
        self._pane.show_content(bool(subjects))
        self.left.offer(subjects, wanted[0] if wanted else "")
        self.right.offer(subjects)
        self._show_template()
        self._explain()
        self.is_usual = bool(wanted)

    def next_step(self) -> tuple[str, str]:
        """Return what the button does, and why nothing can be sent."""
        return ("Stop", "") if self.is_busy else ("Send", self.why_not)

    def run(self) -> None:
        """Send the message, or stop the answers."""
        if self.is_busy:
            self.stop()
        else:
            self.send()

    def send(self) -> None:
        """Send the message to the models."""
        if self.is_busy or self.why_not:
            return
        if not self.form.check():
            self.parameters.setChecked(True)
            self._unfold(self.form)
            return
        options = {name: value for name, value in self.form.values().items() if value != ""}
        prompt = self.prompt.text
        self._show_difference()
        columns = self._asked
        if not self._ask(columns[0], prompt, options):
            return
        self.prompt.clear()
        if len(columns) > 1:
            if all(one.subject and one.subject.here for one in columns):
                self._waiting = prompt, options
                columns[1].figures.setText("Waits for the other answer.")
            else:
                self._ask(columns[1], prompt, options)
        self._explain()

    def _ask(self, column: ChatColumn, prompt: str, options: dict[str, object]) -> bool:
        subject = column.subject
        served = subject is not None and subject.step != STEP
        given = {k: v for k, v in options.items() if not (served and k in _ONLY_HERE)}
        return column.ask(prompt, given)

    def stop(self) -> None:
        """Stop the answers."""
        self._waiting = None
        for one in self._both:
            one.stop()
        self._explain()

    def begin_anew(self) -> None:
        """Begin a new conversation with the same models."""
        self._waiting = None
        for one in self._both:
            one.clear()
        self._show_difference()
        self._explain()
        self.prompt.setFocus()

    def on_event(self, event: object) -> None:
        """Follow the jobs of the view."""
        for one in self._both:
            one.on_event(event)

    def _go_on(self) -> None:
        """Ask the second model when the first has answered, and compare when both have."""
        if self._waiting is not None and not self.left.is_busy:
            (prompt, options), self._waiting = self._waiting, None
            if self.right.subject is not None:
                self._ask(self.right, prompt, options)
        if not self.is_busy:
            self._show_difference()
        self._explain()

    # Showing

    def _chosen(self) -> None:
        if self._waiting is not None and self.right.subject is None:
            self._waiting = None
        self._show_difference()
        self._show_template()
        self._explain()

    def _show_difference(self) -> None:
        """Mark the first token that differs, where both models took the most probable ones."""
        for one in self._both:
            one.text.unmark()
        left, right = self.left.answer, self.right.answer
        if left is None or right is None or self.is_busy or self._parameters().temperature:
            self.difference.hide()
            return
        place = left.first_difference(right)
        if place is None:
            self.difference.setText("Both models gave the same answer.")
        else:
            self.left.text.mark(*left.span_of(place))
            self.right.text.mark(*right.span_of(place))
            self.difference.setText(f"Token {place + 1} is the first that differs. It is marked.")
        self.difference.show()

    def _show_template(self) -> None:
        subject = self.left.subject
        text = subject.template if subject else ""
        self.template.setPlainText(text)
        self.template_button.setVisible(bool(text))
        self._fold()

    def _unfold(self, part: QWidget) -> None:
        """Show or hide a part, and scroll to it."""
        self._fold()
        if not part.isHidden():
            # The view knows its new height with the next turn.
            QTimer.singleShot(0, part, lambda: self.area.ensureWidgetVisible(part))

    def _fold(self) -> None:
        for toggle, part, title in (
            (self.parameters, self.form, "Parameters"),
            (self.template_button, self._template_holder, "Chat template"),
        ):
            is_open = toggle.isChecked() and not toggle.isHidden()
            toggle.setText(f"{'▾' if is_open else '▸'} {title}")
            part.setVisible(is_open)

    def _explain(self) -> None:
        busy = "Stop the answer first." if self.is_busy else ""
        for one in self._both:
            set_enabled(one.choice, busy)
        talked = bool(self.left.messages)
        set_enabled(self.new, busy or ("" if talked else "Nothing was written yet."))
        set_enabled(self.save, busy or ("" if talked else "Nothing was written yet."))
        self.changed.emit()

    def _save(self) -> None:
        self.sheet.open_for(self.left.messages, self._parameters())

    def _parameters(self) -> ChatParameters:
        """Return the values of the form; the usual ones where one of them does not fit."""
        if not self.form.check():
            return ChatParameters()
        return from_json(ChatParameters, self.form.values())
