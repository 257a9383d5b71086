"""The choice among the targets that serve something."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QComboBox

from studio.api import TargetSpec
from studio.gui.pages.shared import target_rows
from studio.gui.widgets.basics import GRID

if TYPE_CHECKING:
    from studio.workspace import EndpointStates, VariantRecord, Workspace


class ServingChoice(QComboBox):
    """A box with the targets that something was deployed to.

    All boxes of a window show the same one: who tries an endpoint wants the one just watched.

    Args:
        shared: Where the choice is kept.

    Attributes:
        targets: What it offers, in the registry's order.
    """

    def __init__(self, shared: EndpointStates) -> None:
        super().__init__()
        self._shared = shared
        self.targets: list[TargetSpec] = []
        self.setAccessibleName("Target")
        self.setMinimumWidth(18 * GRID)
        self.setMaximumWidth(34 * GRID)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.currentIndexChanged.connect(lambda _: self._keep())

    @property
    def target(self) -> TargetSpec | None:
        """The chosen target; None when nothing serves."""
        index = self.currentIndex()
        return self.targets[index] if 0 <= index < len(self.targets) else None

    def _keep(self) -> None:
        if self.target is not None:
            self._shared.chosen = self.target.name

    def choose(self, name: str) -> None:
        """Choose a target; one that is not offered changes nothing."""
        place = self.findData(name)
        if place >= 0:
            self.setCurrentIndex(place)
            self._shared.chosen = name

    def showEvent(self, event: QShowEvent) -> None:
        """Follow the choice of another page."""
        super().showEvent(event)
        self.choose(self._shared.chosen)

    def offer(self, workspace: Workspace, variant: VariantRecord | None) -> None:
        """Offer what serves now; another model than before brings its endpoint.

        Else what was chosen stays so, and no signal is sent.
        """
        registry, running = workspace.registry, workspace.registry.history.running()
        self._shared.follow(variant.model_name if variant is not None else "", running)
        kept = self._shared.chosen or (self.target.name if self.target else "")
        self.targets = [target for target in registry.targets() if target.name in running]
        self.blockSignals(True)
        self.clear()
        for target in self.targets:
            model = running[target.name].facts.name
            title = target_rows.title(target)
            self.addItem(f"{model} · {title}" if model else title, target.name)
        if kept:
            self.setCurrentIndex(max(self.findData(kept), 0))
        self.blockSignals(False)
