"""The last step of the sheet: what a deployment changes, replaces and costs, and its dry run."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QGridLayout, QVBoxLayout, QWidget

from studio.deployment.results import DeployResult
from studio.gui.pages.deploy import rows
from studio.gui.pages.deploy.changes import NOTHING, ReleaseChange, cost_lines, verdict
from studio.gui.pages.deploy.deployment import DEPLOYING, Deployment
from studio.gui.pages.shared.stage_page import StateRows
from studio.gui.widgets.basics import (
    GRID,
    Card,
    Disclosure,
    FieldList,
    Pill,
    button,
    clear,
    label,
    line,
    row,
)

_NAME_WIDTH = 13 * GRID


class ReviewStep(QWidget):
    """The diff, the cost and the plan of one deployment.

    Attributes:
        details: Shows each check, with files and commands.
        both: Serves both models, where another one is served; else hidden.
        agree: Replaces a model that only the dry run has found; hidden until then.
    """

    def __init__(self, deployment: Deployment) -> None:
        super().__init__()
        self._deployment = deployment
        self.warning = label("", tone="warning", wrap=True)
        self.cost = FieldList(name_width=_NAME_WIDTH + 5 * GRID)
        self._cost = Card("Cost")
        self._cost.body.addWidget(self.cost)
        self.cost_note = label("", "small", wrap=True)
        self._cost.body.addWidget(self.cost_note)
        self._changes = QGridLayout()
        self._changes.setHorizontalSpacing(GRID)
        self._changes.setVerticalSpacing(6)
        self._changes.setColumnMinimumWidth(0, _NAME_WIDTH)
        self._changes.setColumnStretch(1, 1)
        self._changes.setColumnStretch(3, 1)
        self.pill = Pill("", "")
        self.note = label("", "dim")
        self.details = QCheckBox("Show all checks, files and commands")
        self.both, self.agree = button("Serve both"), button("Replace the model that is served")
        self.both.hide()
        self.agree.hide()
        self.details.toggled.connect(lambda _: self._show_steps())
        self.steps = StateRows("Dry run")
        self.failure = label("", tone="bad", wrap=True)
        self.documents = Disclosure("Full diff and files")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addWidget(self.warning)
        column.addLayout(row(self.both, self.agree, None))
        column.addWidget(self._cost)
        column.addWidget(label("Changes", "section"))
        column.addLayout(self._changes)
        column.addWidget(line())
        column.addLayout(row(label("Dry run", "section"), self.pill, None, self.note))
        column.addWidget(self.failure)
        column.addWidget(self.steps)
        column.addWidget(self.details)
        column.addWidget(self.documents)

    def show_changes(self, found: Sequence[ReleaseChange], replaced: str) -> None:
        """Show the diff, and in a sentence of its own which model is replaced.

        Args:
            replaced: What is replaced, as a sentence; empty where nothing is.
        """
        self.warning.setText(replaced)
        self.warning.setVisible(bool(replaced))
        clear(self._changes)
        for y, change in enumerate(found):
            is_new = change.before != change.after
            name = label(change.name, "dim")
            before = label(change.before, "dim", wrap=True)
            after = label(change.after, "strong" if is_new else "", wrap=True)
            if is_new and change.before != NOTHING:
                before.setProperty("tone", "bad")
                after.setProperty("tone", "good")
            after.setAccessibleName(f"{change.name}: {change.before} becomes {change.after}")
            arrow = label("→", "dim")
            for x, cell in enumerate((name, before, arrow, after)):
                self._changes.addWidget(cell, y, x, Qt.AlignmentFlag.AlignTop)

    def show_plan(self, failure: str = "") -> None:
        """Show the steps as they come, and what came of them.

        Args:
            failure: Why the last job failed; empty where it did not.
        """
        deployment, plan = self._deployment, self._deployment.planned
        running = deployment.running
        deploys = deployment.doing == DEPLOYING and bool(deployment.steps)
        self._show_steps()
        text, tone = verdict(plan) if plan is not None else ("", "")
        self.pill.show_state(text or ("running" if running else "not run"), tone)
        doing = "Deploying…" if deploys else "Checking…"
        self.note.setText(doing if running else "no changes made yet" if plan is not None else "")
        self.failure.setText(failure)
        self.failure.setVisible(bool(failure))
        self._show_cost(plan)
        documents = dict(plan.documents or {}) if plan is not None else {}
        self.documents.setVisible(bool(documents))
        if documents:
            ordered = sorted(documents, key=lambda name: (not name.endswith(".diff"), name))
            self.documents.show_text("\n\n".join(f"{one}\n{documents[one]}" for one in ordered))

    def _show_steps(self) -> None:
        steps = self._deployment.steps
        self.steps.show_rows(rows.plan(steps, details=self.details.isChecked()))
        self.steps.setVisible(bool(steps))
        self.details.setVisible(bool(steps))

    def _show_cost(self, plan: DeployResult | None) -> None:
        lines = cost_lines(plan) if plan is not None else []
        self._cost.setVisible(bool(lines))
        if plan is not None and lines:
            self.cost.show_fields(lines)
            self.cost_note.setText(plan.cost_note or "")
            self.cost_note.setVisible(bool(plan.cost_note))
