"""The current variant and the project of its model, as pages and forms follow them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QObject, Signal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtCore import SignalInstance

    from studio.projects.results import Project
    from studio.workspace import VariantRecord, Workspace


class CurrentVariant(Protocol):
    """The variant that the window is about."""

    @property
    def variant(self) -> VariantRecord | None:
        """The current variant; None when no model is open."""

    @property
    def variants(self) -> Sequence[VariantRecord]:
        """All variants of its model."""

    @property
    def changed(self) -> SignalInstance:
        """Another variant is current, or the model has other variants."""

    def close(self) -> None:
        """Make no variant the current one."""


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
        self._has_ended = False
        self._workspace: Workspace
        self._current: CurrentVariant

    def follow(self, workspace: Workspace, current: CurrentVariant) -> None:
        """Follow the current variant from now on."""
        self._workspace, self._current = workspace, current
        current.changed.connect(self.read)

    def read(self) -> None:
        """Read it in the background: its folder may be on a slow disk."""
        workspace, variant = self._workspace, self._current.variant
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

    def end(self) -> None:
        """Follow nothing any more: what is still read comes after the registry is closed."""
        self._has_ended = True

    def _take(self, model: int | None, found: Project | Exception) -> None:
        if self._has_ended:
            return
        if model == self._model and not isinstance(found, Exception):
            self.show(found)
