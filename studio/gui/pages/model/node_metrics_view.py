"""The metrics of a graph's nodes as a table: costs, and the times of a profile."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Hashable, Iterator
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication, QShowEvent
from PySide6.QtWidgets import QComboBox, QFileDialog, QStackedWidget, QVBoxLayout, QWidget

from studio.api import Extension, StudioError
from studio.documents.plain import spreadsheet_cell
from studio.gui import figures
from studio.gui.graph.overlay import Overlay, make_overlay, state_overlay
from studio.gui.graph.scene import Box, Scene
from studio.gui.names import shown
from studio.gui.pages.model.node_metric_sources import (
    FLOAT,
    SMALL,
    Source,
    analyzer_source,
    from_file,
    sources_of,
)
from studio.gui.pages.model.query_cache import QueryCache
from studio.gui.shell import Shell
from studio.gui.widgets.basics import GRID, Hint, button, label, row, set_enabled
from studio.gui.widgets.sortable import SortableRow, SortableTable
from studio.gui.widgets.wrapping_bar import WrappingBar
from studio.models.results import AnalysisResult
from studio.quantization.results import QuantizeResult, SensitivityResult
from studio.workspace import nodes_within, read_numbers

if TYPE_CHECKING:
    from studio.workspace import GraphView, VariantRecord, Workspace

COLUMNS = ("Operator", "Node", "Value", "Share", "Note")
_CSV_COLUMNS = ("operator", "node", "value", "share", "remark", "number")
"""An interface: spreadsheets of users read them."""
ANALYZE = "analyze"
_WIDTHS = (160, 0, 140, 80, 220)
_NOTE = 4
_STATES = {SMALL: "normalization", FLOAT: "activation"}
"""Graph colours of the states that sources know."""

_TOKENS = ("convolution", "product", "pooling", "control", "quantization", "arithmetic")
"""Those of all others, such as the names of execution providers, in turn."""


class NodeMetricsView(QWidget):
    """One source at a time, painted when the user has chosen it.

    Signals:
        painted: The Overlay of the chosen source.
        chosen: The box whose line was selected.
    """

    painted = Signal(object)
    chosen = Signal(int)

    def __init__(self, workspace: Workspace, shell: Shell) -> None:
        super().__init__()
        self._workspace = workspace
        self._shell = shell
        self._analyses: QueryCache[AnalysisResult] = QueryCache(shell, ANALYZE)
        self._files: list[Source] = []
        self._variant: VariantRecord | None = None
        self._scene: Scene | None = None
        self._view: GraphView | None = None
        self._sources: list[Source] = []
        self._is_stale = True
        self.combo = QComboBox()
        self.combo.setAccessibleName("Node metrics")
        self.combo.setMinimumWidth(36 * GRID)
        self.total = label("", "dim")
        self.table = SortableTable(COLUMNS, (2, 3), _WIDTHS, "Node metrics")
        self.empty = Hint(
            "No metrics for these nodes",
            "Costs need static shapes. Profile with per-operator timing to see where time is "
            "spent.",
        )
        self._stack = QStackedWidget()
        self._stack.addWidget(self.table)
        self._stack.addWidget(self.empty)
        self.open = button("From a file…", self._choose_file, "link")
        self.open.setToolTip(
            'JSON with one value per node name: {"values": {"conv1": 1.5}, "unit": "ms"}'
        )
        self.copy = button("Copy as CSV", self.copy_rows, "link")
        chosen = row(label("Node metrics", "dim"), self.combo, self.total)
        top = WrappingBar(chosen, row(None, self.open, self.copy))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(top)
        layout.addWidget(self._stack, 1)
        self.combo.activated.connect(lambda _: self.paint())
        self.combo.currentIndexChanged.connect(lambda _: self._list())
        self.table.chosen.connect(self._chosen)

    def show_scene(self, scene: Scene | None, view: GraphView | None) -> None:
        """Set another graph."""
        self._scene, self._view = scene, view
        self._refresh_soon()

    def show_variant(self, variant: VariantRecord | None) -> None:
        """Set another variant, whose graph still loads."""
        self._variant, self._files = variant, []
        self.show_scene(None, None)

    def refresh_runs(self) -> None:
        """There may be a new profile."""
        self._refresh_soon()

    def show_box(self, box: int | None) -> None:
        """Select the line of a box."""
        self.table.select(box)

    def showEvent(self, event: QShowEvent) -> None:
        """Read what there is now."""
        super().showEvent(event)
        if self._is_stale:
            self._refresh()

    def source(self) -> Source | None:
        """Return the chosen source; None while its numbers have yet to be computed."""
        source = self._chosen_source()
        return None if source is not None and source.analyzer else source

    def _chosen_source(self) -> Source | None:
        index = self.combo.currentIndex()
        return self._sources[index] if 0 <= index < len(self._sources) else None

    def paint(self) -> None:
        """Paint the chosen source; an analyzer's numbers are computed first."""
        source = self._chosen_source()
        if source is not None and source.analyzer:
            self._analyze(source)
        elif source is not None and self._scene is not None:
            self.painted.emit(self._overlay(source, self._scene))

    def _refresh_soon(self) -> None:
        self._is_stale = True
        if self.isVisible():
            self._refresh()

    def _refresh(self) -> None:
        self._is_stale = False
        kept = self.combo.currentText()
        found = self._find() if self._view is not None else ()
        self._sources = [one for one in found if one.values or one.states or one.analyzer]
        self.combo.blockSignals(True)
        self.combo.clear()
        self.combo.addItems([source.title for source in self._sources])
        self.combo.setCurrentIndex(max(self.combo.findText(kept), 0) if self._sources else -1)
        self.combo.blockSignals(False)
        self.combo.setEnabled(bool(self._sources))
        self._list()

    def _find(self) -> Iterator[Source]:
        assert self._view is not None
        results = self._workspace.results
        profiles = self._workspace.registry.runs("profile")
        quantizations = results.of("quantize", QuantizeResult)
        costs = results.of("sensitivity", SensitivityResult)
        yield from sources_of(self._view, self._variant, profiles, quantizations, costs)
        if self._variant is not None:
            for one in self._workspace.plugins.all(Extension.ANALYZER):
                found = self._analyses.known(**self._analysis(one.id))
                yield analyzer_source(one.id, one.title, found)
        yield from self._files

    def _analysis(self, analyzer: str) -> dict[str, str]:
        """Return the options of the step that computes an analyzer's numbers."""
        assert self._variant is not None
        return {"model": f"#{self._variant.id}", "analyzer": analyzer}

    def _analyze(self, source: Source) -> None:
        """Compute the numbers of a source that has none yet, and paint them."""
        self.total.setText("Computing…")
        done = partial(self._analyzed, source.title)
        self._analyses.query(done, **self._analysis(source.analyzer))

    def _analyzed(self, title: str, found: AnalysisResult | None) -> None:
        is_shown = self.combo.currentText() == title
        self._refresh()
        if found is None:
            return
        if not found.values:
            self._shell.notify(f"{title}: no node has a number.")
        elif is_shown:
            self.paint()

    def on_event(self, event: object) -> None:
        """Follow the analyses to their ends."""
        self._analyses.on_event(event)

    def _choose_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Node metrics", "", "JSON (*.json)")
        if path:
            self.open_file(Path(path))

    def open_file(self, path: Path) -> None:
        """Offer the numbers of a file, and paint them."""
        names = {node.name for node in self._view.model.graph.nodes} if self._view else set()
        try:
            title, unit, values = read_numbers(path, names)
        except StudioError as error:
            self._shell.fail(error)
            return
        self._files.append(from_file(title or path.stem, unit, values))
        self._refresh()
        self.combo.setCurrentIndex(len(self._sources) - 1)
        self.paint()

    def copy_rows(self) -> None:
        """Put the table, in its order, on the clipboard as CSV."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(_CSV_COLUMNS)
        rows = self.table.content.rows
        for one in rows:
            number = one.values[2]
            texts = map(spreadsheet_cell, one.texts)
            writer.writerow((*texts, number if isinstance(number, float) else ""))
        QGuiApplication.clipboard().setText(text.getvalue())
        self._shell.notify(f"{figures.count(len(rows), 'line')} copied.", "good")

    def _list(self) -> None:
        source, scene = self.source(), self._scene
        if source is None or scene is None:
            self._show_rows([])
            return
        # Off the window's thread: there may be 50,000 of them.
        rows = partial(_rows, source, scene)
        self._workspace.in_background(rows, partial(self._listed, source, scene))

    def _listed(self, source: Source, scene: Scene, rows: list[SortableRow] | Exception) -> None:
        if isinstance(rows, Exception):
            raise rows
        if source is self.source() and scene is self._scene:
            self._show_rows(rows, source)

    def _show_rows(self, rows: list[SortableRow], source: Source | None = None) -> None:
        self.table.show_rows(rows)
        self.table.hide_empty(_NOTE)
        self._stack.setCurrentWidget(self.table if rows else self.empty)
        set_enabled(self.copy, "" if rows else "No metrics to copy.")
        count = figures.count(len(rows), "node") if rows else ""
        if source is not None and source.sums and rows and not source.states:
            count = f"{source.text(sum(one.values[2] for one in rows))} in {count}"
        self.total.setText(count)

    def _overlay(self, source: Source, scene: Scene) -> Overlay:
        if source.states:
            theme = self._shell.theming.current
            states = dict(_states(source, scene))
            others = sorted(set(states.values()) - set(_STATES))
            tokens = {**_STATES, **dict(zip(others, cycle(_TOKENS), strict=False))}
            colors = {state: theme.graph_color(token) for state, token in tokens.items()}
            return state_overlay(source.legend, states, colors)
        return make_overlay(source.legend, dict(_values(source, scene)), source.text)

    def _chosen(self, key: Hashable) -> None:
        if isinstance(key, int):
            self.chosen.emit(key)


def _values(source: Source, scene: Scene) -> Iterator[tuple[int, float]]:
    """Yield the number of each box; that of a block is made of its nodes'."""
    join: Callable[[list[float]], float] = sum if source.sums else max
    for index, box in enumerate(scene.boxes):
        if box.node is None or not scene.width[index]:
            continue
        known = [source.values[name] for name in nodes_within(box.node) if name in source.values]
        if known and ((value := join(known)) or source.shows_zeros):
            yield index, value


def _states(source: Source, scene: Scene) -> Iterator[tuple[int, str]]:
    """Yield the state of each box; a block in which one layer stays in float is shown as such."""
    for index, box in enumerate(scene.boxes):
        if box.node is None:
            continue
        found = {source.states[name] for name in nodes_within(box.node) if name in source.states}
        if found:
            yield index, FLOAT if FLOAT in found else " and ".join(sorted(found))


def _rows(source: Source, scene: Scene) -> list[SortableRow]:
    if source.states:
        return _state_rows(source, scene)
    rows = []
    found = sorted(_values(source, scene), key=lambda one: -one[1])
    total = sum(value for _, value in found) or 1.0
    for index, value in found:
        box, share = scene.boxes[index], value / total
        remark = _remark(source, box)
        part = f"{100 * share:.1f} %" if source.sums else ""
        texts = (box.title, shown(box.name), source.text(value), part, remark)
        rows.append(SortableRow(index, texts, (box.title, box.name, value, share, remark)))
    return rows


def _state_rows(source: Source, scene: Scene) -> list[SortableRow]:
    rows = []
    for index, state in _states(source, scene):
        box = scene.boxes[index]
        remark = _remark(source, box)
        texts = (box.title, shown(box.name), state, "", remark)
        rows.append(SortableRow(index, texts, (box.title, box.name, state, None, remark)))
    return sorted(rows, key=lambda one: one.texts[2])


def _remark(source: Source, box: Box) -> str:
    """Return the note of a node, or of the first node of a block that has one."""
    names = nodes_within(box.node) if box.node is not None and source.notes else ()
    return next((source.notes[name] for name in names if source.notes.get(name)), "")
