"""The fleet: all endpoints as colour rows, the chosen one over time, and the alert inbox."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Container, Iterator, Sequence
from functools import partial

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QCheckBox, QLineEdit, QPushButton, QVBoxLayout, QWidget

from studio.api.qt import plain_tip
from studio.feature_host import Slot
from studio.gui import figures
from studio.gui.charts.time_chart import TimeChart
from studio.gui.charts.time_data import Marker, TimeRange
from studio.gui.charts.time_drawing import Line
from studio.gui.pages.monitor.fleet_rows import FleetRows
from studio.gui.pages.monitor.inbox_card import InboxCard
from studio.gui.pages.shared import target_rows
from studio.gui.pages.shared.page_link import PageLink
from studio.gui.theme import Theming
from studio.gui.widgets.basics import GRID, Card, Pill, Scroll, button, label, row
from studio.monitoring.results import FleetSample
from studio.workspace.fleet import BAD, GOOD, WARNING, Fleet
from studio.workspace.inbox import Inbox
from studio.workspace.sample_ring import SamplePoint

_PAINT_MS = 200
"""Samples of hundreds of endpoints come one by one; the page is drawn five times a second."""
_ALERTS_MS = 500
"""The inbox is drawn in a turn of its own, so that no turn of the event loop is a long one."""
LINKS: Slot[PageLink] = Slot("links of monitor")
_HINT = "Polling every target with a deployment…"
_CHARTS = ("p99 latency, ms", "Requests a second")
_OF_TEXT = ("Time to the first token, p50 in ms", "Tokens a second")
_SPAN_S = 600.0
"""120 samples, one every five seconds."""


class FleetView(QWidget):
    """The view that applies samples as they arrive.

    Args:
        inbox: Where alerts are kept.

    Signals:
        opened: The name of an endpoint whose own view is wanted.
        page_wanted: The stage of another page that is wanted.
    """

    opened = Signal(str)
    page_wanted = Signal(str)

    def __init__(self, theming: Theming, inbox: Inbox) -> None:
        super().__init__()
        self.fleet = Fleet()
        self.inbox = inbox
        self._changed = False
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("Filter: name, model, v3, drift…")
        self.filter.setAccessibleName("Filter of the endpoints")
        self.filter.setClearButtonEnabled(True)
        self.filter.setMinimumWidth(36 * GRID)
        self.only_bad = QCheckBox("Unhealthy only")
        self.counts = {
            BAD: Pill("0 critical"),
            WARNING: Pill("0 with warnings"),
            GOOD: Pill("0 healthy"),
        }
        self.shown = label(_HINT, "dim", wrap=True)
        self.rows = FleetRows(theming)
        self.title = label("Select an endpoint", "dim")
        self.why = label("", "", wrap=True)
        self._range = TimeRange(_SPAN_S)
        self._range.move(time.time())  # the axes have a time before the first sample
        self.p99 = TimeChart(theming, "p99 latency", (Line("accent", "p99"),), "ms", self._range)
        self.throughput = TimeChart(
            theming, "Requests", (Line("good", "requests"),), "/s", self._range, figures.rate
        )
        self.charts = (self.p99, self.throughput)
        self.names = tuple(label(name, "small") for name in _CHARTS)
        self.alerts = InboxCard(inbox)
        self._timer = self._after(_PAINT_MS, self._show_rows)
        self._alerts_timer = self._after(_ALERTS_MS, self._show_alerts)
        self._lay_out()
        self.filter.textChanged.connect(lambda _: self._show_rows())
        self.only_bad.toggled.connect(lambda _: self._show_rows())
        self.rows.chosen.connect(lambda _: self._show_chosen())
        self.rows.opened.connect(self.opened)

    def _after(self, milliseconds: int, call: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(milliseconds)
        timer.timeout.connect(call)
        return timer

    def _links(self) -> Iterator[QPushButton]:
        for link in LINKS.added():
            entry = button(link.text, partial(self.page_wanted.emit, link.stage), "link")
            entry.setToolTip(plain_tip(link.tip))
            yield entry

    def _lay_out(self) -> None:
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        content = Scroll()
        outer.addWidget(content)
        layout = content.body
        endpoints = Card("Endpoints")
        endpoints.body.addLayout(row(self.filter, self.only_bad, None, *self._links()))
        found = row(self.shown, *self.counts.values())
        for pill in self.counts.values():
            policy = pill.sizePolicy()
            policy.setRetainSizeWhenHidden(True)  # the first answer moves nothing
            pill.setSizePolicy(policy)
            pill.hide()
        found.setStretch(0, 1)
        endpoints.body.addLayout(found)
        endpoints.body.addWidget(self.rows, 1)
        layout.addWidget(endpoints, 3)
        chosen = Card("Over time")
        chosen.body.addWidget(self.title)
        chosen.body.addWidget(self.why)
        for name, chart in zip(self.names, self.charts, strict=True):
            chosen.body.addWidget(name)
            chosen.body.addWidget(chart, 1)
        both = row(chosen, self.alerts, spacing=2 * GRID)
        both.setStretch(0, 2)
        both.setStretch(1, 3)
        layout.addLayout(both, 2)

    def ingest(self, samples: Sequence[FleetSample], busy: Container[str] = ()) -> None:
        """Apply samples of endpoints; a timer redraws the rows once for many of them.

        Args:
            busy: Targets whose release is being changed.
        """
        self.fleet.ingest(samples, busy)
        self._changed |= self.inbox.ingest(samples)
        for timer in (self._timer, self._alerts_timer):
            if not timer.isActive():
                timer.start()

    def show_now(self) -> None:
        """Draw what is known."""
        self._show_rows()
        self._show_alerts()

    def _show_rows(self) -> None:
        found = self.fleet.shown(self.filter.text(), self.only_bad.isChecked())
        self.rows.show_rows(found)
        counts = self.fleet.counts()
        words = {BAD: "critical", WARNING: "with warnings", GOOD: "healthy"}
        for tone, pill in self.counts.items():
            pill.show_state(f"{counts[tone]} {words[tone]}", tone if counts[tone] else "")
            pill.setVisible(bool(len(self.fleet)))  # before the first answer, 0 is no count
        total = figures.count(len(self.fleet), "endpoint")
        self.shown.setText(f"{len(found)} of {total}" if len(self.fleet) else _HINT)
        if found and self.fleet.row(self.rows.current) is None:
            self.rows.choose(found[0].name)
        self._show_chosen()

    def _show_alerts(self) -> None:
        if self._changed:
            self._changed = False
            self.alerts.show_entries()

    def _show_chosen(self) -> None:
        found = self.fleet.row(self.rows.current)
        if found is None:
            return
        moments = list(found.moments)
        served = f"{found.model} v{found.version}" if found.version else "no release"
        self.title.setText(f"{target_rows.named(found.name)}: {found.health}, {served}")
        self.why.setText("\n".join(found.reasons))
        self.why.setVisible(bool(found.reasons))
        for name, text in zip(self.names, _OF_TEXT if found.writes_text else _CHARTS, strict=True):
            name.setText(text)
        timed = [one for one in moments if one.at]
        if timed:
            self._range.move(timed[-1].at)
        self.p99.show_points((one.at, (one.p99,)) for one in timed)
        self.throughput.show_points((one.at, (one.throughput,)) for one in timed)
        markers = version_markers(timed)
        for chart in self.charts:
            chart.show_markers(markers)


def version_markers(moments: Sequence[SamplePoint]) -> list[Marker]:
    """Return a marker for each change of the version."""
    return [
        Marker(now.at, f"v{before.version} → v{now.version}" if before.version
               else f"v{now.version}", "accent")
        for before, now in itertools.pairwise(moments)
        if now.version and now.version != before.version
    ]  # fmt: skip
