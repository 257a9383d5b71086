"""The place of the check for a chip in the drawer, filled when it is first opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal

from studio.gui.widgets.late_view import LateFrame

if TYPE_CHECKING:
    from studio.gui.graph.scene import Scene
    from studio.gui.pages.model.chips.view import ChipView
    from studio.gui.pages.shared.float_nodes import FloatNodes
    from studio.gui.shell import Shell
    from studio.workspace import VariantRecord, Workspace


class ChipTool(LateFrame):
    """A frame that makes its view late, and keeps until then what the view has to show.

    Signals:
        painted: The Overlay of the placement.
        chosen: The box of the node whose row was selected.
    """

    painted = Signal(object)
    chosen = Signal(int)

    def __init__(self, workspace: Workspace, shell: Shell, floats: FloatNodes) -> None:
        super().__init__()
        self._workspace, self._shell, self._floats = workspace, shell, floats
        self._variant: VariantRecord | None = None
        self._scene: Scene | None = None
        self._view: ChipView | None = None

    @property
    def view(self) -> ChipView:
        """The view, made by the first look at it."""
        if self._view is None:
            from studio.gui.pages.model.chips.view import ChipView

            self._view = view = ChipView(self._workspace, self._shell, self._floats)
            view.painted.connect(self.painted)
            view.chosen.connect(self.chosen)
            view.show_variant(self._variant)
            view.show_scene(self._scene)
            self._layout.addWidget(view)
            view.show()  # at once, where its place is seen already
        return self._view

    def complete(self) -> None:
        """Make the view; a second call does nothing."""
        self._view = self.view

    def show_variant(self, variant: VariantRecord | None) -> None:
        """Set another variant."""
        self._variant, self._scene = variant, None
        if self._view is not None:
            self._view.show_variant(variant)

    def show_scene(self, scene: Scene | None) -> None:
        """Set the graph that is shown; None for one whose names are its own."""
        self._scene = scene
        if self._view is not None:
            self._view.show_scene(scene)

    def on_event(self, event: object) -> None:
        """Follow the jobs of the view."""
        if self._view is not None:
            self._view.on_event(event)
