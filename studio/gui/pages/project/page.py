"""The Project page: what is known of the current model beside its graph, and what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog, QMenu, QVBoxLayout, QWidget

from studio.api.qt import plain_tip
from studio.evaluation.results import OutputsResult
from studio.gui import figures
from studio.gui.graph.costs import short_count
from studio.gui.pages.project import model_rows, rows
from studio.gui.pages.project.draft_question import STEP as DRAFT
from studio.gui.pages.project.draft_question import DraftQuestion, takes_pictures
from studio.gui.pages.project.field_table import FieldTable
from studio.gui.pages.project.next_steps import STEPS, NextSteps
from studio.gui.pages.project.outputs_draft import FIELD as OUTPUTS
from studio.gui.pages.project.outputs_draft import STEP as OUTPUTS_STEP
from studio.gui.pages.project.outputs_draft import OutputsDraft, with_meaning
from studio.gui.pages.project.project_run import DONE, ProjectRun
from studio.gui.pages.project.rows import ProjectRow
from studio.gui.pages.project.sample_run import ProjectSample
from studio.gui.pages.project.samples_card import SamplesCard
from studio.gui.pages.shared.stage_page import StagePage, needs_model
from studio.gui.shell import Shell
from studio.gui.widgets.basics import (
    GRID,
    Card,
    FieldList,
    Pill,
    Scroll,
    button,
    label,
    row,
    set_enabled,
)
from studio.gui.widgets.two_columns import TwoColumns
from studio.models.results import ModelFigures
from studio.projects.results import PATHS, TASK_TITLES, Project

if TYPE_CHECKING:
    from studio.workspace import JobOutcome, VariantRecord, Workspace

STEP = "project-set"
_SIDE_WIDTH = 40 * GRID
_NARROW = 121 * GRID
"""Below this width of the content, the cards are in one column."""

_DATA = ("calibration", "evaluation", "heldout")
_DATA_FILES = "Data (*.npz *.npy *.mp4 *.avi *.mkv *.mov *.webm *.m4v);;All files (*)"


class ProjectPage(StagePage):
    """The project of the current model: a row a field, each found or set, and the next step."""

    stage = "project"
    title = "Project"
    icon = "project"
    repeats = (STEP,)

    def __init__(self, workspace: Workspace, shell: Shell) -> None:
        super().__init__(workspace, shell)
        self.table = FieldTable(shell.theming, self._fill_menu)
        self.state = Pill("")
        self.problem = label("", tone="warning", wrap=True)
        self.model = FieldList((), name_width=12 * GRID)
        self._next = "quantize"
        self.run = ProjectRun(workspace, shell)
        self.sample = ProjectSample(workspace, shell, self)
        self.samples = SamplesCard(shell.theming)
        self.draft = DraftQuestion(workspace, shell, self.table, self._write_draft)
        self.outputs = OutputsDraft(workspace, shell, self.table, self._write_outputs)
        self.steps = NextSteps(shell.theming, shell.go, self.run.cancel)
        self._pane = needs_model(self._content(), "describe", shell.go)
        self.add_view("Project", self._pane)
        self.run_all = button("Run it all", self._run_all)
        self.run_all.setToolTip(plain_tip("Optimizes, profiles and deploys on this computer."))
        self.add_tool(self.run_all)
        self.add_command("Run it all", self._run_all)
        self.set_primary("Optimize", self._go_on)
        self.run.changed.connect(self._show_run)
        self.run.served.connect(self._select_served)
        self.sample.changed.connect(self._show_rows)
        self.strip.finished.connect(self._finished)
        shell.project.changed.connect(self.refresh_soon)

    def _content(self) -> QWidget:
        contents = Card()
        head = row(label("Project contents", "section"), self.state, None)
        head.addWidget(label("Used on every page and by every command", "dim"))
        contents.body.addLayout(head)
        contents.body.addWidget(self.problem)
        contents.body.addWidget(self.table)
        contents.body.addStretch(1)
        beside = QWidget()
        side = QVBoxLayout(beside)
        side.setContentsMargins(0, 0, 0, 0)
        side.setSpacing(2 * GRID)
        for card in (self.samples, self._card("Model", self.model), self.steps):
            card.setMinimumWidth(_SIDE_WIDTH)
            side.addWidget(card)
        side.addWidget(self.strip)
        side.addStretch(1)
        content = Scroll()
        content.body.addWidget(TwoColumns(contents, beside, (1, 0), _NARROW))
        return content

    @staticmethod
    def _card(title: str, content: QWidget) -> Card:
        card = Card(title)
        card.body.addWidget(content)
        return card

    # What is shown

    def refresh(self) -> None:
        """Show the project of the current model."""
        variant, project = self.variant, self.shell.project.value
        self._pane.show_content(variant is not None)
        self._explain()
        if variant is None:
            self.set_note("")
            return
        origin = self.workspace.registry.original(variant)
        self.model.show_fields(_model_fields(ModelFigures.read(origin.summary), origin.size))
        source = origin.source_file
        self.set_note(str(source) if source is not None else "")
        if project is None:
            return
        is_language = bool(origin.summary.get("language"))
        done, of = rows.ready(rows.rows_of(project, is_language))
        self.state.show_state(f"{done} of {of} ready", "good" if done == of else "warning")
        general = project.issue_of("found")
        self.problem.setText(f"{general.text} {general.hint}".strip() if general else "")
        self.problem.setVisible(general is not None)
        self.sample.show(origin, project)
        self._show_rows()
        self._show_next()

    def _show_rows(self) -> None:
        """Show the project's fields and the facts of the model's file."""
        variant, project = self.variant, self.shell.project.value
        if variant is None or project is None:
            return
        origin, state = self.workspace.registry.original(variant), self.sample.state
        model = ModelFigures.read(origin.summary)
        is_language = model.language is not None
        task, *others = rows.rows_of(project, is_language)
        # Samples are arrays and pictures; texts are tried on a page of their own.
        samples = [model_rows.sample_row(state)] if not is_language else []
        self.samples.setVisible(not is_language)
        self.table.show_rows(
            (
                task,
                *model_rows.terminal_rows(model),
                *(with_meaning(one, state) for one in others),
                *model_rows.file_rows(model, origin.size, project),
                *samples,
            )
        )
        self.samples.show_state(state)

    def _show_next(self) -> None:
        """Name the primary button after the first step that is still to be done."""
        if self.variant is None or self.primary is None:
            return
        registry, model = self.workspace.registry, self.variant.model
        variants = registry.variants(model)
        done = {
            "quantize": len(variants) > 1,
            "profile": any(registry.runs("profile", one.id, most=1) for one in variants),
            "deploy": registry.history.has(model),
        }
        states = {stage: DONE for stage, is_done in done.items() if is_done}
        self.steps.show_states({**states, **self.run.states})
        self._next, title, _ = next(one for one in STEPS if not done.get(one[0], False))
        self.primary.setText(title)
        self.primary.setAccessibleName(title)

    def _show_run(self) -> None:
        """Show how far the run of all steps is."""
        self._explain()
        self.steps.show_run(self.run.text, self.run.done, self.run.total)
        self._show_next()

    def _select_served(self, number: int) -> None:
        """Make the variant of the run the current one, unless another model is open since."""
        current = self.variant
        if current is not None and any(
            one.id == number for one in self.workspace.registry.variants(current.model)
        ):
            self.shell.select(number)

    def _explain(self) -> None:
        """Say why the buttons of the header cannot be pressed."""
        missing = "" if self.variant is not None else "Open a model first."
        set_enabled(self.run_all, missing or ("It runs already." if self.run.is_running else ""))
        if self.primary is not None:
            set_enabled(self.primary, missing)

    def _run_all(self) -> None:
        if self.variant is not None:
            self.run.start(self.variant)

    def on_event(self, event: object) -> None:
        """Follow the page's job, and the run of all steps."""
        super().on_event(event)
        self.run.on_event(event)
        self.sample.on_event(event)

    def _go_on(self) -> None:
        self.shell.go(self._next if self.variant is not None else "model")

    # Changing a value

    def _fill_menu(self, menu: QMenu, field: ProjectRow) -> None:
        """Offer the values of a field."""
        menu.clear()
        project = self.shell.project.value
        if field.field == "task":
            for task, title in TASK_TITLES.items():
                menu.addAction(title, partial(self._set, "task", task))
        elif field.field == "metric":
            for name, title in self._metrics():
                menu.addAction(title, partial(self._set, "metric", name))
        elif field.field == "targets":
            for target in self.workspace.registry.targets():
                menu.addAction(target.name, partial(self._set, "targets", [target.name]))
        if field.field in _DATA:
            menu.addAction("Folder of samples…", partial(self._browse_folder, field))
        if field.field == "preprocess" and self._can_draft():
            menu.addAction("Write a draft…", self._draft)
        if field.field == OUTPUTS and self.variant is not None and project is not None:
            self.outputs.fill(menu, self.variant, project, self.sample.state)
        if field.field in PATHS:
            menu.addAction("File…", partial(self._browse_file, field))
        if field.is_own:
            menu.addSeparator()
            menu.addAction("Remove this choice", partial(self._set, "clear", [field.field]))

    def _metrics(self) -> list[tuple[str, str]]:
        options = {one.name: one for one in self.workspace.steps["quantize"].form}
        metric = options["metric"]
        return list(zip(metric.choices, metric.choice_titles, strict=True))

    def _browse_folder(self, field: ProjectRow) -> None:
        chosen = QFileDialog.getExistingDirectory(self.header, field.title, self._start())
        self._set(field.field, chosen)

    def _browse_file(self, field: ProjectRow) -> None:
        kinds = _DATA_FILES if field.field in _DATA else ""
        chosen = QFileDialog.getOpenFileName(self.header, field.title, self._start(), kinds)[0]
        self._set(field.field, chosen)

    def _start(self) -> str:
        """Return the folder in which a dialog begins: that of the model."""
        assert self.variant is not None
        source = self.workspace.registry.original(self.variant).source_file
        return str(source.parent if source is not None else Path.home())

    def _set(self, field: str, value: str | list[str]) -> None:
        if self.variant is None or not value or self.strip.running:
            return
        options = {"model": f"#{self.variant.id}", field: value}
        self.strip.follow(self.shell.start(STEP, **options))

    def _can_draft(self) -> bool:
        project = self.shell.project.value
        if self.variant is None or project is None or project.preprocess:
            return False
        origin = self.workspace.registry.original(self.variant)
        return takes_pictures(ModelFigures.read(origin.summary))

    def _draft(self) -> None:
        if self.variant is not None:
            self.draft.ask(self.variant)

    def _write_draft(self, variant: VariantRecord) -> None:
        if not self.strip.running:
            self.strip.follow(self.shell.start(DRAFT, model=f"#{variant.id}"))

    def _write_outputs(self, options: Mapping[str, object]) -> None:
        if not self.strip.running:
            self.strip.follow(self.shell.start(OUTPUTS_STEP, **options))

    def _finished(self, outcome: JobOutcome) -> None:
        if outcome.ok and isinstance(outcome.result, Project):
            self.shell.project.show(outcome.result)
        elif outcome.ok and isinstance(outcome.result, OutputsResult):
            self.shell.project.read()
            self.shell.notify(f"outputs.toml is written: {outcome.result.meaning}.")
        elif outcome.ok:  # the draft lies in the model's folder now, where it is found
            self.shell.project.read()
            self.shell.notify("preprocess.toml is written. Check color, scale, mean and std.")
        self.refresh_soon()


def _model_fields(model: ModelFigures, size: int) -> list[tuple[str, str]]:
    fields = [
        ("File", figures.size(size)),
        ("Parameters", short_count(model.parameters)),
        ("MACs", short_count(model.macs)),
        ("Nodes", figures.whole(model.nodes)),
    ]
    return [(name, value) for name, value in fields if value and value != figures.NOTHING]
