"""The Monitor page: one endpoint with figures, log and history, the fleet, and alert rules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from PySide6.QtGui import QHideEvent, QResizeEvent, QShowEvent

from studio.deployment.results import SwitchResult
from studio.documents.dataclass_json import JsonValue, from_json
from studio.gui import figures
from studio.gui.pages.monitor.alerts_view import TEST_STEP, AlertsView
from studio.gui.pages.monitor.endpoint_view import EndpointView
from studio.gui.pages.monitor.fleet_view import FleetView
from studio.gui.pages.monitor.live_messages import LiveMessages
from studio.gui.pages.monitor.release_rows import ReleaseRow, release_markers, release_rows
from studio.gui.pages.monitor.rollback_question import (
    must_ask,
    rollback_question,
)
from studio.gui.pages.shared import target_rows
from studio.gui.pages.shared.question import Question
from studio.gui.pages.shared.serving_choice import ServingChoice
from studio.gui.pages.shared.stage_page import JobStrip, Needs, StagePage
from studio.gui.shell import MessageAction, Shell
from studio.gui.widgets.actions import explain
from studio.gui.widgets.basics import GRID, ElidedLabel, Hint, Pill, button, set_enabled
from studio.monitoring.results import FleetMessage
from studio.workspace import EndpointChanged

if TYPE_CHECKING:
    from studio.api import TargetSpec
    from studio.workspace import JobOutcome, ReleaseRecord, Workspace

STEP, FLEET_STEP = "monitor-live", "monitor-fleet"
ROLLBACK, START = "rollback", "start"
FLEET_EVERY_S = 5.0
ENDPOINT_VIEW, FLEET_VIEW, ALERTS_VIEW = range(3)
LONG = 7 * 24 * 3600
"""The longest watch of the fleet; a page that is hidden ends it."""
_WIDE = 1080
"""From this width on there is room for everything in the header."""
_BUSY = "A job is changing the release. Wait for it to finish or cancel it."
_NO_EARLIER = "No earlier release to roll back to."


class MonitorPage(StagePage):
    """The page that polls while it is shown; nothing has to be started or stopped."""

    stage = "monitor"
    title = "Monitor"
    icon = "monitor"
    repeats = ("monitor", FLEET_STEP, TEST_STEP)

    def __init__(self, workspace: Workspace, shell: Shell) -> None:
        super().__init__(workspace, shell)
        self._watched: tuple[int, str] | None = None
        self._target: TargetSpec | None = None
        self._releases: Sequence[ReleaseRecord] = ()
        self._undo = ""
        self.choice = ServingChoice(workspace.endpoints)
        self.pill = Pill("not checked")
        self.version = ElidedLabel("")
        self.version.setProperty("role", "dim")

    def build(self) -> Iterator[None]:
        """Make the endpoint, the fleet and the alerts, and connect them."""
        workspace, shell = self.workspace, self.shell
        self.view = EndpointView(shell, self.ask_rollback, self._start_server, self._again)
        self.live = LiveMessages(workspace, self.view)
        self.quality, self.drift = self.view.quality, self.view.drift
        yield
        self.fleet = FleetView(shell.theming, workspace.inbox)
        self.alerting = AlertsView(workspace, shell)
        self.fleet_strip, self.switching = JobStrip(), JobStrip()
        yield
        self._pane = Needs(self.view, self._hint())
        self._fleet_pane = Needs(self.fleet, self._hint())
        for title, view in (
            ("Endpoint", self._pane), ("Fleet", self._fleet_pane), ("Alerts", self.alerting)
        ):  # fmt: skip
            self.add_view(title, view)
        self.back = button("Roll back", self._roll_back_once)
        for tool in (self.choice, self.pill, self.version):
            self.add_tool(tool, left=True)
        self.add_tool(self.back)
        self.set_primary("Try it", self._go_on)
        self._commands()
        self._connect()

    def _hint(self) -> Hint:
        return Hint(
            "No deployments yet",
            "Latency, errors, drift, log and release history of your endpoints appear here. "
            "Deploying a model to this computer takes about 8 s.",
            "Go to Deploy",
            lambda: self.shell.go("deploy"),
        )

    def _commands(self) -> None:
        self._try = self.add_command("Try the endpoint", self._try_it)
        self._back_command = self.add_command("Roll back the endpoint", self._roll_back_once)
        self._fetch = self.add_command("Fetch uncertain requests\u2026", self.quality.choose_folder)
        self.add_command("Edit alert rules and channels", lambda: self.show_view(ALERTS_VIEW))

    def _connect(self) -> None:
        self.stack.currentChanged.connect(lambda _: self._switched())
        self.choice.currentIndexChanged.connect(lambda _: self._chosen())
        self.strip.message.connect(self._message)
        self.strip.finished.connect(self._ended)
        self.fleet_strip.message.connect(self._fleet_samples)
        self.fleet_strip.finished.connect(self._ended)
        self.fleet.opened.connect(self.open_endpoint)
        self.fleet.page_wanted.connect(lambda stage: self.shell.go(stage))
        self.fleet.rows.chosen.connect(lambda _: self._explain())
        for chart in self.fleet.charts:
            chart.exported.connect(lambda text: self.shell.notify(text, "good"))
            chart.failed.connect(self.shell.fail)
        self.switching.finished.connect(self._switch_ended)
        self.quality.strip.finished.connect(lambda _: self._explain())

    # Polling, while the page is shown

    def showEvent(self, event: QShowEvent) -> None:
        """Poll what is shown."""
        super().showEvent(event)
        self._watch()

    def hideEvent(self, event: QHideEvent) -> None:
        """Stop polling."""
        super().hideEvent(event)
        self._watch()

    def _wanted(self) -> tuple[int, str] | None:
        view = self.stack.currentIndex()
        if not self.isVisible() or not self.choice.targets:
            return None
        if view == ENDPOINT_VIEW and self._target is not None:
            return view, self._target.name
        return (view, "") if view == FLEET_VIEW else None

    def _watch(self) -> None:
        """Poll what is shown now and nothing else."""
        wanted = self._wanted()
        if wanted == self._watched:
            return
        for strip in (self.strip, self.fleet_strip):
            if strip.job is not None:
                strip.job.cancel()
                strip.follow(None)
        self._watched = wanted
        if wanted is None:
            return
        options: dict[str, object] = dict(self.workspace.alerts.option)
        if wanted[0] == FLEET_VIEW:
            strip = self.fleet_strip
            job = self.shell.start(FLEET_STEP, seconds=LONG, interval=FLEET_EVERY_S, **options)
        else:
            strip = self.strip
            job = self.shell.start(STEP, target=wanted[1], **options)
        strip.follow(job)
        strip.hide()  # the page itself is the progress
        if job is None:
            self._watched = None

    def _again(self) -> None:
        """Restart polling at once."""
        self._watched = None
        self._watch()

    def _ended(self, outcome: JobOutcome) -> None:
        """Show why polling ended without the user."""
        if self._watched is not None and self._watched[0] == ENDPOINT_VIEW:
            cancelled = outcome.end.value == "cancelled"
            sentence = "It was cancelled." if cancelled else outcome.sentence
            self.view.status.show_failure(sentence, outcome.hint)
        self._explain()

    # What happens

    def on_event(self, event: object) -> None:
        """Follow the jobs of all views, and the states of the endpoints."""
        super().on_event(event)
        for strip in (self.fleet_strip, self.switching, self.alerting.strip, self.quality.strip):
            strip.on_event(event)
        if isinstance(event, EndpointChanged):
            self._show_status()

    def _switched(self) -> None:
        if self.stack.currentIndex() == ALERTS_VIEW:
            self.alerting.refresh()
        self._watch()
        self._explain()

    def open_endpoint(self, name: str) -> None:
        """Show an endpoint of the fleet."""
        self.choice.choose(name)
        self.show_view(ENDPOINT_VIEW)

    def _chosen(self) -> None:
        self._show_target()
        self._watch()

    def _message(self, name: str, values: dict[str, JsonValue]) -> None:
        if self._target is None:
            return
        self.live.apply(name, values)
        if name == "releases":
            self._show_history()
        elif name == "sample":
            status = self.workspace.endpoints.of(self._target.name)
            self.pill.show_state(status.word, status.tone)
        explain(self._fetch, self.quality.why_not)

    def _fleet_samples(self, name: str, values: dict[str, JsonValue]) -> None:
        if name == "samples":
            samples = from_json(FleetMessage, values).samples
            self.workspace.endpoints.ingest(samples)
            self.fleet.ingest(samples, self.workspace.endpoints.busy)

    def refresh(self) -> None:
        """Read targets and releases from the registry."""
        self.choice.offer(self.workspace, self.variant)
        for pane in (self._pane, self._fleet_pane):
            pane.show_content(bool(self.choice.targets))
        self.workspace.endpoints.refresh(target.name for target in self.choice.targets)
        self._show_target()
        self._watch()

    # Rollback

    def _roll_back_once(self) -> None:
        """Roll back to the newest earlier release that was not rolled back itself."""
        if (row := self._earlier()) is not None:
            self.ask_rollback(row)

    def _earlier(self) -> ReleaseRow | None:
        rows = self.view.releases.rows
        return next((row for row in rows if row.to and row.state == "replaced"), None)

    def ask_rollback(self, row: ReleaseRow) -> None:
        """Roll back to a release, after a confirmation where one is needed."""
        target, live = self._target, target_rows.running(self._releases)
        if target is None or self.switching.running:
            return
        model = (live.release.facts.name or "") if live.release else ""
        if must_ask(target, model, row):
            name = f"{model} {live.name}".strip()
            rollback_question(
                self.header, target, name, row, lambda: self._roll_back(row.to)
            ).open()
        else:
            self._roll_back(row.to)

    def _roll_back(self, to: str) -> None:
        target = self._target
        if target is None or self.switching.running:
            return
        live = target_rows.running(self._releases).release
        number = live.facts.version if live is not None else None
        self._undo = "" if number is None or target_rows.is_remote(target) else str(number)
        self.switching.follow(self.shell.start(ROLLBACK, target=target.name, to=to))
        self._explain()

    def _start_server(self) -> None:
        """Start the server of the target; anything on the network asks."""
        target = self._target
        if target is None or self.switching.running:
            return
        where = target_rows.spoken(target.name)
        if not target_rows.is_remote(target):
            self._start_now()
            return
        text = f"The installed release answers requests on {where} again."
        Question(
            self.header, f"Start the server on {where}?", text, "Start the server", self._start_now
        ).open()

    def _start_now(self) -> None:
        if self._target is not None:
            self._undo = ""
            self.switching.follow(self.shell.start(START, target=self._target.name))
            self._explain()

    def _switch_ended(self, outcome: JobOutcome) -> None:
        result = outcome.result
        if outcome.ok and isinstance(result, SwitchResult):
            where, took = target_rows.spoken(result.target), figures.seconds(result.seconds)
            text = f"v{result.to} serves again on {where}; it took {took}."
            undo = self._undo
            action = MessageAction("Undo", lambda: self._roll_back(undo)) if undo else None
            self.shell.notify(text, "good", action)
        self.refresh_soon()
        self._explain()

    def _go_on(self) -> None:
        """Take the next step: try the endpoint, or open the one selected in the fleet."""
        if self.stack.currentIndex() == FLEET_VIEW:
            self.open_endpoint(self.fleet.rows.current)
        else:
            self._try_it()

    def _try_it(self) -> None:
        if self._target is not None:
            self.choice.choose(self._target.name)
            self.shell.go("try")

    # Showing

    def _show_target(self) -> None:
        """Show the chosen target; what belongs to another one is forgotten."""
        before, self._target = self._target, self.choice.target
        name = self._target.name if self._target is not None else ""
        self._releases = self.workspace.registry.releases(name) if name else ()
        running = target_rows.running(self._releases)
        if (before.name if before is not None else "") != name:
            self.live.clear(name, running.endpoint)
        since = figures.moment(running.release.created) if running.release else ""
        self.version.setText(f"{running.name}, live since {since}" if since else running.name)
        self.version.setVisible(bool(name))
        self._show_history()
        self._show_status()

    def _show_history(self) -> None:
        self.view.releases.show_rows(release_rows(self._releases, self.live.reachable))
        self.view.charts.show_releases(release_markers(self._releases))
        self._explain()

    def _show_status(self) -> None:
        if self._target is not None:
            status = self.live.show_status()
            self.pill.show_state(status.word, status.tone)
        self._explain()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave the least important out of a narrow header."""
        super().resizeEvent(event)
        self._explain()

    def _explain(self) -> None:
        """Show the tools of the view, and name its primary button."""
        if self.primary is None:
            return
        view, has_any = self.stack.currentIndex(), bool(self.choice.targets)
        on_endpoint = view == ENDPOINT_VIEW and has_any
        for tool in (self.choice, self.pill, self.version, self.back):
            tool.setVisible(on_endpoint)
        self.version.setVisible(on_endpoint and self.width() >= _WIDE)
        self.hide_pipeline_button(self.width() < _WIDE)
        self.primary.setVisible(on_endpoint or (view == FLEET_VIEW and has_any))
        self.primary.setText("Open endpoint" if view == FLEET_VIEW else "Try it")
        self.primary.setAccessibleName(self.primary.text())
        chosen = view != FLEET_VIEW or bool(self.fleet.rows.current)
        set_enabled(self.primary, "" if chosen else "Select an endpoint.")
        explain(self._try, "" if self._target is not None else "No deployments yet.")
        explain(self._fetch, self.quality.why_not)
        self._explain_rollback()

    def _explain_rollback(self) -> None:
        row = self._earlier()
        busy = _BUSY if self.switching.running else ""
        reason = busy or ("" if row is not None else _NO_EARLIER)
        number = f" to v{row.version}" if row is not None else ""
        asks = row is not None and self._target is not None and self._asks(row)
        self.back.setText(f"Roll back{number}{'…' if asks else ''}")
        self.back.setAccessibleName(self.back.text())
        self.back.setMaximumWidth(28 * GRID)
        set_enabled(self.back, reason)
        explain(self._back_command, reason)
        self.view.releases.explain(busy)

    def _asks(self, row: ReleaseRow) -> bool:
        live = target_rows.running(self._releases).release
        assert self._target is not None
        return must_ask(self._target, (live.facts.name or "") if live else "", row)
