"""A variant evaluated on a target: the same samples, judged here and by what runs there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from studio.api import Kind, Option
from studio.evaluation.results import EvaluationResult
from studio.gui import figures
from studio.gui.forms.editors import Choice
from studio.gui.forms.form import Form
from studio.gui.pages.shared import target_rows
from studio.gui.pages.shared.stage_page import JobStrip
from studio.gui.shell import Shell
from studio.gui.widgets.basics import (
    GRID,
    Card,
    FieldList,
    Hint,
    Pill,
    Scroll,
    button,
    label,
    row,
    set_enabled,
)
from studio.gui.widgets.tables import Table
from studio.workspace import RegistryChanged

if TYPE_CHECKING:
    from studio.workspace import JobOutcome, VariantRecord, Workspace

STEP = "evaluate"
WHY = (
    "Builds of one runtime can return different results for the same file. Add labelled samples "
    "and a target to compare the metric and the changed samples."
)
_FORM_WIDTH = 40 * GRID
_SAME = 1e-9
"""Less is the noise of a float's last bits."""


class TargetEvaluationView(QWidget):
    """The evaluation on a target: both metrics, and the regressed and improved samples."""

    def __init__(self, workspace: Workspace, shell: Shell) -> None:
        super().__init__()
        self._workspace = workspace
        self._shell = shell
        self._variant: VariantRecord | None = None
        options = workspace.steps[STEP].form
        self.form = Form(
            [one for one in options if one.kind is not Kind.MODEL], self, project=shell.project
        )
        self.check = button("Evaluate", self.run)
        self.strip = JobStrip()
        self.verdict = Pill("")
        self.sentence = label("", wrap=True)
        self.fields = FieldList()
        self.table = Table(("Sample", "On the target"), (), 0, "Samples with different results")
        self.hint = Hint("Not evaluated on a target yet", WHY)
        self._answer = Card("Result")
        self._stack = QStackedWidget()
        self._build()
        self.form.submitted.connect(self.run)
        self.strip.finished.connect(self._finished)

    def _build(self) -> None:
        asked = Card("Evaluate on a target")
        asked.setFixedWidth(_FORM_WIDTH)
        scroll = Scroll(margin=0)
        scroll.body.setContentsMargins(0, 0, GRID, 0)
        scroll.body.addWidget(self.form)
        scroll.body.addLayout(row(self.check, None))
        scroll.body.addStretch(1)
        asked.body.addWidget(scroll, 1)
        body = self._answer.body
        body.addLayout(row(self.verdict, self.sentence))
        body.addWidget(self.fields)
        body.addWidget(self.table, 1)
        body.addStretch(0)
        for item in (self.hint, self._answer):
            self._stack.addWidget(item)
        side = QVBoxLayout()
        side.setSpacing(2 * GRID)
        side.addWidget(self.strip)
        side.addWidget(self._stack, 1)
        layout = row(asked, spacing=2 * GRID)
        layout.addLayout(side, 1)
        layout.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        self.setLayout(layout)

    def choices(self, option: Option) -> Sequence[Choice] | None:
        """Return the targets that there are, for the form."""
        if option.kind is not Kind.TARGET:
            return None
        known = self._workspace.registry.targets()
        return [(target.name, target_rows.spoken(target.name)) for target in known]

    def show_variant(self, variant: VariantRecord | None) -> None:
        """Show what is known of another variant."""
        self._variant = variant
        reason = self._workspace.why_not(STEP, variant) if variant is not None else ""
        set_enabled(self.check, reason)
        self.hint.text.setText(reason or WHY)
        results = self._workspace.results
        runs = results.of(STEP, EvaluationResult, variant.id) if variant is not None else []
        self._show(next((run.result for run in runs if run.result.target), None))

    def showEvent(self, event: QShowEvent) -> None:
        """Offer the targets that there are now."""
        super().showEvent(event)
        self.form.refresh()

    def on_event(self, event: object) -> None:
        """Follow the evaluation, and let new targets be chosen."""
        self.strip.on_event(event)
        if isinstance(event, RegistryChanged) and event.what == "targets" and self.isVisible():
            self.form.refresh()

    def run(self) -> None:
        """Start the evaluation with the values of the form."""
        if self._variant is None or self.strip.running or not self.form.check():
            return
        options = {**self.form.values(), "model": f"#{self._variant.id}"}
        if self.strip.follow(self._shell.start(STEP, **options)):
            set_enabled(self.check, "An evaluation is running. Cancel it to start another one.")

    def _finished(self, outcome: JobOutcome) -> None:
        reason = self._workspace.why_not(STEP, self._variant) if self._variant is not None else ""
        set_enabled(self.check, reason)
        if outcome.ok:
            self._show(outcome.result)

    def _show(self, result: EvaluationResult | None) -> None:
        self._stack.setCurrentWidget(self.hint if result is None else self._answer)
        if result is None:
            return
        self.verdict.show_state(*verdict(result))
        self.sentence.setText(sentence(result))
        self.fields.show_fields(fields(result))
        shown = changes(result)
        self.table.setVisible(bool(shown))
        self.table.show_rows(shown)
        self._answer.body.setStretch(self._answer.body.count() - 1, 0 if shown else 1)


def verdict(result: EvaluationResult) -> tuple[str, str]:
    """Return a word and its tone: whether the target reads the file as this computer does."""
    target = result.target
    if target is None:
        return "this computer only", ""
    if abs(target.drop) > _SAME:
        return ("worse on target", "bad") if target.drop > 0 else ("better on target", "good")
    return ("other samples", "warning") if any(target.changed) else ("the same", "good")


def sentence(result: EvaluationResult) -> str:
    """Return the result in one sentence."""
    target, count = result.target, figures.count(result.samples, "sample")
    if target is None:
        return f"{count} evaluated on this computer. Choose another target to compare its results."
    lost, gained = target.changed
    if not lost and not gained:
        return f"{target.name} returns the same results as this computer for all {count}."
    return f"Of {count}, {target.name} has {lost} worse and {gained} better than this computer."


def fields(result: EvaluationResult) -> list[tuple[str, str]]:
    """Return the figures of both sides, and what ran there."""
    metric, target = result.metric, result.target
    found = [
        (f"{metric.title} on this computer", f"{metric.value:.4f}"),
        ("Runtime on this computer", result.backend.title),
    ]
    if target is not None:
        there = " ".join(filter(None, (target.runtime, target.version)))
        found += [
            (f"{metric.title} on target", f"{target.value:.4f}"),
            ("Runtime on target", there or figures.NOTHING),
        ]
    return found


def changes(result: EvaluationResult) -> list[tuple[str, str]]:
    """Return the samples that one side reads better than the other; the rest is only counted."""
    target = result.target
    if target is None:
        return []
    named = [(name, "worse") for name in target.lost]
    named += [(name, "better") for name in target.gained]
    more = sum(target.changed) - len(named)
    return [*named, (f"{more} more", "")] if more > 0 else named
