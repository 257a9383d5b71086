"""The live charts of an endpoint: latency, requests and errors over one shared range of time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime

from PySide6.QtWidgets import QLabel, QMenu, QWidget

from studio.gui import figures
from studio.gui.charts.time_chart import TimeChart
from studio.gui.charts.time_data import Marker, TimeRange
from studio.gui.charts.time_drawing import Line
from studio.gui.shell import Shell
from studio.gui.widgets.basics import GRID, Card, Dot, Segmented, button, label, row, set_enabled
from studio.monitoring.endpoint.generation import GenerationState
from studio.monitoring.endpoint.results import Latency, known
from studio.monitoring.results import UNREACHABLE, Alert, PastMessage, TargetSample

_MINUTE = 60.0
SPANS = (("15 min", 15 * _MINUTE), ("1 h", 60 * _MINUTE), ("24 h", 1440 * _MINUTE),
         ("7 d", 10080 * _MINUTE))  # fmt: skip
_CHARTS = ("Latency, ms", "Requests a second")
_OF_TEXT = ("Time to the first token, ms", "Tokens a second")
_LATENCY = (Line("accent", "p50"), Line("warning", "p90"), Line("bad", "p99"))


class LiveCharts:
    """Three charts and what feeds them.

    Attributes:
        latency_card: With the choice of the span, the end of a zoom and the exports.
        small: The cards of requests and of errors.
    """

    def __init__(self, shell: Shell) -> None:
        self._theming = shell.theming
        self.range = TimeRange(SPANS[0][1])
        self.latency = TimeChart(shell.theming, "Latency", _LATENCY, "ms", self.range)
        self.requests = TimeChart(
            shell.theming, "Requests", (Line("good", "requests"),), "/s", self.range, figures.rate
        )
        self.errors = TimeChart(
            shell.theming, "Errors", (Line("bad", "errors"),), "% of requests", self.range, _percent
        )
        self.charts = (self.latency, self.requests, self.errors)
        self._titles: dict[TimeChart, QLabel] = {}
        self._writes_text = False
        for chart in self.charts:
            chart.exported.connect(lambda text: shell.notify(text, "good"))
            chart.failed.connect(shell.fail)
        self._releases: Sequence[Marker] = ()
        self._alerts: dict[tuple[str, float], Marker] = {}
        self._firing: dict[str, float] = {}
        self._before: tuple[float, float] | None = None
        self.spans = Segmented([title for title, _ in SPANS], "Time span")
        self.reset = button("Reset zoom", self.range.reset)
        self.export = button("Export")
        self._menu = QMenu(self.export)
        self._menu.aboutToShow.connect(self._fill_menu)
        self.export.setMenu(self._menu)
        self.latency_card = self._card(_CHARTS[0], self.latency, self._tools())
        self.small = (
            self._card(_CHARTS[1], self.requests),
            self._card("Errors, % of requests", self.errors),
        )
        self.spans.changed.connect(lambda place: self.range.choose_span(SPANS[place][1]))
        self.range.changed.connect(self._explain)
        self.range.move(time.time())

    def _tools(self) -> list[QWidget]:
        return [self.spans, self.reset, self.export]

    def _card(self, title: str, chart: TimeChart, tools: Sequence[QWidget] = ()) -> Card:
        card = Card()
        card.setAccessibleName(title)
        card.body.setContentsMargins(2 * GRID, GRID, GRID, GRID)
        card.body.setSpacing(4)
        name = self._titles[chart] = label(title, "section")
        head = row(name)
        if len(chart.lines) > 1:
            for line in chart.lines:
                head.addSpacing(4)
                head.addWidget(self._dot(line.token))
                head.addWidget(label(line.name, "small"))
        head.addStretch(1)
        for tool in tools:
            head.addWidget(tool)
        card.body.addLayout(head)
        card.body.addWidget(chart, 1)
        return card

    def _dot(self, token: str) -> Dot:
        dot = Dot(lambda: self._theming.current.color(token))
        self._theming.changed.connect(dot.update)
        return dot

    def _fill_menu(self) -> None:
        self._menu.clear()
        for chart in self.charts:
            menu = chart.export_menu(self._menu)
            menu.setTitle(chart.name)
            self._menu.addMenu(menu)

    def _explain(self) -> None:
        set_enabled(self.reset, "" if self.range.is_zoomed else "The charts are not zoomed.")

    # Values

    def clear(self) -> None:
        """Forget all values and events."""
        self._before = None
        self._show_kind(writes_text=False)
        self._alerts.clear()
        self._firing.clear()
        self._releases = ()
        self.range.reset()
        self.range.move(time.time())
        for chart in self.charts:
            chart.clear()
            chart.show_markers(())

    def add_past(self, past: PastMessage) -> None:
        """Add the minutes that the server recorded before the first sample."""
        first = self.latency.data.first
        for point in past.points:
            if first is not None and point.at >= first - 1:
                continue
            self.latency.add(point.at, point.p50 or None, None, point.p99 or None)
            self.requests.add(point.at, point.throughput)
            share = point.error_share
            self.errors.add(point.at, None if share is None else 100 * share)

    def add_sample(self, sample: TargetSample) -> None:
        """Add a sample; one without an answer leaves a gap."""
        at = _seconds(sample.at)
        if sample.language is not None:
            self._add_text(sample.language, at)
            self.errors.add(at, self._error_share(sample))
            self._mark(sample.alerts, at)
            self.range.move(max(at, time.time()))
            return
        latency = sample.latency_ms or Latency()
        silent = sample.health == UNREACHABLE
        # A server without recent requests reports 0, which is no latency.
        self.latency.add(at, *(getattr(latency, one) or None for one in ("p50", "p90", "p99")))
        rate = None if silent else figures.number(known(sample.throughput))
        self.requests.add(at, rate)
        self.errors.add(at, None if silent else self._error_share(sample))
        self._mark(sample.alerts, at)
        self.range.move(max(at, time.time()))

    def _add_text(self, state: GenerationState, at: float) -> None:
        """Add the time to the first token and the tokens a second of a language model."""
        if not self._writes_text:  # what was shown so far are requests
            self._show_kind(writes_text=True)
            self.latency.clear()
            self.requests.clear()
        self.latency.add(at, state.first_token_ms.p50, None, state.first_token_ms.p99)
        self.requests.add(at, figures.number(state.tokens_per_s))

    def _show_kind(self, *, writes_text: bool) -> None:
        self._writes_text = writes_text
        names = _OF_TEXT if writes_text else _CHARTS
        for chart, name in zip((self.latency, self.requests), names, strict=True):
            self._titles[chart].setText(name)

    def _error_share(self, sample: TargetSample) -> float | None:
        """Return the per cent of failed requests since the last sample; 0 without any request."""
        errors, requests = known(sample.errors), known(sample.requests)
        if errors is None or requests is None:
            return None
        before, self._before = self._before, (errors, requests)
        if before is None or errors < before[0] or requests < before[1]:
            return None
        failed, asked = errors - before[0], requests - before[1]
        return 100.0 * min(failed / asked, 1.0) if asked else 0.0

    def _mark(self, alerts: Sequence[Alert], at: float) -> None:
        """Mark the time at which an alert began."""
        names = {alert.name for alert in alerts}
        for name in [one for one in self._firing if one not in names]:
            del self._firing[name]
        for alert in alerts:
            if alert.name not in self._firing:
                self._firing[alert.name] = at
                token = "bad" if alert.level == "critical" else "warning"
                self._alerts[alert.name, at] = Marker(at, alert.name, token)
                self._show_markers()

    def show_releases(self, markers: Sequence[Marker]) -> None:
        """Show the deployments and rollbacks."""
        self._releases = markers
        self._show_markers()

    def _show_markers(self) -> None:
        both = [*self._releases, *self._alerts.values()]
        for chart in self.charts:
            chart.show_markers(both)


def _seconds(at: str) -> float:
    try:
        return datetime.fromisoformat(at).timestamp()
    except ValueError:
        return time.time()


def _percent(value: float | None) -> str:
    return figures.NOTHING if value is None else f"{value:.2g}"
