"""A plan or a deployment at work: its steps as they come, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from studio.api import TargetSpec
from studio.deployment.results import DeployResult, DeployStep
from studio.documents.dataclass_json import JsonValue, from_json
from studio.gui.pages.deploy import rows
from studio.gui.pages.shared.stage_page import JobStrip
from studio.gui.shell import Shell

if TYPE_CHECKING:
    from studio.workspace import JobOutcome, VariantRecord

STEP, ROLLBACK = "deploy", "rollback"
PLANNING, DEPLOYING, ROLLING_BACK = "plan", "deploy", "rollback"


class Deployment(QObject):
    """The one job of the page: a plan, a deployment or a rollback.

    Signals:
        changed: Other steps, or the same in another state.

    Attributes:
        steps: Of the plan, or of the deployment.
        target: To which the job belongs that runs or ran last.
        subject: Name of that target, and number of the variant.
        doing: ``plan``, ``deploy`` or ``rollback``; empty before the first job.
        planned: The result of the last plan, until it is void.
    """

    changed = Signal()

    def __init__(self, shell: Shell, strip: JobStrip, model_option: str) -> None:
        super().__init__()
        self.steps: list[DeployStep] = []
        self.target: TargetSpec | None = None
        self.subject: tuple[str, int] | None = None
        self.doing = ""
        self.planned: DeployResult | None = None
        self._shell = shell
        self._strip = strip
        self._model_option = model_option
        self._plan_steps: list[DeployStep] = []

    @property
    def running(self) -> bool:
        """Whether a job of the page runs."""
        return self._strip.running

    @property
    def has_no_connection(self) -> bool:
        """Whether the job ended because the target could not be reached."""
        return any(one.name == "connect" and one.state == "failed" for one in self.steps)

    def start(
        self,
        target: TargetSpec,
        variant: VariantRecord,
        values: Mapping[str, Any],
        *,
        dry_run: bool,
    ) -> bool:
        """Plan or deploy; False when that could not be started, which the window has shown."""
        if self.running:
            return False
        chosen = {self._model_option: f"#{variant.id}", "target": target.name, "dry_run": dry_run}
        if not self._strip.follow(self._shell.start(STEP, **{**values, **chosen})):
            return False
        plan = self.steps if self.planned is not None and not dry_run else []
        self.forget()
        self.target, self.doing = target, PLANNING if dry_run else DEPLOYING
        self.subject = (target.name, variant.id)
        self._plan_steps, self.steps = plan, list(plan)
        self.changed.emit()
        return True

    def roll_back(self, target: TargetSpec, version: str) -> None:
        """Put an earlier version back; an empty one is the version before."""
        options = {"target": target.name, **({"to": version} if version else {})}
        if not self.running and self._strip.follow(self._shell.start(ROLLBACK, **options)):
            self.forget()
            self.target, self.doing = target, ROLLING_BACK
            self.changed.emit()

    def follow(self, name: str, values: Mapping[str, JsonValue]) -> None:
        """Take a live message of the job."""
        if name == "step":
            live = from_json(list[DeployStep], values.get("steps"))
            self.steps = rows.ahead(live, self._plan_steps)
            self.changed.emit()

    def end(self, outcome: JobOutcome) -> None:
        """Take what came of the job."""
        result = outcome.result
        if not outcome.ok:
            self.steps = rows.fail_running(self.steps, outcome.sentence)
        elif isinstance(result, DeployResult):
            self.steps = list(result.steps) or self.steps
            self.planned = result if self.doing == PLANNING else None
        self.changed.emit()

    def forget(self) -> None:
        """Make the plan void."""
        self.steps, self._plan_steps, self.planned = [], [], None
