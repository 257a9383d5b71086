"""The Boards view: the boards to choose, their progress, and one table with a verdict for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QVBoxLayout

from studio.api.qt import plain_tip
from studio.documents.dataclass_json import from_json
from studio.features.fleets.pages.studies import table, texts
from studio.features.fleets.pages.studies.earlier import EarlierStudies
from studio.features.fleets.pages.studies.export import StudyExport
from studio.features.fleets.pages.studies.settings import RESUME, TARGET, StudySettings, study_line
from studio.gui import figures
from studio.gui.option_words import outcome_in_window
from studio.gui.pages.profile.dynamic_shapes import is_open
from studio.gui.pages.profile.language import backend_titles
from studio.gui.pages.profile.outcome import OutcomeCard
from studio.gui.pages.profile.settings import SHAPES
from studio.gui.pages.profile.verdict import Headline
from studio.gui.pages.shared.base import AddedView
from studio.gui.pages.shared.stage_page import JobStrip, StateRow, StateRows, needs_model
from studio.gui.pages.shared.target_rows import named
from studio.gui.widgets.basics import GRID, Card, Disclosure, Hint, Pill, button, label, row
from studio.gui.widgets.style_parts import PartScroll
from studio.gui.widgets.tables import Table
from studio.models.results import ModelFigures
from studio.profiling.boards.results import MEASURED, MEASURING, StudyResult, StudyRow

if TYPE_CHECKING:
    from studio.gui.pages.profile.page import ProfilePage
    from studio.workspace import JobOutcome, VariantRecord, Workspace
    from studio.workspace.results import Recorded

STEP = "study"
LEAST_BOARDS = 2
_MOST_ROWS = 16
_CANCELLED = "cancelled"
_NO_STUDY = StudyResult("", complete=False, reference="", boards=(), overall=(), method="")


class StudyView(AddedView):
    """One study: settings, progress of each board, the table, and why boards are missing."""

    title = texts.TITLE

    def __init__(self, page: ProfilePage) -> None:
        super().__init__(page)
        self._workspace, self._shell, self._profile_page = page.workspace, page.shell, page
        self._variant: VariantRecord | None = None
        self._settled: int | None = None
        self._options: Mapping[str, object] = {}
        self._name = ""
        self._result = _NO_STUDY
        self._lines: list[table.StudyLine] = []
        self.strip = JobStrip()
        self.outcome = OutcomeCard(self.strip)
        self.outcome.progress.note.setText(texts.KEEPS)
        self.settings = StudySettings(page.workspace.steps[STEP].form, page, page.shell.project)
        self.tool = self.export = StudyExport(page.workspace, page.shell)
        self.table = Table(table.COLUMNS, table.NUMERIC, stretch=(0, table.CHIP), name="Boards")
        self.missing = StateRows("Boards that are not in the comparison")
        self.resume = button("", self._continue, "outline")
        self._unmeasured = label("", "dim", wrap=True)
        self.method = Disclosure("How the verdicts are made")
        self.earlier = EarlierStudies()
        self.several = button(
            texts.SEVERAL, lambda: page.show_view(page.stack.indexOf(self)), "link"
        )
        page.settings.card.body.addLayout(row(self.several, None))
        self._lay_out()
        self._connect()
        self.outcome.hide()
        self.settings.show_line("")
        self._show_rows()

    def _lay_out(self) -> None:
        self._table_card = Card("One table for all boards")
        self._table_card.body.addWidget(self.table)
        self._table_card.body.addWidget(self.method)
        self._missing_card = Card("Missing boards")
        self._missing_card.body.addWidget(self.missing)
        self._missing_card.body.addWidget(self._unmeasured)
        self._missing_card.body.addLayout(row(self.resume, None))
        self._nothing = Hint(texts.EMPTY_TITLE, texts.EMPTY)
        self._few = Hint(
            texts.FEW_TITLE, texts.FEW, "Go to Targets", lambda: self._shell.go("targets")
        )
        scroll = PartScroll(spacing=GRID + GRID // 2)
        for part in (self.outcome, self.settings, self._table_card, self._missing_card):
            scroll.body.addWidget(part)
        for hint in (self._nothing, self._few):
            scroll.body.addWidget(hint, 1)
        scroll.body.addWidget(self.earlier)
        scroll.body.addStretch(0)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._pane = needs_model(scroll, "profile", self._shell.go)
        layout.addWidget(self._pane)

    def _connect(self) -> None:
        self.settings.changed.connect(self._explain)
        self.settings.submitted.connect(self.run)
        self.outcome.again_asked.connect(self.run)
        self.strip.message.connect(self._live)
        self.strip.finished.connect(self._finished)
        self.table.itemDoubleClicked.connect(lambda item: self._open_profile(item.row()))
        self.earlier.chosen.connect(self.show_study)

    def _show_itself(self) -> None:
        self.page.show_view(self.page.stack.indexOf(self))

    # What is shown

    def refresh(self, variant: VariantRecord | None) -> None:
        """Offer variants and boards, and show the newest study of the model."""
        self._variant = variant
        self._pane.show_content(variant is not None)
        variants = self._workspace.registry.variants(variant.model) if variant is not None else []
        self.settings.picker.offer(self._workspace)
        self.settings.offer_variants([f"#{one.id}" for one in variants])
        inputs = ModelFigures.read(variant.summary).inputs if variant is not None else ()
        self.settings.sizes.show_inputs(inputs, _shapes(self._options))
        self.settings.show_open_sizes(any(is_open(one.shape) for one in inputs if one.shape))
        model = variant.model if variant is not None else None
        if model != self._settled and not self.strip.running:
            self._settled = model
            self._result, self._options, self._name = _NO_STUDY, {}, ""
            self.outcome.forget()
            self.settings.show_line("")
            self.settings.fold(False)
        self._show_rows()
        numbers = [one.id for one in variants]
        self._workspace.in_background(
            lambda: _studies(self._workspace, numbers), lambda found: self._read(model, found)
        )

    def _read(self, model: int | None, found: list[Recorded[StudyResult]] | Exception) -> None:
        if isinstance(found, Exception):
            self._shell.fail(found)
            return
        if model != self._settled:
            return  # the user chose another model since
        self.earlier.show_studies(found)
        if found and self._result is _NO_STUDY and not self.strip.running:
            self.show_study(found[0])

    def show_study(self, study: Recorded[StudyResult]) -> None:
        """Show an earlier study; not while another one runs."""
        if self.strip.running:
            self._shell.notify(texts.RUNNING)
            return
        self._options = _run_options(study.options)
        self._name = study.result.study
        self.outcome.forget()
        self.settings.take_over(self._options)
        self.settings.picker.tick([row.target for row in study.result.boards])
        self.settings.fold(True)
        self._show_result(study.result)

    def _show_result(self, result: StudyResult) -> None:
        self._result = result
        self.settings.show_line(self._line())
        self.method.show_text(result.method)
        headline = texts.headline(result, table.short_names(result))
        self.outcome.show_verdict(headline, None, "")
        self._show_rows()

    def _show_rows(self) -> None:
        running = self.strip.running
        result = self._result
        self._lines = table.lines(result, running=running)
        self.table.show_rows([[*one.texts, _pill(one)] for one in self._lines])
        several = len(table.candidates(result)) > 1
        for column, shown in (
            (table.VARIANT, several),
            (table.CANDIDATE, bool(table.candidates(result))),
            (table.RATIO, bool(result.overall)),
        ):
            self.table.setColumnHidden(column, not shown)
        self._name_columns()
        self.table.fit_columns()
        self.table.fit_height(_MOST_ROWS)
        has_rows = bool(self._lines)
        enough = len(self.settings.picker.known) >= LEAST_BOARDS
        self._table_card.setVisible(has_rows)
        self._few.setVisible(not has_rows and not enough)
        self._nothing.setVisible(not has_rows and enough)
        self.settings.setVisible(has_rows or enough)
        self.method.setVisible(bool(result.method) and not running)
        self.export.show_study(result if result.study and not running else None)
        self._show_missing()
        self._explain()

    def _explain(self) -> None:
        boards = len(self.settings.picker.boards())
        self._nothing.text.setText(texts.plan(boards, self.settings.seconds()))
        self.changed.emit()

    def _line(self) -> str:
        return study_line(self._result, self._options, backend_titles(self._workspace))

    def _name_columns(self) -> None:
        """Name the columns after the variants where there are two."""
        names = table.short_names(self._result)
        others = table.candidates(self._result)
        baseline = next((name for label, name in names.items() if label not in others), "")
        heads = list(table.COLUMNS)
        if baseline:
            heads[table.BASELINE] = f"Baseline {baseline}, ms"
        if len(others) == 1:
            heads[table.CANDIDATE] = f"Candidate {names[others[0]]}, ms"
        if not self._result.overall:
            heads[-1] = "State"
        self.table.setHorizontalHeaderLabels(heads)

    def _show_missing(self) -> None:
        lost = [row for row in self._result.boards if row.reason]
        rows = [(row, *texts.state_of(row)) for row in lost]
        self.missing.show_rows(
            StateRow(word, tone, named(row.target), texts.lost(row)) for row, word, tone in rows
        )
        can_continue = bool(self._name) and not self.strip.running and self._is_open()
        self.resume.setText(texts.MISSING if self._result.study else texts.CONTINUE)
        self.resume.setVisible(can_continue)
        self._unmeasured.setText(texts.unmeasured(self._result.boards))
        self._unmeasured.setVisible(can_continue)
        self._missing_card.setVisible(bool(lost) or can_continue)

    def _is_open(self) -> bool:
        """Return whether boards of the shown study are not measured to the end."""
        return any(row.state != MEASURED for row in self._result.boards)

    def _open_profile(self, y: int) -> None:
        run = self._lines[y].run if 0 <= y < len(self._lines) else None
        if run is not None:
            self._profile_page.history.open_run(run)

    # Runs

    def next_step(self) -> tuple[str, str]:
        """Return the text of the primary button, and why it cannot be pressed."""
        boards = len(self.settings.picker.boards())
        text = f"Measure {figures.count(boards, 'board')}" if boards else "Measure boards"
        return text, self._why_not(boards)

    def _why_not(self, boards: int) -> str:
        if self._variant is None:
            return texts.NO_MODEL
        if self.strip.running:
            return texts.RUNNING
        if self._workspace.profiles.text_backend(self._variant):
            return texts.LANGUAGE
        return self._workspace.why_not(STEP, self._variant) or (
            texts.TOO_FEW if boards < LEAST_BOARDS else ""
        )

    def run(self) -> None:
        """Measure what is ticked on the boards that are chosen."""
        if not self.next_step()[1] and self.settings.check():
            self._start(self.settings.values(), self.settings.picker.boards())

    def _continue(self) -> None:
        """Measure the boards that the shown study misses."""
        if not self.strip.running:
            boards = [row.target for row in self._result.boards]
            self._start({**self._options, TARGET: boards, RESUME: self._name}, boards)

    def _start(self, options: Mapping[str, object], boards: Sequence[str]) -> None:
        started = self.strip.follow(self._shell.start(STEP, **options))
        if not started:
            self.changed.emit()
            return
        self._options = {name: value for name, value in options.items() if name != RESUME}
        self._name = str(options.get(RESUME) or "")
        waiting = tuple(StudyRow(name, texts.WAITING) for name in boards)
        self._result = StudyResult(
            "", complete=False, reference="", boards=waiting, overall=(), method=""
        )
        self.settings.fold(True)
        self.settings.show_line(self._line())
        self.outcome.show_running()
        self._show_rows()

    def on_event(self, event: object) -> None:
        """Follow the view's job."""
        self.strip.on_event(event)

    def _live(self, name: str, values: dict[str, object]) -> None:
        """Show the state of one board, and note by which name the study is continued."""
        if name == STEP:
            self._name = str(values.get("name", ""))
        if name != "board":
            return
        came = from_json(StudyRow, values["row"])
        boards = tuple(came if row.target == came.target else row for row in self._result.boards)
        self._result = _with_boards(self._result, boards)
        done = texts.progress(boards, len(boards))
        self.settings.show_line(f"{self._line()} · {done}")
        self._show_rows()

    def _finished(self, outcome: JobOutcome) -> None:
        if outcome.ok:
            self.outcome.forget()
            self._show_result(outcome.result)
            return
        self._result = _with_boards(self._result, tuple(map(_stopped, self._result.boards)))
        if outcome.end.value == _CANCELLED:
            done = texts.progress(self._result.boards, len(self._result.boards))
            self.outcome.show_verdict(
                Headline(_CANCELLED, "warning", texts.STOPPED, f"{done}."), None, ""
            )
        else:
            words = self._workspace.steps[STEP].form
            self.outcome.show_failure(outcome_in_window(outcome, words))
        self._show_rows()


def _with_boards(result: StudyResult, boards: tuple[StudyRow, ...]) -> StudyResult:
    return replace(result, boards=boards)


def _studies(workspace: Workspace, variants: Sequence[int]) -> list[Recorded[StudyResult]]:
    """Return the studies of variants, the newest first."""
    found = [one for number in variants for one in workspace.results.of(STEP, StudyResult, number)]
    return sorted(found, key=lambda one: -one.id)


def _run_options(recorded: Mapping[str, object]) -> dict[str, object]:
    """Return the options of a recorded study as those of a run, without its boards."""
    given = {name: value for name, value in recorded.items() if value is not None}
    models = given.pop("models", None)
    given.pop("targets", None)
    if isinstance(models, list | tuple):
        given["model"] = [f"#{number}" for number in models]
    return given


def _stopped(row: StudyRow) -> StudyRow:
    is_open = row.state in (MEASURING, texts.WAITING)
    return replace(row, state=texts.NOT_MEASURED) if is_open else row


def _shapes(options: Mapping[str, object]) -> Sequence[str]:
    shapes = options.get(SHAPES)
    return [str(one) for one in shapes] if isinstance(shapes, list | tuple) else ()


def _pill(line: table.StudyLine) -> Pill:
    pill = Pill(line.state, line.tone)
    pill.setToolTip(plain_tip(line.tip))
    pill.setAccessibleDescription(line.tip)
    return pill
