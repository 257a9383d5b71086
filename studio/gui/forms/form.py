"""A form made from options: the same description that makes the command line's flags."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, cast

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from studio.api import Kind, Option
from studio.api.qt import plain_tip
from studio.gui.current_project import CurrentProject
from studio.gui.forms.editors import (
    ChecksEditor,
    Choice,
    ChoiceEditor,
    Choices,
    Editor,
    FlagEditor,
    NumberEditor,
    TextEditor,
)
from studio.gui.forms.path_editor import PathEditor
from studio.gui.forms.project_editor import ProjectEditor
from studio.gui.widgets.basics import button, label

_LONGEST_BESIDE = 26
"""Signs of a title with room in half of a line."""


class Field(QWidget):
    """One option: its label, its editor, and below it what is wrong with the value.

    The texts below it are made when there is something to say: a page has a hundred fields.
    """

    changed = Signal()

    def __init__(self, option: Option, editor: Editor) -> None:
        super().__init__()
        self.option = option
        self.editor = editor
        self._complaint: QLabel | None = None
        self._note: QLabel | None = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(4)
        if not self.editor.has_title:
            self._column.addWidget(self._label())
        self._column.addWidget(self.editor)
        self._column.addStretch(1)
        self.setToolTip(plain_tip(option.help))
        self.editor.changed.connect(self._edited)

    def _label(self) -> QLabel:
        result = label(self.option.label, "dim")
        result.setBuddy(self.editor)
        return result

    @property
    def complaint(self) -> QLabel:
        """The error of the value, directly below the editor."""
        if self._complaint is None:
            self._complaint = label("", "small", tone="bad", wrap=True)
            self._add(self._complaint, self._column.indexOf(self.editor) + 1)
        return self._complaint

    @property
    def note(self) -> QLabel:
        """A note on the option, below everything else."""
        if self._note is None:
            self._note = label("", "dim", wrap=True)
            self._add(self._note, self._column.count() - 1)
        return self._note

    def _add(self, text: QLabel, position: int) -> None:
        self._column.insertWidget(position, text)
        text.hide()

    @property
    def wide(self) -> bool:
        """Whether it needs the whole width of the form."""
        return self.editor.wide or len(self.option.title) > _LONGEST_BESIDE

    def check(self) -> bool:
        """Show what is wrong, if anything; True when the value fits."""
        sentence = self.editor.complaint()
        if sentence or self._complaint is not None:
            self.complaint.setText(sentence)
            self.complaint.setVisible(bool(sentence))
        self.editor.mark(wrong=bool(sentence))
        return not sentence

    def withhold(self, reason: str) -> None:
        """Disable an option with a sentence as reason; an empty sentence enables it again."""
        if reason and self.editor.isEnabled():
            self.editor.set_value(self.option.default)
        self.editor.setEnabled(not reason)
        self.explain(reason)

    def explain(self, text: str) -> None:
        """Show a note below the option; an empty text hides it."""
        if text or self._note is not None:
            self.note.setText(text)
            self.note.setVisible(bool(text))

    def forget(self) -> None:
        """Hide the complaint until the next edit."""
        if self._complaint is not None:
            self._complaint.hide()
        self.editor.mark(wrong=False)

    def _edited(self) -> None:
        self.check()
        self.changed.emit()


class MoreOptions(QWidget):
    """The fields that most users never need, and the button that unfolds them.

    Attributes:
        toggle: The button; the form puts it where there is room.
    """

    def __init__(self, content: QWidget) -> None:
        super().__init__()
        self.content = content
        self.toggle = button("", self._show, "link")
        self.toggle.setCheckable(True)
        self.toggle.setAccessibleName("More options")
        self.toggle.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(content)
        self._show()

    def _show(self) -> None:
        unfolded = self.toggle.isChecked()
        self.toggle.setText(f"{'▾' if unfolded else '▸'} More options")
        self.setVisible(unfolded)

    def unfold(self) -> None:
        """Show the content."""
        self.toggle.setChecked(True)
        self._show()

    def beside_fields(self) -> QWidget:
        """Return the button as a cell of a form: level with the editors, not with their labels."""
        cell = QWidget()
        column = QVBoxLayout(cell)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(label(" ", "dim"))
        column.addWidget(self.toggle)
        column.addStretch(1)
        return cell


class Form(QWidget):
    """Fields for a sequence of options.

    Args:
        options: In the order of the form; hidden ones are left out by the caller.
        choices: Where the models and targets to choose from come from.
        columns: How many narrow fields stand side by side.
        project: The project whose files are used instead of asking for them.
    """

    changed = Signal()
    submitted = Signal()

    def __init__(
        self,
        options: Iterable[Option],
        choices: Choices | None = None,
        *,
        columns: int = 1,
        project: CurrentProject | None = None,
    ) -> None:
        super().__init__()
        self.fields: dict[str, Field] = {}
        self._choices = choices
        self._project = project
        self._columns = columns
        every = list(options)
        plain = self._lines([option for option in every if not option.advanced])
        rare = self._lines([option for option in every if option.advanced])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        self._more = MoreOptions(self._grid(rare)) if rare else None
        if plain:
            column.addWidget(self._grid(plain, self._more))
        if self._more is not None:
            if not self._has_room(plain):
                column.addWidget(self._more.toggle)
            column.addWidget(self._more)
        self._order()
        if project is not None:
            project.changed.connect(self._show_project)
            self._show_project()

    def _show_project(self) -> None:
        """Show the values of the project, and forget those of the one before."""
        if self._project is None:
            return
        for field in self.fields.values():
            if isinstance(field.editor, ProjectEditor):
                field.editor.show_project(self._project.value)
                field.setVisible(field.editor.is_useful)
                field.forget()

    def _has_room(self, lines: Sequence[Sequence[Field]]) -> bool:
        """Return whether a widget fits behind the last field; next to a check box it is too low."""
        if not lines or isinstance(lines[-1][-1].editor, FlagEditor):
            return False
        return len(lines[-1]) < self._columns and not lines[-1][0].wide

    def _grid(self, lines: Sequence[Sequence[Field]], more: MoreOptions | None = None) -> QWidget:
        holder = QWidget()
        grid = QGridLayout(holder)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(12)
        for column in range(self._columns):
            grid.setColumnStretch(column, 1)
        for y, fields in enumerate(lines):
            beside = more is not None and fields is lines[-1] and self._has_room(lines)
            # What is alone on its line takes the whole line.
            span = self._columns if len(fields) == 1 and not beside else 1
            for x, field in enumerate(fields):
                grid.addWidget(field, y, x, 1, span)
            if beside and more is not None:
                grid.addWidget(more.beside_fields(), y, len(fields))
        return holder

    def _lines(self, options: Sequence[Option]) -> list[list[Field]]:
        """Return the fields of each line: a wide one, or narrow ones side by side."""
        lines: list[list[Field]] = []
        room = 0
        for option in options:
            field = self._field(option)
            if field.wide or not room:
                lines.append([])
                room = 1 if field.wide else self._columns
            lines[-1].append(field)
            room = 0 if field.wide else room - 1
        return lines

    def _field(self, option: Option) -> Field:
        field = Field(option, self._editor(option))
        field.changed.connect(self.changed)
        field.editor.submitted.connect(self.submitted)
        self.fields[option.name] = field
        if isinstance(field.editor, ProjectEditor) and self._project is not None:
            field.editor.change_asked.connect(self._project.change_asked)
        return field

    def _editor(self, option: Option) -> Editor:
        if self._project is not None and option.project and option.kind in _PATHS:
            return ProjectEditor(option, has_title=self._columns > 1)
        return make_editor(option, self._choices)

    def _order(self) -> None:
        """Order the fields for the Tab key like the options."""
        editors = [field.editor for field in self.fields.values()]
        for before, after in pairwise(editors):
            QWidget.setTabOrder(before, after)

    def values(self) -> dict[str, Any]:
        """The values that were entered or are defaults, each in its own type; none that is unset.

        Raises:
            UsageError: for the first value that does not fit; call ``check`` before.
        """
        checked = {
            name: field.option.check(field.editor.value()) for name, field in self.fields.items()
        }
        return {name: value for name, value in checked.items() if value is not None}

    def set_values(self, values: Mapping[str, Any]) -> None:
        """Show other values; names that the form does not have are passed over."""
        for name, value in values.items():
            if name in self.fields:
                self.fields[name].editor.set_value(value)

    def check(self) -> bool:
        """Show every complaint and focus the first wrong field; True when all values fit."""
        wrong = [field for field in self.fields.values() if not field.check()]
        if wrong:
            if wrong[0].option.advanced and self._more is not None:
                self._more.unfold()
            wrong[0].editor.setFocus()
        return not wrong

    def forget_complaints(self) -> None:
        """Hide the complaints, as in a form without any input."""
        for field in self.fields.values():
            field.forget()

    def refresh(self) -> None:
        """Read the choices of models, targets and plugins again."""
        for field in self.fields.values():
            entries = known_entries(field.option, self._choices)
            if entries is not None and isinstance(field.editor, (ChoiceEditor, ChecksEditor)):
                field.editor.set_entries(entries)


_PATHS = (Kind.FILE, Kind.FOLDER, Kind.OUTPUT, Kind.DATA)


def make_editor(option: Option, choices: Choices | None = None) -> Editor:
    """Return the editor that fits an option's kind, and the values that it can have."""
    entries = known_entries(option, choices)
    if entries is not None:
        return ChecksEditor(option, entries) if option.many else ChoiceEditor(option, entries)
    if option.kind is Kind.FLAG:
        return FlagEditor(option)
    if option.kind in (Kind.INTEGER, Kind.NUMBER) and not option.many:
        return NumberEditor(option)
    if option.kind in _PATHS and not option.many:
        return PathEditor(option)
    return TextEditor(option)


def known_entries(option: Option, choices: Choices | None) -> Sequence[Choice] | None:
    """Return the values to choose from; None where anything may be entered."""
    found = choices.choices(option) if choices is not None else None
    if found is None and option.choices:
        titles = option.choice_titles or option.choices
        return list(zip(option.choices, titles, strict=True))
    return found


def share_place(field: QWidget, other: QWidget) -> None:
    """Let a field stand where another one is, which is never shown at the same time."""
    holder = field.parentWidget()
    grid = holder.layout() if holder is not None else None
    if isinstance(grid, QGridLayout):
        place = cast("tuple[int, int, int, int]", grid.getItemPosition(grid.indexOf(field)))
        grid.addWidget(other, *place)
