"""The editor of a value that belongs to the model's project: it is shown, and changed there."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout

from studio.api import Option
from studio.api.qt import plain_tip
from studio.gui.forms.editors import Editor
from studio.gui.widgets.basics import GRID, ElidedLabel, button, label
from studio.projects.results import Project

_TITLE_WIDTH = 14 * GRID


class ProjectEditor(Editor):
    """A file of the model's project.

    Signals:
        change_asked: The user wants to change the project.

    Attributes:
        is_useful: Whether the model's task can use such a file.
    """

    wide = True
    change_asked = Signal()

    def __init__(self, option: Option, has_title: bool = False) -> None:
        super().__init__(option)
        self.has_title = has_title
        self._path: str | None = None
        self._own: str | None = None
        self._stands_in = self._is_stale = False
        self.is_useful = True
        self.text = ElidedLabel("", Qt.TextElideMode.ElideMiddle)
        self.change = button("Change", self.change_asked.emit, "link")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID)
        if has_title:
            title = label(option.label, "dim")
            title.setMinimumWidth(_TITLE_WIDTH)
            layout.addWidget(title)
        layout.addWidget(self.text, 1)
        layout.addWidget(self.change)
        self._name(self.change)
        self._show()

    def show_project(self, project: Project | None) -> None:
        """Show the value of a project; what contradicts the model does not count."""
        before = self.value()
        self._own = None  # a value of one model is none of another
        names = self.option.project
        values = project.usable(*names) if project is not None else ()
        self._stands_in = project is not None and project.stands_in(names)
        self._path = None if self._stands_in else next(iter(values), None)
        self.is_useful = (
            project is None or bool(values) or any(project.has_use_for(one) for one in names)
        )
        self._show_soon()
        if self.value() != before:
            self.changed.emit()

    def value(self) -> str | None:
        """Return the path, or None where the project has none."""
        return self._own or self._path

    def set_value(self, value: object) -> None:
        """Use another path than the project's until the next model; None goes back to it."""
        self._own = str(value) if value else None
        self._show()
        self.changed.emit()

    def complaint(self) -> str:
        """Return that the file is gone, or that a required value is missing."""
        path = self.value()
        if path is not None and not Path(path).exists():
            return f"{path} does not exist."
        if path is None and self.option.required:
            return f"The project has no {self.option.label.lower()}. Press Add."
        return ""

    def showEvent(self, event: QShowEvent) -> None:
        """Show what has changed while the page was hidden."""
        super().showEvent(event)
        if self._is_stale:
            self._show()

    def _show_soon(self) -> None:
        """Show the value now, or when the page is: a model has fields on all pages."""
        self._is_stale = not self.isVisible()
        if not self._is_stale:
            self._show()

    def _show(self) -> None:
        self._is_stale = False
        path = self.value()
        unset = "Used as evaluation data" if self._stands_in else "Not set"
        self.text.setText(Path(path).name if path else unset)
        self.text.setToolTip(plain_tip(path or ""))
        self.change.setText("Change" if path else "Add")
        self.change.setAccessibleName(f"{self.option.label}: {self.text.full_text()}, change")
