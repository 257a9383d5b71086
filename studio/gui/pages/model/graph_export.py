"""The graph as a file: SVG, PNG, or a page that is panned, searched and looked into."""

from __future__ import annotations

import json
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog, QMenu, QPushButton

from studio.gui.shell import Shell
from studio.gui.widgets.basics import set_enabled

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from studio.gui.pages.model.node_metric_sources import Source
    from studio.workspace import RunningJob, VariantRecord

FORMATS = (
    (".html", True, "Interactive page (HTML)…"),
    (".svg", False, "Drawing of the current view (SVG)…"),
    (".png", False, "Picture of the current view (PNG)…"),
    (".svg", True, "Drawing of all nodes (SVG)…"),
    (".png", True, "Picture of all nodes (PNG)…"),
)
"""What can be written: the file's suffix, whether all nodes are drawn, the title."""

STEP = "graph"
_OF_ALL = ("across",)
"""What of the view holds for a drawing of all nodes, too."""


class GraphExport(QPushButton):
    """The menu of export formats; the painted metrics are exported with the graph.

    Args:
        painted: The numbers that are painted on the graph; None for its own colours.
        seen: What is drawn of the graph, as options of the step.
    """

    def __init__(
        self,
        shell: Shell,
        painted: Callable[[], Source | None],
        seen: Callable[[], Mapping[str, object]],
    ) -> None:
        super().__init__("Export")
        self._shell = shell
        self._seen = seen
        self._painted = painted
        self._variant: VariantRecord | None = None
        self._running: list[tuple[RunningJob, tempfile.TemporaryDirectory[str] | None]] = []
        self.setProperty("kind", "quiet")
        self.setAccessibleName("Export the graph")
        menu = QMenu(self)
        for suffix, is_whole, title in FORMATS:
            menu.addAction(title, partial(self.choose_file, suffix, whole=is_whole))
        self.setMenu(menu)
        self.show_variant(None)

    def show_variant(self, variant: VariantRecord | None) -> None:
        """Set another variant."""
        self._variant = variant
        set_enabled(self, "" if variant is not None else "No model is open.")
        if variant is not None:
            self.setToolTip("Export the graph to a file, with the node metrics shown")

    def choose_file(self, suffix: str, *, whole: bool = True) -> None:
        """Open the dialog for the file's path, and start the export.

        Args:
            whole: All nodes of the main graph, not what is shown.
        """
        if self._variant is None:
            return
        name = f"{self._variant.model_name}-{self._variant.name}{suffix}"
        kind = f"{suffix[1:].upper()} (*{suffix})"
        path, _ = QFileDialog.getSaveFileName(self, "Export the graph", name, kind)
        if path:
            self.write(Path(path if path.endswith(suffix) else path + suffix), whole=whole)

    def write(self, path: Path, *, whole: bool = True) -> None:
        """Start to write; what becomes of it is said when the job has ended."""
        if self._variant is None:
            return
        options: dict[str, object] = {"model": f"#{self._variant.id}", "out": str(path)}
        seen = self._seen()
        options |= {name: value for name, value in seen.items() if not whole or name in _OF_ALL}
        source, folder = self._painted(), None
        if source is not None and source.values:
            folder = tempfile.TemporaryDirectory(prefix="edgewright-export-")
            file = Path(folder.name, "numbers.json")
            values = {name: source.measure(value) for name, value in source.values.items()}
            content = {"title": source.legend, "unit": source.unit, "values": values}
            file.write_text(json.dumps(content), encoding="utf-8")
            options["overlay"] = str(file)
        job = self._shell.start(STEP, **options)
        if job is not None:
            self._running.append((job, folder))
        elif folder is not None:
            folder.cleanup()

    def on_event(self, event: object) -> None:
        """Follow the jobs."""
        for one in list(self._running):
            job, folder = one
            if getattr(event, "job", None) is not job or job.outcome is None:
                continue
            self._running.remove(one)
            if folder is not None:
                folder.cleanup()
            if job.outcome.ok:
                self._shell.notify(f"Graph exported to {job.outcome.result.output}.", "good")
