"""Drift of a served version: its signals, and the histograms of the one that is chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QWidget

from studio.api.qt import plain_tip
from studio.gui import figures
from studio.gui.charts.chart import Chart
from studio.gui.charts.shares import Shares
from studio.gui.theme import Theming
from studio.gui.widgets.basics import Card, Pill, label, row
from studio.gui.widgets.tables import Table

NONE_YET = (
    "Drift detection is off for this release. Deploy with at least 64 data samples to enable it."
)
_COLUMNS = ("Signal", "Chi-square", "Windows over limit", "State")
_HEIGHT = 220


class DriftCard(Card):
    """Of one target; shows a hint where nothing is watched."""

    def __init__(self, theming: Theming) -> None:
        super().__init__("Drift")
        self._signals: Sequence[Mapping[str, Any]] = ()
        self._state: Mapping[str, Any] = {}
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

    def show_signals(
        self, signals: Sequence[Mapping[str, Any]], state: Mapping[str, Any] | None = None
    ) -> None:
        """Show what the newest sample tells, those that drift first.

        Args:
            state: Of all signals together, with its reason.
        """
        self._state = state or {}
        self.why.setText(str(self._state.get("why") or ""))
        self.why.setVisible(bool(self.why.text()))
        order = sorted(signals, key=lambda one: (not one.get("drifts"), -_excess(one)))
        chosen = self._name(self.table.currentRow())
        self._signals = order
        self.hint.setVisible(not order and not self.why.text())
        self.why_this.setVisible(bool(order))
        self._both.setVisible(bool(order))
        if not order:
            self.chart.show_drawing(None)
            return
        self.table.blockSignals(True)
        seen = len(self._state.get("last") or ())
        self.table.show_rows(_cells(signal, seen) for signal in order)
        for place, signal in enumerate(order):
            for column in range(len(_COLUMNS)):
                if (item := self.table.item(place, column)) is not None:
                    item.setToolTip(plain_tip(str(signal.get("why") or "")))
        names = [str(signal.get("name")) for signal in order]
        place = names.index(chosen) if chosen in names else 0
        self.table.setCurrentCell(place, 0)
        self.table.blockSignals(False)
        self._choose(place)

    def _name(self, place: int) -> str:
        return str(self._signals[place].get("name")) if 0 <= place < len(self._signals) else ""

    def _choose(self, place: int, *_: object) -> None:
        if 0 <= place < len(self._signals):
            signal = self._signals[place]
            self.chart.show_drawing(Shares.of(signal))
            reason = str(signal.get("why") or "")
            self.why_this.setText(f"{signal.get('name')}: {reason}" if reason else "")


def _excess(signal: Mapping[str, Any]) -> float:
    statistic, limit = signal.get("statistic"), signal.get("limit")
    return float(statistic) / float(limit) if statistic is not None and limit else 0.0


def _cells(signal: Mapping[str, Any], seen: int) -> tuple[str | QWidget, ...]:
    """Args: seen: windows that ``beyond`` counts among."""
    statistic, limit = signal.get("statistic"), float(signal.get("limit") or 0)
    over = statistic is not None and float(statistic) > limit
    if signal.get("drifts"):
        state = Pill("drifts", "warning")
    elif statistic is None:
        state = Pill("no window yet")
    elif over or signal.get("beyond"):
        state = Pill("once")  # one window is chance, two are an alarm
    else:
        state = Pill("no drift", "good")
    beyond = f"{signal['beyond']} of {seen}" if "beyond" in signal and seen else figures.NOTHING
    last = figures.NOTHING if statistic is None else f"{float(statistic):.1f}"
    return str(signal.get("name") or ""), f"{last} of {limit:.1f}", beyond, state
