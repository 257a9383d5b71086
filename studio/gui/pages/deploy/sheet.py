"""The sheet of a deployment: Connect, Configure, Review, the same for every kind of target."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from studio.api import Option, TargetSpec
from studio.api.sheets import DeploySheet
from studio.gui import figures
from studio.gui.pages.deploy import rows
from studio.gui.pages.deploy.changes import changes
from studio.gui.pages.deploy.connect_step import ConnectStep
from studio.gui.pages.deploy.deployment import DEPLOYING, Deployment
from studio.gui.pages.deploy.form import ENDPOINT, ConfigureStep, replaced_model
from studio.gui.pages.deploy.review_step import ReviewStep
from studio.gui.pages.deploy.target_kinds import TargetKind
from studio.gui.pages.shared import target_rows
from studio.gui.shell import Shell
from studio.gui.widgets.basics import button, set_enabled
from studio.gui.widgets.sheet import Sheet
from studio.workspace import endpoint_name

if TYPE_CHECKING:
    from pathlib import Path

    from studio.workspace import JobOutcome, VariantRecord, Workspace

APP = "app"
"""Option of the deploy with the folder of an app."""

STEPS = ("Connect", "Configure", "Review")
CONNECT, CONFIGURE, REVIEW = range(3)
BUSY = "A job is running on a target. Wait for it to finish or cancel it."
NO_MODEL = "Open a model first."


class DeploymentSheet(Sheet):
    """The three steps over the Deploy page.

    Signals:
        connected: Name of a target that was chosen or added.

    Attributes:
        agree, both: The ways out where another model is served: replace it, or serve both.
    """

    connected = Signal(str)

    def __init__(
        self,
        page: QWidget,
        workspace: Workspace,
        shell: Shell,
        deployment: Deployment,
        options: Sequence[Option],
    ) -> None:
        super().__init__(page, shell.theming, STEPS)
        self._workspace = workspace
        self._deployment = deployment
        self._kind: TargetKind | None = None
        self._spec: DeploySheet | None = None
        self._failure = ""
        self._app: tuple[str, int] | None = None
        self.target: TargetSpec | None = None
        self.variant: VariantRecord | None = None
        self.connect_step = ConnectStep(workspace, shell)
        self.configure_step = ConfigureStep(workspace, options, shell.project)
        self.review_step = ReviewStep(deployment)
        self.again = button("Check again", self.check, "link")
        self.footer.addWidget(self.again)
        self.agree, self.both = self.review_step.agree, self.review_step.both
        self._agreed, self._named = False, ""
        for step in (self.connect_step, self.configure_step, self.review_step):
            self.add_step(step)
        self.back.clicked.connect(lambda: self._go_back())
        self.primary.clicked.connect(lambda: self._go_on())
        self.connect_step.connected.connect(self._take)
        self.connect_step.changed.connect(self._explain)
        self.configure_step.form.submitted.connect(self.primary.click)
        self.agree.clicked.connect(self._agree)
        self.both.clicked.connect(self._serve_both)
        self.closed.connect(self.connect_step.abandon)
        deployment.changed.connect(self.show_progress)

    def values(self) -> dict[str, Any]:
        """Return the options of the step ``deploy``, without model and target."""
        return self.configure_step.values()

    def replaced(self) -> str:
        """Return the other model that would be replaced, as far as known; else empty."""
        return replaced_model(self._workspace, self.target, self.variant, self.values())

    @property
    def endpoint(self) -> str:
        """Name of the endpoint that was entered; empty without one."""
        return str(self.values().get(ENDPOINT) or "")

    @property
    def can_serve_both(self) -> bool:
        """Whether the target can serve the current model at an endpoint of its own."""
        takes = not self.configure_step.form.fields[ENDPOINT].isHidden()
        is_target = self.target is not None and not self.target.endpoint_name
        return self.variant is not None and is_target and takes and not self.endpoint

    def name_endpoint(self) -> None:
        """Deploy the current model to an endpoint of its own, next to another model."""
        if self.variant is not None:
            self._named = endpoint_name(self.variant.model_name)
            self.configure_step.form.set_values({ENDPOINT: self._named})

    def _forget_endpoint(self) -> None:
        """Forget the name of an endpoint for another model, or where an endpoint is the target."""
        model = self.variant.model_name if self.variant is not None else ""
        is_other = bool(self._named) and self._named != endpoint_name(model)
        if self.endpoint and (is_other or (self.target is not None and self.target.endpoint_name)):
            self.configure_step.form.set_values({ENDPOINT: ""})
            self._named = ""

    @property
    def place(self) -> str:
        """Where the target's name stands in a sentence, with the endpoint that was entered."""
        name = self.target.name if self.target is not None else ""
        return "/".join(filter(None, (target_rows.spoken(name), self.endpoint)))

    def _serve_both(self) -> None:
        self.name_endpoint()
        self.check()

    def _agree(self) -> None:
        self._agreed = True
        self.check()

    def choose_app(self, folder: Path, variant: int) -> None:
        """Deploy an app with its model."""
        self._app = folder.name, variant
        self.configure_step.form.set_values({APP: str(folder)})
        self._name_subject()

    def leave_app(self, variant: int) -> None:
        """Deploy a model without the app that was chosen for another one."""
        if self._app is not None and self._app[1] != variant:
            self._app = None
            self.configure_step.form.set_values({APP: ""})

    def _name_subject(self) -> None:
        variant = self.variant
        if variant is None:
            return
        text = f"{variant.model_name} {variant.name}, {figures.size(variant.size)}"
        if self._app is not None and self._app[1] == variant.id:
            text = f"App {self._app[0]} with {text}"
        self.configure_step.show_variant(text)

    def show_target(
        self, target: TargetSpec | None, variant: VariantRecord | None, spec: DeploySheet | None
    ) -> None:
        """Show the options for another target or variant, whether it is open or not."""
        self.target, self.variant, self._spec = target, variant, spec
        self.configure_step.show_target(target, spec)
        self._forget_endpoint()
        self._name_subject()
        self._explain()

    # Opening a step

    def connect_to(self, kind: TargetKind, spec: DeploySheet | None) -> None:
        """Open the first step for a kind of target."""
        self._kind, self._spec = kind, spec
        self.title.setText(f"Deploy to {kind.title}")
        self.connect_step.show_kind(kind, spec)
        self._open(CONNECT)

    def open_at(self, step: int, kind: TargetKind) -> None:
        """Open a later step for the target that is shown; the last one with a dry run."""
        self._kind = kind
        self._name_target()
        self._open(step)
        if step == REVIEW:
            self.check()

    def check(self) -> None:
        """Run the dry run for the Review."""
        target, variant = self.target, self.variant
        if target is not None and variant is not None:
            self._failure = ""
            self._deployment.start(target, variant, self._options(), dry_run=True)
        self.show_progress()

    def _options(self) -> dict[str, Any]:
        """Return the values, with the agreement to what the Review names as replaced."""
        agreed = {"replace": True} if self.replaced() or self._agreed else {}
        return {**self.values(), **agreed}

    def _open(self, step: int) -> None:
        self._failure = ""
        self._agreed = False
        self.agree.hide()
        self.both.hide()
        self.show_step(step)
        if self.isHidden():
            self.open_sheet()
        self.show_progress()

    def _name_target(self) -> None:
        if self.target is not None:
            self.title.setText(f"Deploy to {target_rows.spoken(self.target.name)}")

    # What happens

    def on_event(self, event: object) -> None:
        """Follow the jobs of the first step."""
        self.connect_step.on_event(event)

    def ended(self, outcome: JobOutcome) -> None:
        """Show what came of a plan or a deployment; a success closes the sheet."""
        self._failure = "" if outcome.ok else f"{outcome.sentence} {outcome.hint}".strip()
        if outcome.ok and self._deployment.doing == DEPLOYING:
            self.close_sheet()
        self.show_progress()

    def _take(self, target: TargetSpec) -> None:
        self.target = target
        self.connected.emit(target.name)
        self._name_target()
        self.show_step(CONFIGURE)
        self._explain()

    def _go_back(self) -> None:
        at = self.stack.currentIndex()
        first = CONNECT if self._kind is not None and self._kind.addable else CONFIGURE
        if at <= first:
            self.close_sheet()
        elif at == CONFIGURE and self._kind is not None:
            self.connect_to(self._kind, self._spec)
        else:
            self._open(CONFIGURE)

    def _go_on(self) -> None:
        at = self.stack.currentIndex()
        if at == CONNECT:
            self.connect_step.proceed()
        elif at == CONFIGURE:
            if self.configure_step.check():
                self._open(REVIEW)
                self.check()
        elif self.target is not None and self.variant is not None:
            self._deployment.start(self.target, self.variant, self._options(), dry_run=False)
            self.show_progress()

    # Showing

    def show_progress(self) -> None:
        """Show the diff, and how far the plan or the deployment is."""
        if self.isHidden():
            return
        variant, registry = self.variant, self._workspace.registry
        if self.stack.currentIndex() == REVIEW and self.target is not None and variant is not None:
            name = self.target.name
            running = registry.history.running().get(name)
            served = (
                target_rows.variant_of(self._workspace, running.version)
                if running is not None
                else None
            )
            plan = self._deployment.planned
            self.review_step.show_changes(
                changes(running, served, variant, plan), self._replacement()
            )
            self.review_step.show_plan(self._failure)
            self.settle()
        self._explain()

    def _replacement(self) -> str:
        served, target, variant = self.replaced(), self.target, self.variant
        if not served or target is None or variant is None:
            return ""
        place = target_rows.spoken(target.name)
        return f"{served} on {place} is replaced by {variant.model_name}."

    def _explain(self) -> None:
        """Name the buttons after what they do, and explain why one cannot be pressed."""
        at = self.stack.currentIndex()
        first = CONNECT if self._kind is not None and self._kind.addable else CONFIGURE
        self.back.setText("Cancel" if at <= first else "Back")
        self.back.setAccessibleName(self.back.text())
        text, reason = self._next(at)
        self.again.setVisible(at == REVIEW)
        set_enabled(self.again, BUSY if self._deployment.running else "")
        self.explain_primary(text, reason)

    def _next(self, at: int) -> tuple[str, str]:
        """Return the text of the primary button, and why it is disabled."""
        if at == CONNECT:
            adds = self.connect_step.adds
            lacks = "Choose a target." if adds and self.connect_step.form is None else ""
            busy = "The target is being checked." if self.connect_step.busy and adds else ""
            return ("Connect" if adds else "Configure"), busy or lacks
        if at == CONFIGURE:
            return "Review", "" if self.variant is not None else NO_MODEL
        return self._deploy_text(), self._in_the_way()

    def _deploy_text(self) -> str:
        if self.target is None:
            return target_rows.DEPLOY_TO
        verb = target_rows.deploy_verb(self._workspace, self.target)
        place, served = self.place, self.replaced()
        replaces = served and verb == target_rows.DEPLOY_TO
        return f"Replace {served} on {place}" if replaces else f"{verb} {place}"

    def _in_the_way(self) -> str:
        deployment = self._deployment
        if self.variant is None:
            return NO_MODEL
        self.both.setVisible(self.can_serve_both and bool(self.replaced()))
        if deployment.running:
            return BUSY
        if deployment.planned is None:
            return "The dry run has not succeeded. Check again."
        blocked = rows.blocked_by_model(deployment.planned.steps)
        self.agree.setVisible(blocked)
        self.both.setVisible(self.can_serve_both and (blocked or bool(self.replaced())))
        return rows.in_the_way(deployment.steps)
