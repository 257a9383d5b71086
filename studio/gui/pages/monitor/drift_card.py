"""Drift of a served version: its signals, and the histograms of the one that is chosen."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QWidget

from studio.api.qt import plain_tip
from studio.gui import figures
from studio.gui.charts.chart import Chart
from studio.gui.charts.shares import Shares
from studio.gui.theme import Theming
from studio.gui.widgets.basics import Card, Pill, label, row
from studio.gui.widgets.tables import Table
from studio.monitoring.endpoint.results import DriftSignal, DriftState

NONE_YET = (
    "Drift detection is off for this release. Deploy with at least 64 data samples to enable it."
)
_COLUMNS = ("Signal", "Chi-square", "Windows over limit", "State")
_HEIGHT = 220


class DriftCard(Card):
    """Of one target; shows a hint where nothing is watched."""

    def __init__(self, theming: Theming) -> None:
        super().__init__("Drift")
        self._signals: Sequence[DriftSignal] = ()
        self._shown: tuple[Sequence[DriftSignal], DriftState] | None = None
        self.hint = label(NONE_YET, "dim", wrap=True)
        self.why = label("", "", wrap=True)
        self.why_this = label("", "dim", wrap=True)
        self.table = Table(_COLUMNS, numeric=(1, 2), name="Drift signals vs reference data")
        self.chart = Chart(theming, "Share of frames", QSize(280, _HEIGHT))
        self._both = QWidget()
        both = row(self.table, self.chart)
        both.setStretch(0, 4)
        both.setStretch(1, 3)
        self._both.setLayout(both)
        self.body.addWidget(self.hint)
        self.body.addWidget(self.why)
        self.body.addWidget(self._both)
        self.body.addWidget(self.why_this)
        self.table.setMinimumHeight(_HEIGHT)
        self.table.currentCellChanged.connect(self._choose)
        self.show_signals(())

    def show_signals(self, signals: Sequence[DriftSignal], state: DriftState | None = None) -> None:
        """Show the signals of the newest sample, those that drift first.

        Args:
            state: Of all signals together, with its reason.
        """
        state = state or DriftState()
        if (tuple(signals), state) == self._shown:
            return  # most polls bring nothing new, and to fill the table takes 15 ms
        self._shown = (tuple(signals), state)
        self.why.setText(state.why)
        self.why.setVisible(bool(self.why.text()))
        order = sorted(signals, key=lambda one: (not one.drifts, -_excess(one)))
        chosen = self._name(self.table.currentRow())
        self._signals = order
        self.hint.setVisible(not order and not self.why.text())
        self.why_this.setVisible(bool(order))
        self._both.setVisible(bool(order))
        if not order:
            self.chart.show_drawing(None)
            return
        self.table.blockSignals(True)
        seen = len(state.last or ())
        self.table.show_rows(_cells(signal, seen) for signal in order)
        for place, signal in enumerate(order):
            for column in range(len(_COLUMNS)):
                if (item := self.table.item(place, column)) is not None:
                    item.setToolTip(plain_tip(signal.why))
        names = [signal.name for signal in order]
        place = names.index(chosen) if chosen in names else 0
        self.table.setCurrentCell(place, 0)
        self.table.blockSignals(False)
        self._choose(place)

    def _name(self, place: int) -> str:
        return self._signals[place].name if 0 <= place < len(self._signals) else ""

    def _choose(self, place: int, *_: object) -> None:
        if 0 <= place < len(self._signals):
            signal = self._signals[place]
            self.chart.show_drawing(Shares.of(signal))
            self.why_this.setText(f"{signal.name}: {signal.why}" if signal.why else "")


def _excess(signal: DriftSignal) -> float:
    return signal.statistic / signal.limit if signal.statistic is not None and signal.limit else 0.0


def _cells(signal: DriftSignal, seen: int) -> tuple[str | QWidget, ...]:
    """Args: seen: windows that ``beyond`` counts among."""
    if signal.drifts:
        state = Pill("drifts", "warning")
    elif signal.statistic is None:
        state = Pill("no window yet")
    elif signal.is_over or signal.beyond:
        state = Pill("once")  # one window is chance, two are an alarm
    else:
        state = Pill("no drift", "good")
    beyond = figures.NOTHING if signal.beyond is None or not seen else f"{signal.beyond} of {seen}"
    last = figures.NOTHING if signal.statistic is None else f"{signal.statistic:.1f}"
    return signal.name, f"{last} of {signal.limit:.1f}", beyond, state
