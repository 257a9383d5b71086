"""The view that rolls one variant out to several targets, and shows what becomes of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from studio.api import Kind, Option, TargetSpec
from studio.documents.dataclass_json import JsonValue, from_json
from studio.gui import figures
from studio.gui.forms.editors import Choice
from studio.gui.forms.form import Form
from studio.gui.pages.shared import target_rows
from studio.gui.pages.shared.plan_maker import PlanMaker
from studio.gui.pages.shared.question import Question
from studio.gui.pages.shared.stage_page import JobStrip, StateRow, StateRows
from studio.gui.shell import Shell
from studio.gui.widgets.basics import GRID, Card, Scroll, button, label, row, set_enabled
from studio.rollouts.results import RolloutMessage, RolloutResult, TargetOutcome

if TYPE_CHECKING:
    from studio.workspace import JobOutcome, VariantRecord, Workspace

STEP = "rollout"
FORM_WIDTH = 44 * GRID
SHOWN = (
    "target",
    "strategy",
    "first_wave",
    "wave_size",
    "max_failures",
    "rollback_on_halt",
    "requests",
    "trial",
)
NOT_ASKED = ("bundle", "resume")
KEPT = ("shadow_cpu", "keep_samples")
JUDGED = "Golden samples decide on this target."
HALTS = "A target with more errors or much higher latency is rolled back, and the rollout halts."
BEFORE = (
    "The first wave receives the release first. Golden samples run on each target before and "
    f"after. {HALTS}"
)
RESUMED = "Targets that kept the release are skipped; all others are tried again."
_NAMED = 3  # targets that a question names; further ones are counted
STATES = {
    "waiting": ("waiting", ""),
    "deploying": ("deploying", "accent"),
    "judging": ("judging", "accent"),
    "kept": ("kept", "good"),
    "taken back": ("rolled back", "warning"),
    "failed": ("failed", "bad"),
    "not begun": ("pending", ""),
}
"""The words of a target's state, and their tone."""


class RolloutView(QWidget):
    """A form for the rollout step, and a line for each target."""

    def __init__(self, workspace: Workspace, shell: Shell, pipeline: QWidget) -> None:
        """Args: pipeline: The page's button that shows what was done as a pipeline."""
        super().__init__()
        self.workspace = workspace
        self.shell = shell
        self.variant: VariantRecord | None = None
        self._seen: dict[str, TargetOutcome] = {}
        self.strip = JobStrip()
        self.form = Form(_form_options(workspace.steps[STEP].form), self, project=shell.project)
        self.rows = StateRows("Rollout")
        self.hint = label(BEFORE, "dim", wrap=True)
        self.start_button = button("Roll out", self.start, "primary")
        self.resume_button = button("Resume last rollout", self.resume)
        self.resume_button.setToolTip("Resume the last unfinished rollout")
        self.pipeline = pipeline
        self._layout()
        self.form.changed.connect(self._explain)
        self.strip.message.connect(self._live)
        self.strip.finished.connect(self._finished)
        self._explain()

    def _layout(self) -> None:
        layout = QHBoxLayout(self)
        layout.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        layout.setSpacing(2 * GRID)
        asked = Card("Roll out")
        asked.setFixedWidth(FORM_WIDTH)
        fields = Scroll(margin=0)  # the buttons stay in sight below it
        fields.body.setContentsMargins(0, 0, GRID, 0)
        fields.body.addWidget(self.form)
        fields.body.addStretch(1)
        asked.body.addWidget(fields, 1)
        asked.body.addLayout(row(self.resume_button, None, self.pipeline, self.start_button))
        right = QVBoxLayout()
        right.setSpacing(2 * GRID)
        self.card = Card("Targets")
        self.card.body.addWidget(self.hint)
        self.card.body.addWidget(self.rows)
        right.addWidget(self.strip)
        right.addWidget(self.card)
        right.addStretch(1)
        layout.addWidget(asked)
        layout.addLayout(right, 1)

    def choices(self, option: Option) -> Sequence[Choice] | None:
        """Return every target, for the form."""
        if option.kind is not Kind.TARGET:
            return None
        registry = self.workspace.registry
        groups = [
            (f"@{name}", f"@{name} ({len(members)})")
            for name, members in registry.groups.all().items()
        ]
        return groups + [(one.name, target_rows.title(one)) for one in registry.targets()]

    def refresh(self, variant: VariantRecord | None) -> None:
        """Offer another variant and the targets that there are."""
        self.variant = variant
        self.form.refresh()
        self._explain()

    def start(self) -> None:
        """Roll the current variant out; on the network, after a confirmation."""
        if self.variant is None or self.strip.running or not self.form.check():
            return
        names = self._chosen()
        options = {**self.form.values(), "model": f"#{self.variant.id}"}
        if options.get("needs_approval"):
            PlanMaker(self.workspace, self.shell).make(STEP, options)
            return
        if not self._any_remote(names):
            self._start_now(options)
            return
        others = figures.count(len(names) - _NAMED, "more target") if len(names) > _NAMED else ""
        where = ", ".join(target_rows.spoken(name) for name in names[:_NAMED])
        Question(
            self,
            f"Roll out {self.variant.name} to {' and '.join(filter(None, (where, others)))}?",
            f"It replaces what they serve, in waves. {HALTS}",
            "Roll out",
            partial(self._start_now, options),  # what was asked, though a job opens another model
        ).open()

    def _start_now(self, options: Mapping[str, object]) -> None:
        job = self.shell.start(STEP, **options)
        if self.strip.follow(job):
            self._seen = {}
            self._show([])
        self._explain()

    def resume(self) -> None:
        """Resume the last rollout, after a confirmation."""
        if not self.strip.running:
            Question(
                self, "Resume the last rollout?", RESUMED, "Resume rollout", self._resume_now
            ).open()

    def _resume_now(self) -> None:
        if not self.strip.running and self.strip.follow(self.shell.start(STEP, resume="last")):
            self._seen = {}
            self._show([])
        self._explain()

    def _live(self, name: str, values: Mapping[str, JsonValue]) -> None:
        if name != STEP:
            return
        for one in from_json(RolloutMessage, values).changed:
            self._seen[one.target] = one
        self._show(self._seen.values())

    def _finished(self, outcome: JobOutcome) -> None:
        if outcome.ok:
            result: RolloutResult = outcome.result
            self._show(result.targets)
            text = "kept on" if result.is_done else "halted; kept on"
            total = figures.count(len(result.targets), "target")
            self.shell.notify(
                f"v{result.version} {text} {result.kept} of {total}.",
                "good" if result.is_done else "warning",
            )
        self._explain()

    def _show(self, targets: Iterable[TargetOutcome]) -> None:
        self.rows.show_rows([_row(one) for one in targets])
        self.hint.setVisible(not self.rows.rows)

    def _chosen(self) -> list[str]:
        """Return the names of the chosen targets and of the members of chosen groups."""
        groups = self.workspace.registry.groups.all()
        names: list[str] = []
        for name in map(str, self.form.fields["target"].editor.value() or ()):
            names += groups.get(name[1:], ()) if name.startswith("@") else [name]
        return list(dict.fromkeys(names))

    def _any_remote(self, names: Iterable[str]) -> bool:
        """Return whether a target is on the network; one that is not known may be."""
        known = {one.name: one for one in self.workspace.registry.targets()}
        return any(name not in known or target_rows.is_remote(known[name]) for name in names)

    def _explain_fields(self) -> None:
        """Name the chosen targets that do not support the requested options."""
        values = {name: field.editor.value() for name, field in self.form.fields.items()}
        trial = values["trial"] not in (None, "none")
        reason = self._why_not(self.workspace.why_no_trial) if trial else ""
        self.form.fields["trial"].explain(f"{reason} {JUDGED}" if reason else "")
        for name, why in (
            ("shadow_cpu", self.workspace.why_none_compared),
            ("keep_samples", self.workspace.why_none_kept),
        ):
            self.form.fields[name].explain(self._why_not(why) if values[name] else "")

    def _why_not(self, asked: Callable[[TargetSpec], str]) -> str:
        """Return why the first unable target lacks a feature, and how many more lack it."""
        registry = self.workspace.registry
        reasons = list(filter(None, (asked(registry.target(one)) for one in self._chosen())))
        more = (
            f" {figures.count(len(reasons) - 1, 'more target')} affected."
            if len(reasons) > 1
            else ""
        )
        return f"{reasons[0]}{more}" if reasons else ""

    def _explain(self) -> None:
        """Show why the button is disabled, and on what it acts."""
        reason = ""
        if self.variant is None:
            reason = "Open a model first."
        elif self.strip.running:
            reason = "A rollout is running. Wait for it to finish or cancel it."
        elif not self.form.fields["target"].editor.value():
            reason = "Select targets first."
        self._explain_fields()
        reason = self.workspace.why_not(STEP, self.variant) or reason
        set_enabled(self.start_button, reason)
        unfinished = self.workspace.unfinished_rollout()
        self.resume_button.setVisible(bool(unfinished))
        set_enabled(self.resume_button, "A rollout is running." if self.strip.running else "")
        name = f" {self.variant.name}" if self.variant else ""
        self.start_button.setText(f"Roll out{name}")


def _form_options(options: Sequence[Option]) -> list[Option]:
    """Return the step's options; rarely used ones are collapsed."""
    return [
        replace(option, advanced=option.name not in SHOWN)
        for option in options
        if option.kind is not Kind.MODEL and option.name not in NOT_ASKED
    ]


def _row(one: TargetOutcome) -> StateRow:
    word, tone = STATES.get(one.state, (one.state, ""))
    took = f" ({figures.seconds(one.seconds)})" if one.seconds else ""
    text = f"{one.text}{took}".strip() or f"wave {one.wave}"
    return StateRow(word, tone, target_rows.named(one.target), text)
