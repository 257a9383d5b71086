"""The Deploy page: tiles of targets with their state, the check before a deployment, the sheet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QVBoxLayout, QWidget

from studio.api import Capability, Kind, StudioError, TargetSpec
from studio.api.sheets import DeploySheet
from studio.deployment.results import DeployResult, ServerResult, SwitchResult
from studio.gui import figures
from studio.gui.pages.deploy import rows
from studio.gui.pages.deploy.boards_view import BoardsView
from studio.gui.pages.deploy.check_card import CheckCard
from studio.gui.pages.deploy.deployment import PLANNING, STEP, Deployment
from studio.gui.pages.deploy.endpoint_card import EndpointCard
from studio.gui.pages.deploy.form import on_network
from studio.gui.pages.deploy.gallery import GAP, TILE_WIDTH, Gallery
from studio.gui.pages.deploy.history_view import HistoryView
from studio.gui.pages.deploy.next_step import NextStep
from studio.gui.pages.deploy.plugin_sheets import PluginKinds, PluginSheets
from studio.gui.pages.deploy.rollout_view import RolloutView
from studio.gui.pages.deploy.sheet import BUSY, CONFIGURE, NO_MODEL, REVIEW, DeploymentSheet
from studio.gui.pages.deploy.target_history import HistoryCard
from studio.gui.pages.deploy.target_kinds import TargetKind, kind_of
from studio.gui.pages.deploy.target_tools import TargetTools
from studio.gui.pages.shared import target_rows
from studio.gui.pages.shared.host_key_panel import HostKeyPanel
from studio.gui.pages.shared.stage_page import StagePage, StaleViews
from studio.gui.pages.shared.target_states import UNREACHABLE, LiveFigures, target_states
from studio.gui.shell import MessageAction, Shell
from studio.gui.widgets.actions import explain
from studio.gui.widgets.basics import GRID, Scroll, set_enabled
from studio.gui.widgets.late_view import LateView
from studio.gui.widgets.sheet import WIDTH
from studio.workspace import EndpointChanged, JobMessage

if TYPE_CHECKING:
    from pathlib import Path

    from studio.workspace import JobOutcome, ReleaseRecord, VariantRecord, Workspace

LEAST_WIDE = WIDTH + 3 * TILE_WIDTH + 2 * GAP + 4 * GRID
"""From this width on the check is right of the gallery, and the sheet covers only the check."""
BESIDE_WIDTH = WIDTH - 2 * GRID
_ANY_WIDTH = 16_777_215


class DeployPage(StagePage):
    """The page that plans a deployment, runs it, and rolls it back."""

    stage = STEP
    title = "Deploy"
    icon = STEP
    repeats = ("deploy", "rollout", "rollback", "promote", "undeploy", "package", "image", "deb")
    folded_title = "Platforms"
    _verb = target_rows.DEPLOY_TO

    def __init__(self, workspace: Workspace, shell: Shell) -> None:
        super().__init__(workspace, shell)
        self._targets: list[TargetSpec] = []
        self._sheets = PluginSheets(workspace)
        self._plugin_views: dict[str, int] = {}
        self._seen: dict[str, LiveFigures] = {}
        self._next = NextStep()

    def build(self) -> Iterator[None]:
        """Make the cards, the views and the sheet, and connect them."""
        workspace, shell = self.workspace, self.shell
        options = workspace.steps[STEP].form
        model_option = next(one.name for one in options if one.kind is Kind.MODEL)
        self.deployment = Deployment(shell, self.strip, model_option)
        self.gallery = Gallery(shell.theming)
        configure, review = (partial(self._open_at, at) for at in (CONFIGURE, REVIEW))
        self.check = CheckCard(self.deployment, self.plan, configure, self._serve_both, review)
        self.steps, self.plan_button = self.check.steps, self.check.plan_button
        self.contact = HostKeyPanel(workspace)
        self.history = HistoryCard(self._roll_back)
        self.endpoint_card = EndpointCard(shell, partial(target_rows.variant_of, workspace))
        self.tools = TargetTools(workspace, shell, self.strip)
        self._rollout = LateView(lambda: RolloutView(workspace, shell, self.pipeline_button()))
        yield
        self.boards = BoardsView(workspace, shell, self.open_target)
        self.record = HistoryView(workspace, shell)
        yield
        self.sheet = DeploymentSheet(self, workspace, shell, self.deployment, options)
        self.form = self.sheet.configure_step.form
        yield
        self._add_views()
        self._connect()
        workspace.in_background(self._sheets.read, self._show_plugins)

    def _add_views(self) -> None:
        self.add_view("Deploy", self._content())
        self.add_panel("Roll out", self._rollout)
        self.add_panel("Boards", self.boards)
        self.add_panel("History", self.record)
        self.set_primary("Deploy", self._go_on)
        self._plan_command = self.add_command("Plan a deploy", self.plan)
        self._deploy_command = self.add_command("Deploy to the selected target", self.deploy)

    def _connect(self) -> None:
        self.strip.message.connect(self.deployment.follow)
        self.strip.finished.connect(self._finished)
        self.contact.trusted.connect(lambda _name: self.plan())
        self.tools.changed.connect(self.refresh_soon)
        self.deployment.changed.connect(self._show_check)
        self.gallery.chosen.connect(lambda _name: self._chosen())
        self.gallery.kind_asked.connect(self._connect_to)
        self.sheet.connected.connect(self._connected)
        self.sheet.connect_step.silent.connect(self._note_silence)
        self.sheet.closed.connect(self._sheet_closed)
        refreshers: dict[QWidget, Callable[[], object]] = {
            self._rollout: lambda: self.rollout.refresh(self.variant),
            self.boards: self.boards.refresh,
            self.record: self.record.refresh,
        }
        self._freshness = StaleViews(self.stack, refreshers)

    # Layout

    def _content(self) -> QWidget:
        scroll = Scroll()
        self.check.body.addWidget(self.contact)
        self._pair = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._pair.setSpacing(2 * GRID)
        self._pair.addWidget(self.gallery, 1, Qt.AlignmentFlag.AlignTop)
        self._column = QWidget()
        right = QVBoxLayout(self._column)
        right.setContentsMargins(0, 0, 0, 0)
        right.setSpacing(GRID)
        right.addWidget(self.check)
        right.addWidget(self.strip)
        right.addStretch(1)
        policy = self.strip.sizePolicy()
        policy.setRetainSizeWhenHidden(True)  # a job that begins moves nothing
        self.strip.setSizePolicy(policy)
        self._pair.addWidget(self._column)
        scroll.body.addLayout(self._pair)
        for part in (self.endpoint_card, self.tools, self.history):
            scroll.body.addWidget(part)
        scroll.body.addStretch(1)
        return scroll

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the check below the gallery where both have no room."""
        super().resizeEvent(event)
        wide = self.width() >= LEAST_WIDE
        directions = QBoxLayout.Direction
        self._pair.setDirection(directions.LeftToRight if wide else directions.TopToBottom)
        self._column.setMinimumWidth(BESIDE_WIDTH if wide else 0)
        self._column.setMaximumWidth(BESIDE_WIDTH if wide else _ANY_WIDTH)

    @property
    def rollout(self) -> RolloutView:
        """The view of the deployment to several targets."""
        return self._rollout.view

    # Kinds

    def add_panel(self, title: str, panel: QWidget, folded: bool = False) -> int:
        """Add a view; the panel of a plugin opens from the tile of its kind."""
        number = super().add_panel(title, panel, folded)
        capability = getattr(panel, "capability", None)
        if isinstance(capability, Capability):
            self._plugin_views.setdefault(capability.plugin, number)
        return number

    def _show_plugins(self, found: PluginKinds | Exception) -> None:
        if not isinstance(found, Exception):
            self._sheets.take(found)
            self.refresh_soon()

    def _sheet_of(self, kind: TargetKind) -> DeploySheet | None:
        """Return the sheet of a kind, from its plugin; None where it has none."""
        try:
            return self._sheets.of(kind)
        except StudioError as error:
            self.shell.fail(error)
            return None

    def _connect_to(self, kind: TargetKind) -> None:
        sheet = self._sheet_of(kind)
        if sheet is not None:
            self.sheet.connect_to(kind, sheet)
            self._hide_primary()
        elif kind.plugin in self._plugin_views:
            self.show_view(self._plugin_views[kind.plugin])
        else:
            self.shell.go("targets")

    # What happens

    def choose_app(self, folder: Path, variant: int) -> None:
        """Offer an app with its model; another model is deployed without it."""
        self.deployment.forget()
        self.sheet.choose_app(folder, variant)
        self.refresh_soon()

    def show_variant(self, variant: VariantRecord | None) -> None:
        """Offer another variant for the deploy; the plan was for the one before."""
        if (variant and variant.id) != (self.variant and self.variant.id):
            self.deployment.forget()
            self.sheet.leave_app(variant.id if variant else 0)
        super().show_variant(variant)

    def on_event(self, event: object) -> None:
        """Follow the page's job, and keep what the live view measures."""
        super().on_event(event)
        for strip in (self.rollout.strip, self.boards.strip, self.record.proof.strip):
            strip.on_event(event)
        self.sheet.on_event(event)
        if isinstance(event, JobMessage) and event.name == "sample":
            sample = LiveFigures.of({**event.values, "checked": _now()})
            self._seen[sample.target] = sample
        elif isinstance(event, EndpointChanged):
            self.refresh_soon()

    def open_target(self, name: str) -> None:
        """Show one target on the first view, to act on it."""
        if any(target.name == name for target in self._targets):
            self.gallery.choose(name)
        self.show_view(0)

    def plan(self) -> None:
        """Plan a deployment without changing anything."""
        self._start(dry_run=True)

    def _go_on(self) -> None:
        """Deploy, or go on to what comes after a deployment."""
        if self._next.is_done:
            self.shell.go("monitor")
        else:
            self.deploy()

    def deploy(self) -> None:
        """Deploy at once where nothing is replaced and no network is reached; else review first."""
        target, sheet = self._selected(), self.sheet
        if target is None or self.variant is None or self.strip.running:
            return
        is_valid = sheet.configure_step.check()
        if is_valid and (sheet.replaced() or on_network(target, sheet.values())):
            self._open_at(REVIEW)
        else:
            self._start(dry_run=False)

    def _open_at(self, step: int) -> None:
        if (target := self._selected()) is not None:
            self.sheet.open_at(step, kind_of(target, self._sheets.kinds))
            self._hide_primary()

    def _serve_both(self) -> None:
        """Check a deployment to an endpoint of its own, next to the other model."""
        self.sheet.name_endpoint()
        self.plan()

    def _start(self, *, dry_run: bool) -> None:
        target, variant = self._selected(), self.variant
        if target is None or variant is None or self.strip.running:
            return
        if not self.sheet.configure_step.check():
            self._open_at(CONFIGURE)
            return
        self.deployment.start(target, variant, self.sheet.values(), dry_run=dry_run)

    def _roll_back(self, release: ReleaseRecord) -> None:
        target = self._selected()
        if target is not None:
            self.deployment.roll_back(target, rows.version_number(release))

    def _hide_primary(self) -> None:
        if self.primary is not None:
            self.primary.hide()  # the sheet has the one primary button

    def _sheet_closed(self) -> None:
        if self.primary is not None:
            self.primary.show()
        self._show_selected()

    def _connected(self, name: str) -> None:
        self.refresh()
        self.gallery.choose(name)

    def _note_silence(self, name: str) -> None:
        """Show a target that did not answer the check as unreachable."""
        self._seen[name] = LiveFigures(name, None, UNREACHABLE, checked=_now())
        self.refresh()

    def _finished(self, outcome: JobOutcome) -> None:
        result = outcome.result
        if self.tools.finished(outcome):
            if isinstance(result, ServerResult):
                self._seen[result.target] = LiveFigures.of_server(result, _now())
            self.refresh_soon()
            return
        target = self.deployment.target
        self.deployment.end(outcome)
        if outcome.ok and self.deployment.doing != PLANNING:
            self._notify_done(result)
        elif target is not None:
            self.contact.present_if_unknown(target, outcome)
            if outcome.error == "TargetError" and self.deployment.has_no_connection:
                self._note_silence(target.name)
        self.sheet.ended(outcome)
        self.refresh_soon()

    def _notify_done(self, result: DeployResult | SwitchResult) -> None:
        took, where = figures.seconds(result.seconds), target_rows.spoken(result.target)
        if isinstance(result, DeployResult):
            self.workspace.endpoints.chosen = result.target
            self.gallery.select(result.target)
            said = f"v{result.version} serves on {where}; it took {took}."
            self.shell.notify(said, "good", MessageAction("Try it", lambda: self.shell.go("try")))
        else:
            said = f"v{result.to} serves again on {where}; it took {took}."
            self.shell.notify(
                said, "good", MessageAction("Monitor", lambda: self.shell.go("monitor"))
            )

    # Showing

    def refresh(self) -> None:
        """Show the targets and what runs on them."""
        registry = self.workspace.registry
        self._targets = list(registry.targets())
        names = [target.name for target in self._targets]
        running = registry.history.running()
        self.gallery.follow(self.variant, running, names)
        facts = {name: target_rows.facts_of(registry.facts(name)) for name in names}
        texts = {
            one.name: target_rows.kind(one, facts[one.name], running.get(one.name))
            for one in self._targets
        }
        states = target_states(self.workspace, self._seen)
        self.gallery.show_targets(self._targets, states, texts, self._sheets.kinds)
        self._freshness.lose()
        self._show_selected()

    def _selected(self) -> TargetSpec | None:
        name = self.gallery.selected
        return next((target for target in self._targets if target.name == name), None)

    def _chosen(self) -> None:
        target = self._selected()
        if not self.strip.running and (target is None or target != self.deployment.target):
            self.deployment.forget()
        self._show_selected()

    def _show_selected(self) -> None:
        target = self._selected()
        if target is None:
            self.sheet.show_target(None, self.variant, None)
            return
        sheet = self._sheet_of(kind_of(target, self._sheets.kinds))
        self.sheet.show_target(target, self.variant, sheet)
        self._verb = target_rows.deploy_verb(self.workspace, target)
        releases = self.workspace.registry.releases(target.name)
        spoken, running = target_rows.spoken(target.name), target_rows.running(releases)
        self.history.show_releases(spoken, releases)
        self.endpoint_card.show_target(target, running)
        serves, canary = running.release is not None, target_rows.has_canary(releases)
        self.tools.show_target(target.name, spoken, serves=serves, canary=canary)
        self._show_check()

    def _show_check(self) -> None:
        target = self._selected()
        if target is None:
            return
        reason = self._why_not()
        name = self.variant.name if self.variant is not None else ""
        place, served = self.sheet.place, self.sheet.replaced()
        self._next = NextStep.of(self.workspace, target.name, self.variant, self.deployment.planned)
        self.check.show_target(place, name, reason, served, both=self.sheet.can_serve_both)
        explain(self._plan_command, reason)
        if self.deployment.planned is not None:
            reason = reason or rows.in_the_way(self.deployment.steps)
        if self.primary is not None:
            self.primary.setText(self._next.text(place, self._verb))
            self.primary.setAccessibleName(self.primary.text())
            set_enabled(self.primary, reason)
        explain(self._deploy_command, reason)
        set_enabled(self.history.back, "A job is running." if self.strip.running else "")

    def _why_not(self) -> str:
        """Return why nothing can be planned or deployed now; empty where it can."""
        if self.variant is None:
            return NO_MODEL
        return BUSY if self.strip.running else self.workspace.why_not(STEP, self.variant)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
