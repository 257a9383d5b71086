"""The layers of a variant: bits, error, time, why in float; and how their values are spread."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from studio.gui import figures
from studio.gui.charts.chart import Chart
from studio.gui.charts.histogram import Histogram
from studio.gui.widgets.basics import GRID, Card, Hint, button, label, row, set_enabled
from studio.gui.widgets.sortable import SortableRow, SortableTable
from studio.quantization.results import LayerCost, LayerDetail, LayerTiming

if TYPE_CHECKING:
    from studio.gui.theme import Theming

COLUMNS = ("Layer", "Operator", "Bits", "Error dB", "Float µs", "int8 µs", "Reason for float")
_COSTS, _REASON = (3, 4, 5), 6
_WIDTHS = (0, 84, 64, 84, 84, 84, 190)
_NUMERIC = (3, 4, 5)

NO_COSTS = "No error and timing data. Run a layer search, or measure sensitivity on the Model page."
BITS = {"float": "32", "int8": "8", "a16w8": "8 / 16", "w8": "8 / 32", "w4": "4 / 32"}
"""Bits of weights and, where they are others, of activations."""

Costs = Mapping[str, LayerTiming | LayerCost]
"""What a search or the sensitivity has found of each layer."""


class LayersView(QWidget):
    """A table at the left; at the right the histograms of the chosen layer.

    Signals:
        asked: The name of a layer that is to be shown in the graph.
    """

    asked = Signal(str)

    def __init__(self, theming: Theming) -> None:
        super().__init__()
        self._layers: dict[str, LayerDetail] = {}
        self.table = SortableTable(COLUMNS, _NUMERIC, _WIDTHS, "Layers")
        self.empty = Hint(
            "No layers to show",
            "Select a quantized variant. Its layers appear here with precision, error and the "
            "reason for float.",
        )
        self.title = label("", "section")
        self.sentence = label("", "dim", wrap=True)
        self.weights = Chart(theming, "Weights")
        self.activations = Chart(theming, "Activations")
        self.no_charts = label("", "dim", wrap=True)
        self.show_in_graph = button("Show in the graph", self._request_node)
        self._build()
        self.table.chosen.connect(self._chosen)
        self.show_layers((), {})

    def _build(self) -> None:
        side = Card()
        side.body.addWidget(self.title)
        side.body.addWidget(self.sentence)
        for chart in (self.weights, self.activations):
            side.body.addWidget(chart, 1)
        side.body.addWidget(self.no_charts)
        side.body.addStretch()
        side.body.addLayout(row(self.show_in_graph, None))
        side.setFixedWidth(44 * GRID)
        self.costs = label(NO_COSTS, "dim", wrap=True)
        left = QVBoxLayout()
        left.addWidget(self.costs)
        left.addWidget(self.table, 1)
        listed = QWidget()
        both = row(spacing=2 * GRID)
        both.addLayout(left, 1)
        both.addWidget(side)
        both.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        listed.setLayout(both)
        self._stack = QStackedWidget()
        for view in (listed, self.empty):
            self._stack.addWidget(view)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._stack)

    def show_layers(self, layers: Sequence[LayerDetail], costs: Costs) -> None:
        """Show the layers of another variant."""
        self._layers = {layer.name: layer for layer in layers}
        self.table.show_rows(
            _row(position, layer, costs.get(layer.name)) for position, layer in enumerate(layers)
        )
        self.costs.setVisible(not costs)
        for column in _COSTS:  # where nothing was measured there is room for the names
            self.table.setColumnHidden(column, not costs)
        self.table.hide_empty(_REASON)
        self._stack.setCurrentIndex(0 if layers else 1)
        if layers:
            self.table.select(layers[0].name)
        self._show(layers[0] if layers else None)

    def _chosen(self, key: Hashable) -> None:
        self._show(self._layers.get(str(key)))

    def _show(self, layer: LayerDetail | None) -> None:
        shown = layer or LayerDetail("")
        self.title.setText(shown.name)
        self.sentence.setText(_sentence(layer) if layer else "")
        for chart, values, title in (
            (self.weights, shown.weights, "weights"),
            (self.activations, shown.activations, "input activations"),
        ):
            chart.setVisible(values is not None)
            chart.show_drawing(Histogram.of(title, values) if values else None)
        nothing = not shown.weights and not shown.activations
        self.no_charts.setText("No calibration data for this layer." if nothing else "")
        self.no_charts.setVisible(nothing)
        set_enabled(self.show_in_graph, "" if layer else "Select a layer first.")

    def _request_node(self) -> None:
        self.asked.emit(self.title.text())


def _row(position: int, layer: LayerDetail, cost: LayerTiming | LayerCost | None) -> SortableRow:
    costs = (cost.sqnr_db, cost.float_us, cost.int8_us) if cost is not None else (None,) * 3
    texts = [figures.NOTHING if one is None else f"{one:.1f}" for one in costs]
    bits = BITS.get(layer.precision, layer.precision)
    return SortableRow(
        layer.name,
        (layer.name, layer.operator, bits, *texts, layer.why),
        (position, layer.operator, bits, *costs, layer.why),
    )


def _sentence(layer: LayerDetail) -> str:
    """Precision and range in words."""
    if layer.precision == "float":
        return f"{layer.operator}, in float: {layer.why or 'not selected'}."
    span = layer.activations.range if layer.activations else None
    ends = f"; activations from {span[0]:.4g} to {span[1]:.4g}" if span else ""
    return f"{layer.operator}, {layer.precision}{ends}."
