"""Direction, shapes and dock of the graphs of the Model page, kept in the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.gui.graph.controls.choices import ViewChoices, recall, store

if TYPE_CHECKING:
    from studio.gui.pages.model.block_expansion import BlockExpansion
    from studio.gui.pages.model.compare_view import CompareView
    from studio.gui.pages.model.graph_page import GraphPage


class ViewSettings:
    """The choices of the user, the same for the graph and for both sides of a comparison.

    Attributes:
        choices: What is chosen now.
    """

    def __init__(self, page: GraphPage, unfolding: BlockExpansion, compare: CompareView) -> None:
        self._page, self._unfolding, self._compare = page, unfolding, compare
        self.choices = recall(page.workspace.settings)
        self._show()
        page.pane.bar.chosen.connect(self._choose)
        compare.panes.choices_changed.connect(self._choose)

    def _choose(self, choices: ViewChoices) -> None:
        is_turned = choices.across != self.choices.across
        self.choices = choices
        store(self._page.workspace.settings, choices)
        self._show()
        if is_turned:
            held = self._unfolding.middle()
            self._page.show_part(self._page.path, held=held)
            self._compare.rebuild()

    def _show(self) -> None:
        self._page.pane.show_choices(self.choices)
        self._compare.panes.show_choices(self.choices)
