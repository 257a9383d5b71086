"""Numbers of a graph's nodes as a table beside it: costs, and the times of a profile."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QStackedWidget, QVBoxLayout, QWidget

from studio.gui import figures
from studio.gui.graph.costs import KINDS, cost_of
from studio.gui.graph.overlay import Overlay, make_overlay
from studio.gui.graph.scene import Scene
from studio.gui.sortable import Row, SortableTable
from studio.gui.widgets import GRID, Hint, label, row

if TYPE_CHECKING:
    from collections.abc import Callable

    from studio.workspace import GraphView, VariantRecord, Workspace

COLUMNS = ("Operator", "Node", "Value", "Share")
_WIDTHS = (160, 0, 140, 88)
_MOST_RUNS = 10


@dataclass(frozen=True, slots=True)
class Source:
    """Numbers by node name.

    Attributes:
        title: In the list of sources.
        legend: On the canvas.
        text: How a number is written.
    """

    title: str
    legend: str
    text: Callable[[float], str]
    values: Mapping[str, float]


class NumbersView(QWidget):
    """One source at a time, painted when the user has chosen it.

    Signals:
        painted: The Overlay of the chosen source.
        chosen: The box whose line was selected.
    """

    painted = Signal(object)
    chosen = Signal(int)

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self._variant: VariantRecord | None = None
        self._scene: Scene | None = None
        self._view: GraphView | None = None
        self._sources: list[Source] = []
        self._is_stale = True
        self.combo = QComboBox()
        self.combo.setAccessibleName("Numbers")
        self.combo.setMinimumWidth(36 * GRID)
        self.total = label("", "dim")
        self.table = SortableTable(COLUMNS, (2, 3), _WIDTHS, "Numbers of the nodes")
        self.empty = Hint(
            "No numbers for these nodes",
            "Costs need known shapes. Profile this variant with operators to see where time goes.",
        )
        self._stack = QStackedWidget()
        self._stack.addWidget(self.table)
        self._stack.addWidget(self.empty)
        top = row(label("Numbers", "dim"), self.combo, self.total, None)
        top.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(top)
        layout.addWidget(self._stack, 1)
        self.combo.activated.connect(lambda _: self.paint())
        self.combo.currentIndexChanged.connect(lambda _: self._list())
        self.table.chosen.connect(self._chosen)

    def show_scene(self, scene: Scene | None, view: GraphView | None) -> None:
        """Take another graph."""
        self._scene, self._view = scene, view
        self._refresh_soon()

    def show_variant(self, variant: VariantRecord | None) -> None:
        """Take another variant, whose graph is still to come."""
        self._variant = variant
        self.show_scene(None, None)

    def refresh_runs(self) -> None:
        """There may be a new profile."""
        self._refresh_soon()

    def show_box(self, box: int | None) -> None:
        """Select the line of a box."""
        self.table.select(box)

    def showEvent(self, event: Any) -> None:
        """Read what there is now."""
        super().showEvent(event)
        if self._is_stale:
            self._refresh()

    def source(self) -> Source | None:
        """The chosen source."""
        index = self.combo.currentIndex()
        return self._sources[index] if 0 <= index < len(self._sources) else None

    def paint(self) -> None:
        """Paint the chosen source."""
        source = self.source()
        if source is not None and self._scene is not None:
            self.painted.emit(self._overlay(source, self._scene))

    def _refresh_soon(self) -> None:
        self._is_stale = True
        if self.isVisible():
            self._refresh()

    def _refresh(self) -> None:
        self._is_stale = False
        kept = self.combo.currentText()
        found = self._find() if self._view is not None else ()
        self._sources = [source for source in found if source.values]
        self.combo.blockSignals(True)
        self.combo.clear()
        self.combo.addItems([source.title for source in self._sources])
        self.combo.setCurrentIndex(max(self.combo.findText(kept), 0) if self._sources else -1)
        self.combo.blockSignals(False)
        self.combo.setEnabled(bool(self._sources))
        self._list()

    def _find(self) -> Iterator[Source]:
        assert self._view is not None
        for kind in KINDS:
            yield Source(kind.title, kind.legend, kind.text, kind.values(self._view))
        if self._variant is not None:
            runs = self._workspace.registry.runs("profile")
            variant = self._variant
            mine = (run for run in runs if variant.id in run.options.get("models", ()))
            for run in list(mine)[:_MOST_RUNS]:
                yield from _profiled(run.result, variant, figures.moment(run.created))

    def _list(self) -> None:
        source, scene = self.source(), self._scene
        if source is None or scene is None:
            self._show_rows([])
            return
        # Off the window's thread: there may be 50,000 of them.
        rows = partial(_rows, source, scene)
        self._workspace.in_background(rows, partial(self._listed, source, scene))

    def _listed(self, source: Source, scene: Scene, rows: list[Row] | Exception) -> None:
        if isinstance(rows, Exception):
            raise rows
        if source is self.source() and scene is self._scene:
            self._show_rows(rows, source.text)

    def _show_rows(self, rows: list[Row], text: Callable[[float], str] = str) -> None:
        self.table.show_rows(rows)
        self._stack.setCurrentWidget(self.table if rows else self.empty)
        total = text(sum(one.values[2] for one in rows))
        self.total.setText(f"{total} in {figures.count(len(rows), 'node')}" if rows else "")

    @staticmethod
    def _overlay(source: Source, scene: Scene) -> Overlay:
        values = dict(_values(source, scene))
        return make_overlay(source.legend, values, source.text)

    def _chosen(self, key: Hashable) -> None:
        if isinstance(key, int):
            self.chosen.emit(key)


def _values(source: Source, scene: Scene) -> Iterator[tuple[int, float]]:
    for index, box in enumerate(scene.boxes):
        if box.node is not None and (value := cost_of(box.node, source.values)):
            yield index, value


def _rows(source: Source, scene: Scene) -> list[Row]:
    rows = []
    found = sorted(_values(source, scene), key=lambda one: -one[1])
    total = sum(value for _, value in found) or 1.0
    for index, value in found:
        box, share = scene.boxes[index], value / total
        texts = (box.title, box.name, source.text(value), f"{100 * share:.1f} %")
        rows.append(Row(index, texts, (box.title, box.name, value, share)))
    return rows


def _profiled(result: Mapping[str, Any], variant: VariantRecord, when: str) -> Iterator[Source]:
    """The times of a variant's operators in a profile, for each way in which it was measured."""
    name = f"{variant.model_name}:{variant.name}"
    for one in result.get("operators") or ():
        run = str(one["run"])
        if run == name or run.startswith((f"{name}@", f"{name} (")):
            values = {node["name"]: float(node["us"]) for node in one["nodes"]}
            where = run[len(name) :].strip("@ ")
            title = " · ".join(part for part in ("Time", where, when) if part)
            yield Source(title, "Time of a node in an inference", _microseconds, values)


def _microseconds(value: float) -> str:
    return f"{value:.3g} µs" if value < 1000 else f"{figures.milliseconds(value / 1000)} ms"
