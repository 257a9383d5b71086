"""The choice among the targets that serve something."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QComboBox

from studio.api import TargetSpec
from studio.gui.pages.shared import target_rows
from studio.gui.widgets.basics import GRID

if TYPE_CHECKING:
    from studio.workspace import Workspace


class ServingChoice(QComboBox):
    """A box with the targets that something was deployed to.

    Attributes:
        targets: What it offers, in the registry's order.
    """

    def __init__(self) -> None:
        super().__init__()
        self.targets: list[TargetSpec] = []
        self.setAccessibleName("Target")
        self.setMinimumWidth(24 * GRID)

    @property
    def target(self) -> TargetSpec | None:
        """The chosen target; None when nothing serves."""
        index = self.currentIndex()
        return self.targets[index] if 0 <= index < len(self.targets) else None

    def offer(self, workspace: Workspace) -> None:
        """Offer what serves now. What was chosen stays so, and no signal is sent."""
        kept, registry = self.target, workspace.registry
        serving = registry.history.serving()
        self.targets = [target for target in registry.targets() if target.name in serving]
        self.blockSignals(True)
        self.clear()
        for target in self.targets:
            self.addItem(target_rows.title(target), target.name)
        if kept is not None:
            self.setCurrentIndex(max(self.findData(kept.name), 0))
        self.blockSignals(False)
