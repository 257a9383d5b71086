"""The Deploy page: where a version runs, the plan before a deployment, and the rollback."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QWidget

from studio.api import Kind, TargetSpec
from studio.deployment.results import DeployResult, DeployStep, ServerResult, SwitchResult
from studio.documents.dataclass_json import JsonValue, from_json
from studio.gui import figures
from studio.gui.forms.form import Form
from studio.gui.pages.deploy import form as asked
from studio.gui.pages.deploy import rows
from studio.gui.pages.deploy.boards_view import BoardsView
from studio.gui.pages.deploy.form import ReplaceQuestion, form_options, replaced_model
from studio.gui.pages.deploy.history_view import HistoryView
from studio.gui.pages.deploy.rollout_view import RolloutView
from studio.gui.pages.deploy.target_history import HistoryCard
from studio.gui.pages.deploy.target_tools import TargetTools
from studio.gui.pages.shared import target_rows
from studio.gui.pages.shared.host_key_panel import HostKeyPanel
from studio.gui.pages.shared.stage_page import StagePage, StaleViews, StateRows
from studio.gui.shell import Shell
from studio.gui.widgets.actions import explain
from studio.gui.widgets.basics import (
    GRID,
    Card,
    ElidedLabel,
    Pill,
    Scroll,
    button,
    label,
    row,
    set_enabled,
)
from studio.gui.widgets.tables import Table
from studio.workspace import JobMessage

if TYPE_CHECKING:
    from studio.workspace import JobOutcome, ReleaseRecord, VariantRecord, Workspace

STEP = "deploy"
ROLLBACK = "rollback"
NO_MODEL = "Open a model on the Model page, then plan its deployment here."
BEFORE = "Plan checks the target and lists every action. Nothing changes until you press Deploy."


class DeployPage(StagePage):
    """The page that plans a deployment, runs it, and rolls it back."""

    stage = STEP
    title = "Deploy"
    icon = STEP
    repeats = ("deploy", "rollout", "rollback", "promote", "undeploy", "package", "image", "deb")
    folded_title = "Platforms"

    def __init__(self, workspace: Workspace, shell: Shell) -> None:
        super().__init__(workspace, shell)
        self._targets: list[TargetSpec] = []
        self._steps: list[DeployStep] = []
        self._plan_steps: list[DeployStep] = []
        self._seen: dict[str, rows.LiveFigures] = {}
        self._planned: tuple[int, str] | None = None
        self._doing = ""
        self._asked: TargetSpec | None = None
        options = workspace.steps[STEP].form
        self._model_option = next(o.name for o in options if o.kind is Kind.MODEL)
        self.form = Form(form_options(options), columns=2, project=shell.project)
        self.contact = HostKeyPanel(workspace)
        self.question = ReplaceQuestion(lambda: self._start(dry_run=False, replace=True))
        self.table = Table(rows.COLUMNS, rows.NUMERIC, stretch=1, name="Targets")
        self.steps = StateRows("Plan")
        self.plan_hint = label(BEFORE, "dim", wrap=True)
        self.plan_button = button("Plan", self.plan)
        self.commands = QCheckBox("Show files and commands")
        self.history = HistoryCard(self._roll_back)
        self.endpoint = ElidedLabel()
        self.curl = ElidedLabel()
        self.tools = TargetTools(workspace, shell, self.strip)
        self.rollout = RolloutView(workspace, shell, self.pipeline_button())
        self.boards = BoardsView(workspace, shell, self.open_target)
        self.record = HistoryView(workspace, shell)
        self.add_view("Deploy", self._content())
        self.add_panel("Roll out", self.rollout)
        self.add_panel("Boards", self.boards)
        self.add_panel("History", self.record)
        self.add_tool(button("Add target", lambda: shell.go("targets")))
        self.set_primary("Deploy", self.deploy)
        self._plan_command = self.add_command("Plan a deploy", self.plan)
        self._deploy_command = self.add_command("Deploy to the selected target", self.deploy)
        self.strip.message.connect(self._live)
        self.strip.finished.connect(self._finished)
        self.contact.trusted.connect(lambda _name: self.plan())
        self.tools.changed.connect(self.refresh_soon)
        self.commands.toggled.connect(lambda _: self._show_steps())
        self.table.itemSelectionChanged.connect(self._chosen)
        self._freshness = StaleViews(
            self.stack,
            {
                self.rollout: lambda: self.rollout.refresh(self.variant),
                self.boards: self.boards.refresh,
                self.record: self.record.refresh,
            },
        )

    # Layout

    def _content(self) -> QWidget:
        scroll = Scroll()
        listed = Card()
        listed.body.setContentsMargins(4, 4, 4, 4)
        listed.body.addWidget(self.table)
        lower = QHBoxLayout()
        lower.setSpacing(2 * GRID)
        lower.addWidget(self._plan_card(), 1)
        lower.addWidget(self.history, 1)
        above = (self.strip, self.contact, self.question)
        for part in (*above, listed, self._endpoint_card(), self.tools):
            scroll.body.addWidget(part)
        scroll.body.addLayout(lower)
        scroll.body.addStretch(1)
        return scroll

    def _plan_card(self) -> Card:
        self._plan = Card("Plan")
        self._plan_note = label("", "dim")
        self._plan.body.insertLayout(0, row(self._plan.heading, self._plan_note, None))
        self._plan.body.addWidget(self.plan_hint)
        self._plan.body.addWidget(self.steps)
        self._plan.body.addLayout(row(self.plan_button, self.commands, None))
        self._plan.body.addWidget(self.form)
        self._plan.body.addStretch(1)
        return self._plan

    def _endpoint_card(self) -> Card:
        card = Card()
        copy = button("Copy", self._copy_curl)
        copy.setToolTip("Copy a curl command for this endpoint.")
        copy.setAccessibleName("Copy the call")
        self.curl.setProperty("role", "mono")
        self._calling = label("Endpoint", "dim")
        tried = button("Try it", lambda: self.shell.go("try"))
        tried.setToolTip("Send images to this release and show the results.")
        layout = row(self._calling, self.endpoint, 2 * GRID, self.curl, copy, tried)
        layout.setStretch(3, 1)
        self.endpoint.setMinimumWidth(24 * GRID)
        card.body.setContentsMargins(2 * GRID, GRID, GRID, GRID)
        card.body.addLayout(layout)
        self._endpoint = card
        return card

    # What happens

    def show_variant(self, variant: VariantRecord | None) -> None:
        """Offer another variant for the deploy; the plan was for the one before."""
        if (variant and variant.id) != (self.variant and self.variant.id):
            self._forget_plan()
        super().show_variant(variant)

    def on_event(self, event: object) -> None:
        """Follow the page's job, and keep what the live view measures."""
        super().on_event(event)
        self.rollout.strip.on_event(event)
        self.boards.strip.on_event(event)
        self.record.proof.strip.on_event(event)
        if isinstance(event, JobMessage) and event.name == "sample":
            sample = rows.LiveFigures.of(event.values)
            self._seen[sample.target] = sample

    def open_target(self, name: str) -> None:
        """Show one target on the first view, to act on it."""
        names = [target.name for target in self._targets]
        if name in names:
            self.table.selectRow(names.index(name))
        self.show_view(0)

    def plan(self) -> None:
        """Plan a deployment without changing anything."""
        self._start(dry_run=True)

    def deploy(self) -> None:
        """Carry it out; before another model is replaced, ask."""
        target, variant = self._selected(), self.variant
        served = replaced_model(self.workspace, target, variant, self.form.values())
        if target is None or variant is None or not served:
            self._start(dry_run=False)
        else:
            self.question.show_question(target_rows.spoken(target.name), served, variant.model_name)

    def _start(self, *, dry_run: bool, **more: bool) -> None:
        target, variant = self._selected(), self.variant
        if target is None or variant is None or self.strip.running:
            return
        if not self.form.check():
            return
        chosen = {self._model_option: f"#{variant.id}", "target": target.name}
        self.question.hide()
        options = {**self.form.values(), **chosen, **more, "dry_run": dry_run}
        job = self.shell.start(STEP, **options)
        if self.strip.follow(job):
            self._asked = target
            self._doing = "plan" if dry_run else "deploy"
            plan = self._steps if self._planned is not None and not dry_run else []
            self._forget_plan()
            self._plan_steps = plan
            self._steps = list(plan)
        self._show_selected()

    def _roll_back(self, release: ReleaseRecord) -> None:
        target = self._selected()
        if target is None or self.strip.running:
            return
        number = rows.version_number(release)
        options = {"target": target.name, **({"to": number} if number else {})}
        if self.strip.follow(self.shell.start(ROLLBACK, **options)):
            self._asked, self._doing = target, "rollback"
            self._forget_plan()
        self._show_selected()

    def _live(self, name: str, values: dict[str, JsonValue]) -> None:
        """Show the state of the steps as soon as the job reports it."""
        if name == "step":
            live = from_json(list[DeployStep], values.get("steps"))
            self._steps = rows.ahead(live, self._plan_steps)
            self._show_steps()
            self._show_plan_state()

    def _finished(self, outcome: JobOutcome) -> None:
        target, variant, result = self._asked, self.variant, outcome.result
        if self.tools.finished(outcome):
            if isinstance(result, ServerResult):
                self._seen[result.target] = rows.live_figures(result)
            self.refresh_soon()
            return
        if outcome.ok:
            if isinstance(result, DeployResult):
                self._steps = list(result.steps) or self._steps
            if self._doing == "plan" and target is not None and variant is not None:
                self._planned = (variant.id, target.name)
            elif target is not None:
                self._planned = None
                self._notify_done(result)
        elif target is not None:
            self._steps = rows.fail_running(self._steps, outcome.sentence)
            self.contact.present_if_unknown(target, outcome)
        self.refresh_soon()

    def _notify_done(self, result: DeployResult | SwitchResult) -> None:
        took, where = figures.seconds(result.seconds), target_rows.spoken(result.target)
        what = (
            f"v{result.version} serves"
            if isinstance(result, DeployResult)
            else (f"v{result.to} serves again")
        )
        self.shell.notify(f"{what} on {where}; it took {took}.", "good")

    def _forget_plan(self) -> None:
        self._steps = []
        self._plan_steps = []
        self._planned = None
        self.question.hide()

    # Showing

    def refresh(self) -> None:
        """Show the targets and what runs on them."""
        registry = self.workspace.registry
        chosen = self._selected()
        self._targets = registry.targets()
        live, running = self._last_seen(), registry.history.running()
        with QSignalBlocker(self.table):
            self.table.show_rows(
                [self._cells(target, running.get(target.name), live) for target in self._targets]
            )
        self.table.fit_height(8)
        names = [target.name for target in self._targets]
        wanted = chosen.name if chosen else target_rows.LOCAL
        if names:
            with QSignalBlocker(self.table):
                self.table.selectRow(names.index(wanted) if wanted in names else 0)
        self._freshness.lose()
        self._show_selected()

    def _cells(
        self,
        target: TargetSpec,
        running: ReleaseRecord | None,
        live: Mapping[str, rows.LiveFigures],
    ) -> list[str | QWidget]:
        releases = [running] if running is not None else []
        facts = self.workspace.registry.facts(target.name)
        *texts, state, since = rows.target_row(target, facts, releases, live.get(target.name))
        return [*texts, Pill(state, rows.tone(state)), since]

    def _last_seen(self) -> dict[str, rows.LiveFigures]:
        """Return the last measurements of each target: live, or of a monitor run that ended."""
        return {**rows.last_seen(self.workspace), **self._seen}

    def _selected(self) -> TargetSpec | None:
        y = self.table.currentRow()
        return self._targets[y] if 0 <= y < len(self._targets) else None

    def _chosen(self) -> None:
        target = self._selected()
        if not self.strip.running and (target is None or target != self._asked):
            self._forget_plan()
        self._show_selected()

    def _show_selected(self) -> None:
        target = self._selected()
        self._withhold(target)
        if target is None:
            return
        releases = self.workspace.registry.releases(target.name)
        self.history.show_releases(target_rows.spoken(target.name), releases)
        self._show_steps()
        self._show_plan_state()
        self._show_endpoint(target, releases)
        self.tools.show_target(
            target.name,
            target_rows.spoken(target.name),
            serves=target_rows.running(releases).release is not None,
            canary=target_rows.has_canary(releases),
        )
        self._explain(target)

    def _withhold(self, target: TargetSpec | None) -> None:
        """Disable the options that this kind of target does not support, with the reason."""
        workspace = self.workspace
        for names, why in (
            (asked.TRIAL, workspace.why_no_trial),
            (asked.COMPARED, workspace.why_none_compared),
            (asked.KEPT, workspace.why_none_kept),
        ):
            reason = why(target) if target is not None else ""
            for name in names:
                self.form.fields[name].withhold(reason)
        self.form.fields[asked.BESIDE].explain("")

    def _show_steps(self) -> None:
        self.steps.show_rows(rows.plan(self._steps, details=self.commands.isChecked()))

    def _show_plan_state(self) -> None:
        target = self._selected()
        name = target_rows.spoken(target.name) if target else ""
        self._plan.heading.setText(f"Plan for {name}")
        parts = [self.variant.name] if self.variant else []
        if self._planned is not None:
            parts.append("no changes made")
        elif self._doing == "deploy" and self._steps:
            parts.append("running" if self.strip.running else "completed")
        self._plan_note.setText("".join(f"· {part} " for part in parts).strip())
        self.steps.setVisible(bool(self._steps))
        self.commands.setVisible(any(step.command for step in self._steps))
        self.plan_hint.setVisible(not self._steps)
        self.plan_hint.setText(BEFORE if self.variant else NO_MODEL)

    def _show_endpoint(self, target: TargetSpec, releases: Sequence[ReleaseRecord]) -> None:
        running = target_rows.running(releases)
        self._endpoint.setVisible(bool(running.endpoint))
        if running.release is not None and running.endpoint:
            self.endpoint.setText(running.endpoint)
            variant = self._variant_of(running.release)
            self.curl.setText(rows.curl(target, running.release, variant))

    def _variant_of(self, release: ReleaseRecord) -> VariantRecord | None:
        registry = self.workspace.registry
        version = next((v for v in registry.versions() if v.id == release.version), None)
        return registry.variant(version.variant) if version is not None else None

    def _explain(self, target: TargetSpec) -> None:
        """Name the buttons after the target, and say why one cannot be pressed."""
        reason = ""
        if self.variant is None:
            reason = "Open a model first."
        elif self.strip.running:
            reason = "A job is running on a target. Wait for it to finish or cancel it."
        else:
            reason = self.workspace.why_not("deploy", self.variant)
        set_enabled(self.plan_button, reason)
        self.plan_button.setText("Plan again" if self._steps else "Plan")
        explain(self._plan_command, reason)
        if self._planned is not None:
            reason = reason or rows.in_the_way(self._steps)
        if self.primary is not None:
            self.primary.setText(f"Deploy to {target_rows.spoken(target.name)}")
            self.primary.setAccessibleName(self.primary.text())
            set_enabled(self.primary, reason)
        explain(self._deploy_command, reason)
        set_enabled(self.history.back, "A job is running." if self.strip.running else "")

    def _copy_curl(self) -> None:
        QGuiApplication.clipboard().setText(self.curl.full_text())
        self.shell.notify("Call copied.")
