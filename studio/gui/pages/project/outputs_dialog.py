"""The form of an ``outputs.toml``: what a model's outputs mean, and how they are decoded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from PySide6.QtWidgets import QDialog, QVBoxLayout, QWidget

from studio.api import Option
from studio.gui.forms.editors import ChoiceEditor
from studio.gui.forms.form import Form
from studio.gui.widgets.basics import GRID, button, label, row
from studio.workspace import OUTPUT_HEADS, OUTPUT_KEYS

_WIDTH = 54 * GRID
_TASK = "task"
_KEYS = tuple(dict.fromkeys(key for keys in OUTPUT_KEYS.values() for key in keys))


class OutputsDialog(QDialog):
    """The dialog with the settings of one model; a task shows those that it has a use for.

    Args:
        path: The file that is written.
        options: Those of the step ``project-outputs``.
        values: Known ones, by their keys.
        agreed: Called with those that were given.

    Attributes:
        confirm: The button that writes.
    """

    def __init__(
        self,
        path: Path,
        options: Sequence[Option],
        values: Mapping[str, object],
        agreed: Callable[[Mapping[str, object]], object],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._agreed = agreed
        self.setWindowTitle("What the outputs mean")
        self.form = Form([one for one in options if one.name in (_TASK, *_KEYS)], columns=2)
        self.form.set_values(values)
        self.confirm = button("Save", self._accept, "primary")
        self.confirm.setDefault(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * GRID, 3 * GRID, 3 * GRID, 3 * GRID)
        column.setSpacing(2 * GRID)
        column.addWidget(label("What the outputs mean", "title", wrap=True))
        verb = "replaces" if path.exists() else "is written as"
        column.addWidget(
            label(f"A sample is decoded first. Then it {verb} {path}.", "dim", wrap=True)
        )
        column.addWidget(self.form)
        column.addLayout(row(None, button("Cancel", self.reject), self.confirm))
        self.form.setMinimumWidth(_WIDTH)
        self.form.fields[_TASK].changed.connect(self._show_keys)
        self._show_keys()
        column.setSizeConstraint(QVBoxLayout.SizeConstraint.SetFixedSize)

    @property
    def _task(self) -> str:
        return str(self.form.fields[_TASK].editor.value() or "")

    def _show_keys(self) -> None:
        """Show what the task has a use for."""
        task = self._task
        for name in _KEYS:
            self.form.fields[name].setVisible(name in OUTPUT_KEYS.get(task, ()))
        head = self.form.fields["head"].editor
        if isinstance(head, ChoiceEditor):
            head.set_entries([(one, one) for one in OUTPUT_HEADS.get(task, ())])
        self.confirm.setEnabled(bool(task))

    def _accept(self) -> None:
        if self.form.check():
            shown = (_TASK, *OUTPUT_KEYS[self._task])
            given = {name: value for name, value in self.form.values().items() if name in shown}
            self.accept()
            self._agreed(given)
