"""The pre-flight check of a deployment: the steps of its plan and their states."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QCheckBox

from studio.gui.pages.deploy import rows
from studio.gui.pages.deploy.deployment import DEPLOYING, Deployment
from studio.gui.pages.shared.stage_page import StateRows
from studio.gui.widgets.basics import Card, button, label, row, set_enabled

NO_MODEL = "Open a model on the Model page, then check its deployment here."
BEFORE = (
    "The check connects to the target and lists every action. Nothing changes until you deploy."
)
BOTH = "Serve both, each at an endpoint of its own, or replace it."
REPLACE = "A deployment replaces it."


class CheckCard(Card):
    """The plan for the selected target, at the right of the gallery.

    Args:
        plan: Starts the check.
        configure: Shows the options of the deployment.
        both: Checks a deployment next to the model that is served.
        replace: Reviews a deployment that replaces it.
    """

    def __init__(
        self,
        deployment: Deployment,
        plan: Callable[[], object],
        configure: Callable[[], object],
        both: Callable[[], object],
        replace: Callable[[], object],
    ) -> None:
        super().__init__("Pre-flight check")
        self._deployment = deployment
        self._is_another = False
        self.steps = StateRows("Plan")
        self.hint = label(BEFORE, "dim", wrap=True)
        self.plan_button = button("Check", plan)
        self.options = button("Options…", configure)
        self.options.setToolTip("Endpoint name, access, labels and all other options")
        self.both = button("Serve both", both)
        self.replace = button("Replace…", replace)
        self.commands = QCheckBox("Show all checks, files and commands")
        self.body.addWidget(self.hint)
        self.body.addLayout(row(self.both, self.replace, None))
        self.body.addWidget(self.steps)
        self.body.addLayout(row(self.plan_button, self.options, None))
        self.body.addWidget(self.commands)
        self.body.addStretch(1)
        self.commands.toggled.connect(lambda _: self._show_steps())

    def show_target(
        self, place: str, variant: str, reason: str, served: str = "", *, both: bool = False
    ) -> None:
        """Show the plan for another target or variant.

        Args:
            place: The target within a sentence.
            variant: Name of the current variant; empty without one.
            reason: Why nothing can be planned; empty where it can.
            served: The other model that would be replaced; empty without one.
            both: Whether both models can be served there.
        """
        deployment = self._deployment
        self.heading.setText(f"Pre-flight check for {place}")
        parts = [variant] if variant else []
        if deployment.planned is not None:
            parts.append("no changes made")
        elif deployment.doing == DEPLOYING and deployment.steps:
            parts.append("running" if deployment.running else "completed")
        self.note.setText(" · ".join(parts))
        self.note.setVisible(bool(parts))
        another = f"{served} is served on {place}. {BOTH if both else REPLACE}" if served else ""
        self.hint.setText(another or (BEFORE if variant else NO_MODEL))
        self._is_another = bool(served)
        for choice, shown in ((self.both, bool(served) and both), (self.replace, bool(served))):
            choice.setVisible(shown)
            set_enabled(choice, reason)
        self.replace.setText(f"Replace {served}…")
        self.plan_button.setHidden(bool(served))
        set_enabled(self.plan_button, reason)
        self._show_steps()

    def _show_steps(self) -> None:
        steps = self._deployment.steps
        self.steps.show_rows(rows.plan(steps, details=self.commands.isChecked()))
        self.steps.setVisible(bool(steps))
        self.hint.setVisible(not steps or self._is_another)
        self.commands.setVisible(bool(steps))
        self.plan_button.setText("Check again" if steps else "Check")
