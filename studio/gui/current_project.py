"""The project of the current model, as the window's pages and forms follow it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

if TYPE_CHECKING:
    from studio.projects.results import Project
    from studio.workspace import VariantRecord, Workspace


class CurrentProject(QObject):
    """The project of the current model; None without a model, and until it is read.

    Signals:
        changed: Another project is there, or other values in it.
        change_asked: The user wants to see and change it.
    """

    changed = Signal()
    change_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.value: Project | None = None
        self._model: int | None = None

    def read(self, workspace: Workspace, variant: VariantRecord | None) -> None:
        """Read it in the background: its folder may be on a slow disk."""
        model = variant.model if variant is not None else None
        if model != self._model:
            self._model = model
            self.show(None)
        if variant is not None:
            call = partial(workspace.projects.of, variant)
            workspace.in_background(call, partial(self._take, model))

    def show(self, project: Project | None) -> None:
        """Make another project the current one."""
        if project != self.value:
            self.value = project
            self.changed.emit()

    def _take(self, model: int | None, found: Project | Exception) -> None:
        if model == self._model and not isinstance(found, Exception):
            self.show(found)
