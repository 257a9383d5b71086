"""Which model and variant the window is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from studio.api import StudioError

if TYPE_CHECKING:
    from studio.workspace import VariantRecord, Workspace


class Selection(QObject):
    """The current variant and its siblings, as last read from the registry.

    Signals:
        changed: Another variant is current, or the model has other variants.
    """

    changed = Signal()

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self.variant: VariantRecord | None = None
        self.variants: list[VariantRecord] = []

    def select(self, number: int) -> bool:
        """Make a variant the current one; False when the registry does not have it."""
        try:
            variant = self._workspace.registry.variant(number)
        except StudioError:
            return False
        self.variant = variant
        self.variants = list(self._workspace.registry.variants(variant.model))
        self.changed.emit()
        return True

    def select_model(self, model: int) -> None:
        """Make the newest variant of a model the current one."""
        variants = list(self._workspace.registry.variants(model))
        if variants:
            self.select(variants[0].id)

    def refresh(self) -> None:
        """Read the registry again."""
        if self.variant is None:
            return
        variants = list(self._workspace.registry.variants(self.variant.model))
        if [variant.id for variant in variants] != [variant.id for variant in self.variants]:
            self.variants = variants
            self.changed.emit()

    def close(self) -> None:
        """Make no variant the current one."""
        self.variant, self.variants = None, []
        self.changed.emit()
