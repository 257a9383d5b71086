"""The two ways between a profile and the graph of its model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.gui.pages.profile import rows
from studio.gui.pages.profile.results_view import ResultsView
from studio.gui.shell import Shell
from studio.profiling.results import ProfileResult
from studio.workspace import NodeAsked

if TYPE_CHECKING:
    from studio.workspace import VariantRecord, Workspace


class GraphLink:
    """Shows a node of the profile in the graph, and a node of the graph in the profile.

    Attributes:
        wanted: Name of the node whose time the graph has requested; empty without one.
    """

    def __init__(self, workspace: Workspace, shell: Shell, results: ResultsView) -> None:
        self.wanted = ""
        self._workspace = workspace
        self._shell = shell
        self._results = results

    def show_in_graph(self, key: str, node: str) -> None:
        """Go to a node of the model that a run has measured."""
        run = rows.run_of(self._results.result, key)
        if run is not None and run.variant_id:
            self._shell.select(run.variant_id)
        self._shell.go("model")
        self._workspace.events.publish(NodeAsked(node))

    def show_wanted(self, result: ProfileResult, variant: VariantRecord | None) -> bool:
        """Select the node that the graph has named; True if a run of the variant is shown."""
        name = self.wanted
        if not name or variant is None or not result.runs:
            return False
        self.wanted = ""
        run = next((run for run in result.runs if run.variant_id == variant.id), None)
        keys = [item.key for item in self._results.rows]
        is_shown = run is not None and run.id in keys
        if run is not None and is_shown:
            self._results.table.selectRow(keys.index(run.id))
        if not self._results.show_node(name):
            self._shell.notify(f"The newest profile has no time of {name} in {variant.name}.")
        return is_shown
