"""The Monitor page: how a deployed version does, live."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from studio.documents.dataclass_json import JsonValue, from_json
from studio.gui import figures
from studio.gui.charts.live import LiveChart
from studio.gui.pages.monitor.alerts_view import TEST_STEP, AlertsView
from studio.gui.pages.monitor.drift_card import DriftCard
from studio.gui.pages.monitor.fleet_view import FleetView
from studio.gui.pages.monitor.quality_card import QualityCard
from studio.gui.pages.shared import target_rows
from studio.gui.pages.shared.serving_choice import ServingChoice
from studio.gui.pages.shared.stage_page import JobStrip, Needs, StagePage, StateRow, StateRows
from studio.gui.shell import Shell
from studio.gui.widgets.actions import explain
from studio.gui.widgets.basics import GRID, Card, Hint, Pill, Scroll, label, line, row, set_enabled
from studio.monitoring.endpoint.results import Latency
from studio.monitoring.results import Alert, ChannelMessage, FleetMessage, TargetSample

if TYPE_CHECKING:
    from studio.workspace import JobOutcome, Workspace

STEP = "monitor"
FLEET_STEP = "monitor-fleet"
FLEET_EVERY_S = 5.0
LIVE_VIEW, FLEET_VIEW, ALERTS_VIEW = range(3)
LONG = 7 * 24 * 3600
"""A live view ends with Stop, or after a week."""

HEALTH = {"healthy": "good", "unreachable": "bad", "degraded": "bad"}
ALERTS = 4
CHART_HEIGHT = 20 * GRID


class Figure(QWidget):
    """One big figure with its name above and its unit behind."""

    def __init__(self, name: str, unit: str = "") -> None:
        super().__init__()
        self._name = name
        self._unit = unit
        self.value = label(figures.NOTHING, "title")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        self._behind = label(unit, "dim")
        layout.addWidget(label(name, "dim"))
        layout.addLayout(row(self.value, self._behind, None))
        self._behind.hide()

    def show_value(self, text: str) -> None:
        """Show another value; nothing has no unit."""
        self.value.setText(text)
        self._behind.setVisible(text != figures.NOTHING)
        self.value.setAccessibleName(f"{self._name}: {text} {self._unit}".strip())


class MonitorPage(StagePage):
    """The page that monitors the runtime on one target until the user stops it."""

    stage = STEP
    title = "Monitor"
    icon = STEP
    repeats = (STEP, FLEET_STEP, TEST_STEP)

    def __init__(self, workspace: Workspace, shell: Shell) -> None:
        super().__init__(workspace, shell)
        self._seen: dict[str, tuple[Alert, str]] = {}
        self._untold: dict[str, str] = {}
        self._last: tuple[Sequence[Alert], str] = ((), "")
        self.choice = ServingChoice()
        self.health = Pill("not monitored")
        self.version = label("", "dim")
        self.figures = {
            "throughput": Figure("Throughput", "req/s"),
            "p50": Figure("p50", "ms"),
            "p90": Figure("p90", "ms"),
            "p99": Figure("p99", "ms"),
            "errors": Figure("Errors"),
            "memory": Figure("Memory"),
        }
        theming = shell.theming
        lines = (("accent", "p50"), ("warning", "p90"), ("bad", "p99"))
        self.latency = LiveChart(theming, "Latency", lines, "ms")
        self.throughput = LiveChart(theming, "Throughput", (("accent", "req/s"),), "req/s")
        self.memory = LiveChart(theming, "Memory", (("accent", "memory"),), "MB")
        self.quality = QualityCard(shell)
        self.drift = DriftCard(theming)
        self.alerts = StateRows("Alerts")
        self.calm = label("No alerts.", "dim")
        hint = Hint(
            "No deployments yet",
            "Deploy a model to see its health and latency here.",
            "Go to Deploy",
            lambda: shell.go("deploy"),
        )
        self._pane = Needs(self._content(), hint)
        self.add_view("Live", self._pane)
        self.fleet = FleetView(theming, workspace.inbox)
        self.add_view("Fleet", self.fleet)
        self.fleet_strip = JobStrip()
        self.fleet_strip.message.connect(self._fleet_samples)
        self.fleet_strip.finished.connect(lambda _: self._explain())
        self.alerting = AlertsView(workspace, shell)
        self.add_view("Alerts", self.alerting)
        self.stack.currentChanged.connect(lambda _: self._switched())
        self.add_tool(self.choice, left=True)
        self.set_primary("Start", self.toggle)
        self._command = self.add_command("Start or stop the live view", self.toggle)
        self._fetch = self.add_command("Fetch uncertain requests\u2026", self.quality.choose_folder)
        self.add_command("Edit alert rules and channels", lambda: self.show_view(ALERTS_VIEW))
        self.quality.strip.finished.connect(lambda _: self._explain())
        self.strip.message.connect(self._sample)
        self.strip.finished.connect(self._finished)
        self.choice.currentIndexChanged.connect(self._chosen)

    # Layout

    def _content(self) -> QWidget:
        content = Scroll()
        layout = content.body
        state = Card()
        state.body.addLayout(row(self.health, self.version, None))
        state.body.addWidget(line())
        state.body.addLayout(self._big_figures())
        layout.addWidget(state)
        layout.addLayout(self._charts())
        alerts = Card("Alerts")
        alerts.body.addWidget(self.calm)
        alerts.body.addWidget(self.alerts)
        layout.addWidget(alerts)
        layout.addWidget(self.quality)
        layout.addWidget(self.drift)
        layout.addStretch(1)
        return content

    def _big_figures(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(2 * GRID)
        for column, figure in enumerate(self.figures.values()):
            grid.addWidget(figure, 0, column, Qt.AlignmentFlag.AlignLeft)
            grid.setColumnStretch(column, 1)
        return grid

    def _charts(self) -> QHBoxLayout:
        """Side by side and no taller than they need, so that alerts and drift are in sight."""
        charts = row(spacing=2 * GRID)
        shares = (
            ("Latency", self.latency, 2),
            ("Throughput", self.throughput, 1),
            ("Memory", self.memory, 1),
        )
        for title, chart, share in shares:
            card = Card(title)
            chart.setFixedHeight(CHART_HEIGHT)
            card.body.addWidget(chart)
            charts.addWidget(card, share)
        return charts

    # What happens

    def _switched(self) -> None:
        """Start means what is shown now."""
        if self.stack.currentIndex() == ALERTS_VIEW:
            self.alerting.refresh()
        self._explain()

    def on_event(self, event: object) -> None:
        """Follow the jobs of all views."""
        super().on_event(event)
        self.fleet_strip.on_event(event)
        self.alerting.strip.on_event(event)
        self.quality.strip.on_event(event)

    def toggle(self) -> None:
        """Start what is shown, or stop it."""
        if self._is_fleet():
            self._toggle_fleet()
        else:
            self._toggle_live()

    def _is_fleet(self) -> bool:
        return self.stack.currentIndex() == FLEET_VIEW

    def _toggle_fleet(self) -> None:
        if self.fleet_strip.running and self.fleet_strip.job is not None:
            self.fleet_strip.job.cancel()
        else:
            options = self.workspace.alerts.option
            job = self.shell.start(FLEET_STEP, seconds=LONG, interval=FLEET_EVERY_S, **options)
            if self.fleet_strip.follow(job):
                self.fleet_strip.hide()
        self._explain()

    def _fleet_samples(self, name: str, values: dict[str, JsonValue]) -> None:
        if name == "samples":
            self.fleet.ingest(from_json(FleetMessage, values).samples)

    def _toggle_live(self) -> None:
        if self.strip.running and self.strip.job is not None:
            self.strip.job.cancel()
            if self.primary is not None:
                set_enabled(self.primary, "Stopping…")
            return
        target = self.choice.target
        if target is None:
            return
        self._clear()
        options = {"target": target.name, "seconds": LONG, **self.workspace.alerts.option}
        if self.strip.follow(self.shell.start(STEP, **options)):
            self.strip.hide()  # the page itself is the progress
            self.health.show_state("connecting", "accent")
        self._explain()

    def _sample(self, name: str, values: dict[str, JsonValue]) -> None:
        if name == "sample":
            self._show(from_json(TargetSample, values))
        elif name == "channel":
            notice = from_json(ChannelMessage, values)
            self._untold.pop(notice.channel, None)
            if notice.failed:
                self._untold[notice.channel] = notice.text
            self._show_alerts(*self._last)

    def _finished(self, outcome: JobOutcome) -> None:
        self.health.show_state("not monitored")
        self._explain()

    def refresh(self) -> None:
        """Offer the targets that something was deployed to."""
        self.choice.offer(self.workspace)
        self._pane.show_content(bool(self.choice.targets))
        self._show_version()
        self._explain()

    def _chosen(self) -> None:
        if self.strip.job is not None:
            self.strip.job.cancel()
        self._clear()
        self._show_version()
        self._explain()

    # Showing

    def _clear(self) -> None:
        for chart in (self.latency, self.throughput, self.memory):
            chart.clear()
        for figure in self.figures.values():
            figure.show_value(figures.NOTHING)
        self._seen.clear()
        self._untold.clear()
        self.drift.show_signals(())
        target = self.choice.target
        self.quality.clear(target.name if target is not None else "")
        self._show_alerts((), "")

    def _show_version(self) -> None:
        target = self.choice.target
        if target is None:
            return
        running = target_rows.running(self.workspace.registry.releases(target.name))
        where = f" at {running.endpoint}" if running.endpoint else ""
        self.version.setText(f"{running.name}{where}")

    def _show(self, sample: TargetSample) -> None:
        latency, memory = sample.latency_ms or Latency(), sample.memory_mb
        self.health.show_state(sample.health, HEALTH.get(sample.health, "warning"))
        # A server without recent requests reports 0, which is no latency.
        known = {name: getattr(latency, name) or None for name in ("p50", "p90", "p99")}
        for name, value in known.items():
            self.figures[name].show_value(figures.milliseconds(value))
        self.figures["throughput"].show_value(figures.rate(sample.throughput))
        self.figures["errors"].show_value(figures.whole(sample.errors))
        self.figures["memory"].show_value(figures.megabytes(memory))
        self.latency.add(*known.values())
        self.throughput.add(figures.number(sample.throughput))
        self.memory.add(figures.number(memory))
        self.quality.show_sample(sample)
        explain(self._fetch, self.quality.why_not)
        self.drift.show_signals(sample.drift, sample.drift_state)
        self._show_alerts(sample.alerts, sample.at)

    def _show_alerts(self, alerts: Sequence[Alert], at: str) -> None:
        """Show what is wrong now, and below it what was."""
        self._last = (alerts, at)
        now = {alert.name: alert for alert in alerts}
        for name, alert in now.items():
            self._seen.pop(name, None)  # the newest last
            self._seen[name] = (alert, at)
        shown = [
            _alert_row(alert, when, active=name in now)
            for name, (alert, when) in reversed(self._seen.items())
        ]
        shown += [
            StateRow("not notified", "bad", f"Channel {name}", text)
            for name, text in self._untold.items()
        ]
        shown.sort(key=lambda item: not item.tone)
        self.alerts.show_rows(shown[:ALERTS])
        self.alerts.setVisible(bool(shown))
        self.calm.setVisible(not shown)

    def _explain(self) -> None:
        """Name the primary button after what it does next."""
        if self.primary is None:
            return
        fleet, alerting = self._is_fleet(), self.stack.currentIndex() == ALERTS_VIEW
        self.choice.setVisible(bool(self.choice.targets) and not fleet and not alerting)
        if alerting and self.primary.hasFocus():
            self.alerting.add_rule.setFocus()
        self.primary.setVisible(not alerting)  # there is nothing to start
        running = (self.fleet_strip if fleet else self.strip).running
        view = "the view of the fleet" if fleet else "the live view"
        self.primary.setText("Stop" if running else "Start")
        self.primary.setAccessibleName(f"{'Stop' if running else 'Start'} {view}")
        explain(self._fetch, self.quality.why_not)
        reason = "" if self.choice.targets else "No deployments yet."
        set_enabled(self.primary, reason)
        explain(self._command, reason or ("Switch to Live or Fleet first." if alerting else ""))


def _alert_row(alert: Alert, at: str, *, active: bool) -> StateRow:
    name = alert.name.capitalize()
    if active:
        return StateRow(
            alert.level, "bad" if alert.level == "critical" else "warning", name, alert.text
        )
    return StateRow("over", "", name, f"{alert.text} Last seen {figures.moment(at)}.")
