"""The Model page as its helpers know it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from PySide6.QtGui import QAction

    from studio.gui.graph.view import GraphPane
    from studio.gui.pages.model.screen_anchor import ScreenAnchor
    from studio.gui.shell import Shell
    from studio.workspace import GraphView, Workspace


class GraphPage(Protocol):
    """A page with the graph of a model.

    Attributes:
        workspace: Runs what takes time.
        shell: What the window does for the page.
        pane: The canvas with what lies on it.
        view: The model's graph; None before it was read.
        path: The part that is shown; empty for the main graph.
    """

    workspace: Workspace
    shell: Shell
    pane: GraphPane
    view: GraphView | None
    path: str

    @property
    def is_folded(self) -> bool:
        """Whether blocks are shown rather than all nodes."""

    def show_part(
        self, path: str, select: tuple[str, str] | None = None, held: ScreenAnchor | None = None
    ) -> None:
        """Show a block or a function of the model, with something selected or held in place."""

    def show_box(self, index: int) -> None:
        """Show the page with a box of the graph selected."""

    def show_view(self, index: int) -> None:
        """Show a sub-view."""

    def open_tool(self, number: int) -> None:
        """Open a tool of the drawer below the graph."""

    def start_search(self, text: str = "") -> None:
        """Focus the search field, and search for a text."""

    def toggle_detail(self) -> None:
        """Show all nodes instead of blocks, or blocks again."""

    def leave(self) -> None:
        """Leave the block that is shown."""

    def add_command(self, text: str, run: Callable[[], object], shortcut: str = "") -> QAction:
        """Add an action to the command palette."""
