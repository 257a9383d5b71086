"""Sensitivity: what each layer of the current variant costs alone, as a table and on the graph."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from studio.api import Kind
from studio.gui import figures
from studio.gui.forms.form import Form
from studio.gui.graph.overlay import make_overlay
from studio.gui.graph.scene import Scene
from studio.gui.pages.model.node_metric_sources import Source, sensitivity_sources
from studio.gui.pages.shared.stage_page import JobStrip
from studio.gui.shell import Shell
from studio.gui.widgets.basics import GRID, Hint, Scroll, button, label, row, set_enabled
from studio.gui.widgets.sortable import SortableRow, SortableTable
from studio.quantization.results import LayerCost, SensitivityResult
from studio.workspace import nodes_within

if TYPE_CHECKING:
    from studio.workspace import JobOutcome, Recorded, VariantRecord, Workspace

STEP = "sensitivity"
COLUMNS = ("Layer", "SQNR dB", "Loss", "Float µs", "Int8 µs", "Saves µs")
_WIDTHS = (0, 84, 72, 76, 72, 80)
_FORM_WIDTH = 36 * GRID
_RUNNING = "A measurement is running. Cancel it to start again."


_FROM_ELSEWHERE = ("float_nodes",)
"""The project has them, and the graph's context menu changes them."""


class SensitivityView(QWidget):
    """A view that measures the layers on demand, lists the worst first and paints their noise.

    Signals:
        painted: The Overlay of the noise of each layer.
        chosen: The box of the layer whose line was selected.
    """

    painted = Signal(object)
    chosen = Signal(int)

    def __init__(self, workspace: Workspace, shell: Shell) -> None:
        super().__init__()
        self._workspace = workspace
        self._shell = shell
        self._variant: VariantRecord | None = None
        self._scene: Scene | None = None
        self._result: SensitivityResult | None = None
        asked = [
            one
            for one in workspace.steps[STEP].form
            if one.kind is not Kind.MODEL and one.name not in _FROM_ELSEWHERE
        ]
        self.form = Form(asked, project=shell.project)
        self.measure = button("Measure", self.run)
        self.strip = JobStrip()
        self.sentence = label("", "dim", wrap=True)
        self.table = SortableTable(COLUMNS, (1, 2, 3, 4, 5), _WIDTHS, "Layers, largest error first")
        self.hint = Hint(
            "Layer sensitivity",
            "Add calibration data to measure the output error and latency of each layer, "
            "quantized alone. The layer search uses these measurements.",
        )
        self._stack = QStackedWidget()
        self._build()
        self.form.submitted.connect(self.run)
        self.strip.finished.connect(self._finished)
        self.table.chosen.connect(self._selected)

    def _build(self) -> None:
        asked = Scroll(margin=0)
        asked.setFixedWidth(_FORM_WIDTH)
        asked.body.setContentsMargins(0, 0, GRID, 0)
        asked.body.addWidget(self.form)
        asked.body.addLayout(row(self.measure, None))
        asked.body.addStretch(1)
        answer = QWidget()
        right = QVBoxLayout(answer)
        right.setContentsMargins(0, 0, 0, 0)
        right.addWidget(self.sentence)
        right.addWidget(self.table, 1)
        for item in (self.hint, answer):
            self._stack.addWidget(item)
        side = QVBoxLayout()
        side.setSpacing(GRID)
        side.addWidget(self.strip)
        side.addWidget(self._stack, 1)
        layout = row(asked, spacing=3 * GRID)
        layout.addLayout(side, 1)
        layout.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID)
        self.setLayout(layout)

    def show_variant(self, variant: VariantRecord | None) -> None:
        """Set another variant, with its stored measurement."""
        self._variant, self._scene = variant, None
        self._show_newest()

    def show_scene(self, scene: Scene | None) -> None:
        """Set the graph that is shown."""
        self._scene = scene

    def on_event(self, event: object) -> None:
        """Follow the measurement."""
        self.strip.on_event(event)

    def run(self) -> None:
        """Start the measurement with the values of the form."""
        if self._variant is None or self.strip.running or not self.form.check():
            return
        options = {**self.form.values(), "model": f"#{self._variant.id}"}
        self.strip.follow(self._shell.start(STEP, **options))
        self._explain()

    def paint(self) -> None:
        """Paint the noise that each layer makes at the outputs."""
        source = next(sensitivity_sources(self._result, ""), None) if self._result else None
        if source is not None and self._scene is not None:
            values = dict(_boxes(self._scene, source))
            self.painted.emit(make_overlay(source.legend, values, source.text))

    def _finished(self, outcome: JobOutcome) -> None:
        self._explain()
        if outcome.ok:  # else the window has said why
            self._show_newest()
            self.paint()

    def _explain(self) -> None:
        running = _RUNNING if self.strip.running else ""
        set_enabled(self.measure, running)

    def _show_newest(self) -> None:
        run = self._newest()
        self._result = run.result if run is not None else None
        self._stack.setCurrentIndex(1 if run is not None else 0)
        if run is None:
            return
        layers, metric = run.result.layers, run.result.metric
        text = f"{figures.count(len(layers), 'layer')}, measured {figures.moment(run.created)}; "
        text += f"{run.result.slower} layers are not faster in int8 on this machine."
        if metric:
            text += f" Metric drop of {metric.title.lower()} over {metric.samples} samples."
        self.sentence.setText(text)
        self.table.show_rows([_line(one) for one in layers])

    def _newest(self) -> Recorded[SensitivityResult] | None:
        if self._variant is None:
            return None
        return self._workspace.results.last(STEP, SensitivityResult, self._variant.id)

    def _selected(self, key: Hashable) -> None:
        boxes = self._scene.boxes if self._scene is not None else ()
        for index, box in enumerate(boxes):
            if box.node is not None and key in nodes_within(box.node):
                self.chosen.emit(index)
                return


def _boxes(scene: Scene, source: Source) -> Sequence[tuple[int, float]]:
    """Return the worst noise within each box."""
    found = []
    for index, box in enumerate(scene.boxes):
        if box.node is None or not scene.width[index]:
            continue
        known = [source.values[name] for name in nodes_within(box.node) if name in source.values]
        if known:
            found.append((index, max(known)))
    return found


def _line(layer: LayerCost) -> SortableRow:
    numbers = (layer.sqnr_db, layer.drop, layer.float_us, layer.int8_us, layer.gain_us)
    forms = (".1f", ".4f", ".1f", ".1f", ".1f")
    texts = [
        figures.NOTHING if number is None else f"{number:{form}}".replace("-", figures.MINUS)
        for number, form in zip(numbers, forms, strict=True)
    ]
    return SortableRow(layer.name, (layer.name, *texts), (layer.name, *numbers))
