"""Surgery: edits are gathered, tried together, and kept as a new variant."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtGui import QKeySequence, QShowEvent
from PySide6.QtWidgets import (
    QComboBox,
    QLineEdit,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from studio.gui import figures
from studio.gui.forms.editors import TextEditor
from studio.gui.forms.form import Form
from studio.gui.pages.model.edit_list import EditList, EditProposal, FailedEdit, described, named
from studio.gui.pages.shared.stage_page import JobStrip
from studio.gui.shell import Shell
from studio.gui.widgets.basics import GRID, Hint, Scroll, button, label, row, set_enabled
from studio.gui.widgets.completion import NamesCompleter
from studio.gui.widgets.tables import Table
from studio.gui.widgets.wrapping_bar import WrappingBar
from studio.workspace import edit_text

if TYPE_CHECKING:
    from studio.models.surgery.results import EditOutcome, EditResult, EditsResult, OfferedEdit
    from studio.workspace import GraphView, JobOutcome, RunningJob, VariantRecord, Workspace

HOW = (
    "Choose an edit on the left. Or right-click a node of the graph (Menu key) to rename its "
    "value or extract a part."
)
_FORM_WIDTH = 36 * GRID
_NAME_WIDTH = 20 * GRID


class SurgeryView(QWidget):
    """The list of edits at the right, the form of the next one at the left.

    A worker lists the edits and their options when the view is first shown.
    """

    def __init__(self, workspace: Workspace, shell: Shell) -> None:
        super().__init__()
        self._workspace = workspace
        self._shell = shell
        self._variant: VariantRecord | None = None
        self._view: GraphView | None = None
        self._offers: dict[str, tuple[OfferedEdit, ...]] = {}
        self._asked: RunningJob | None = None
        self._keeps = False
        self._results: dict[tuple[str, ...], EditOutcome | FailedEdit] = {}
        self._tried: tuple[str, ...] = ()
        self._job: RunningJob | None = None
        self._wanted: EditProposal | None = None
        self.edits = EditList()
        self.forms: dict[str, Form] = {}
        self.combo = QComboBox()
        self.combo.setAccessibleName("Edit")
        self._forms = QStackedWidget()
        self._help = label("", "small", wrap=True)
        self.add = button("Add edit", self._add)
        self.undo = button("Undo", self._undo, "link")
        self.redo = button("Redo", self._redo, "link")
        self.remove = button("Remove", self._remove, "link")
        self.table = Table(("Edit", "Result", "Nodes"), (2,), 1, "Edits")
        self.table.setWordWrap(True)
        self.name = QLineEdit()
        self.name.setPlaceholderText("edited")
        self.name.setAccessibleName("Name of the new variant")
        self.name.setFixedWidth(_NAME_WIDTH)
        self.attempt = button("Try", partial(self._run, False))
        self.save = button("Save as variant", partial(self._run, True))
        self.strip = JobStrip()
        self.hint = Hint("No edits yet", HOW)
        self._build()
        self._connect()
        self._show_list()

    def _build(self) -> None:
        form = Scroll(margin=0, spacing=GRID)
        form.setFixedWidth(_FORM_WIDTH)
        form.body.addWidget(self.combo)
        form.body.addWidget(self._forms)
        form.body.addWidget(self._help)
        form.body.addLayout(row(self.add, None))
        form.body.addStretch(1)
        self._stack = QStackedWidget()
        for item in (self.hint, self.table):
            self._stack.addWidget(item)
        changes = row(self.undo, self.redo, self.remove, None)
        ends = row(None, label("Name", "dim"), self.name, self.attempt, self.save)
        end = WrappingBar(changes, ends, margin=0)
        side = QVBoxLayout()
        side.setSpacing(GRID)
        side.addWidget(self.strip)
        side.addWidget(self._stack, 1)
        side.addWidget(end)
        layout = row(form, spacing=3 * GRID)
        layout.addLayout(side, 1)
        layout.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID)
        self.setLayout(layout)

    def _connect(self) -> None:
        self.combo.currentIndexChanged.connect(self._choose)
        self.strip.finished.connect(self._finished)
        self.table.itemSelectionChanged.connect(self._explain)
        self.name.returnPressed.connect(partial(self._run, True))
        for item, keys in (
            (self.undo, QKeySequence.StandardKey.Undo),
            (self.redo, QKeySequence.StandardKey.Redo),
        ):
            item.setShortcut(QKeySequence(keys))

    # What is shown

    def show_variant(self, variant: VariantRecord | None) -> None:
        """Set another variant, with an empty list of edits."""
        self._variant, self._view = variant, None
        self.edits, self._results = EditList(), {}
        self.name.clear()
        self._show_list()

    def show_graph(self, view: GraphView) -> None:
        """Set the graph whose names the forms offer."""
        self._view = view
        self._complete()

    def showEvent(self, event: QShowEvent) -> None:
        """Request the edits, once for each format."""
        super().showEvent(event)
        self._request_edits()

    def propose(self, proposal: EditProposal) -> None:
        """Show the form of an edit with its values filled in."""
        if proposal.edit not in self.forms:
            self._wanted = proposal
            self._request_edits()
            return
        self._wanted = None
        form = self.forms[proposal.edit]
        self.combo.setCurrentIndex(list(self.forms).index(proposal.edit))
        form.set_values(proposal.values)
        editor = form.fields[next(iter(proposal.values))].editor
        editor.setFocus()
        if isinstance(editor, TextEditor):
            editor.line.end(False)

    def on_event(self, event: object) -> None:
        """Follow the view's jobs."""
        self.strip.on_event(event)
        asked = self._asked
        if asked is None or getattr(event, "job", None) != asked or asked.outcome is None:
            return
        self._asked = None
        if asked.outcome.ok:
            self._on_edits(asked.outcome.result)

    # Which edits there are

    def _request_edits(self) -> None:
        if self._variant is None or self._asked is not None:
            return
        if self._variant.format in self._offers:
            self._make_forms()
        else:
            self._asked = self._shell.start("edits", model=f"#{self._variant.id}")

    def _on_edits(self, result: EditsResult) -> None:
        assert self._variant is not None
        self._offers[self._variant.format] = result.edits
        self._make_forms()

    def _make_forms(self) -> None:
        assert self._variant is not None
        offers = self._offers[self._variant.format]
        if [offer.id for offer in offers] != list(self.forms):
            self.combo.clear()
            for form in self.forms.values():
                self._forms.removeWidget(form)
                form.deleteLater()
            self.forms = {}
            for offer in offers:
                form = Form(offer.options)
                form.submitted.connect(self._add)
                self.forms[offer.id] = form
                self._forms.addWidget(form)
            self.combo.addItems([offer.title for offer in offers])
        self._complete()
        self._explain()
        if self._wanted is not None:
            self.propose(self._wanted)

    def _complete(self) -> None:
        """Set the completions of the fields to the names of the graph."""
        if self._view is None:
            return
        names = named(self._view)
        known: dict[str, list[str]] = {}
        for form in self.forms.values():
            for field in form.fields.values():
                what = field.option.names
                if what in names and isinstance(field.editor, TextEditor):
                    found = known.get(what) or sorted(set(names[what]()))
                    known[what] = found
                    NamesCompleter(field.editor.line, found)

    def _choose(self, number: int) -> None:
        """Show the form of an edit, with as much room as it needs and no more."""
        self._forms.setCurrentIndex(number)
        across, down = QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Ignored
        for at, form in enumerate(self.forms.values()):
            form.setSizePolicy(across, across if at == number else down)
        fields = list(self.forms.values())[number].fields.values() if number >= 0 else ()
        self._help.setText("\n".join(field.option.help for field in fields))

    # The list

    def _add(self) -> None:
        name = next(iter(list(self.forms)[self.combo.currentIndex() :]), "")
        form = self.forms.get(name)
        if form is None or not form.check():
            return
        options = [field.option for field in form.fields.values()]
        self.edits.add(edit_text(name, options, form.values()))
        form.set_values({option.name: option.default for option in options})
        form.forget_complaints()
        self._changed()

    def _undo(self) -> None:
        self.edits.undo()
        self._changed()

    def _redo(self) -> None:
        self.edits.redo()
        self._changed()

    def _remove(self) -> None:
        place = self.table.currentRow()
        if 0 <= place < len(self.edits.edits):
            self.edits.remove(place)
            self._changed()

    def _changed(self) -> None:
        self._show_list()

    def _show_list(self) -> None:
        """Show the edits; what came of one is known as long as those before it are the same."""
        edits = self.edits.edits
        results = [self._results.get(edits[: place + 1]) for place in range(len(edits))]
        self.table.show_rows(
            (text, described(result), _nodes(result))
            for text, result in zip(edits, results, strict=True)
        )
        self.table.resizeRowsToContents()
        self._stack.setCurrentWidget(self.table if self.edits.edits else self.hint)
        self._explain()

    def _explain(self) -> None:
        """Disable buttons with the reason."""
        never = self._workspace.why_not("edit", self._variant)
        nothing = never or ("" if self.edits.edits else "Add an edit first.")
        busy = "Applying the edits…" if self.strip.running else ""
        set_enabled(self.attempt, nothing or busy)
        set_enabled(self.save, nothing or busy)
        set_enabled(self.undo, "" if self.edits.can_undo else "No edits to undo.")
        set_enabled(self.redo, "" if self.edits.can_redo else "No edits to redo.")
        chosen = 0 <= self.table.currentRow() < len(self.edits.edits)
        set_enabled(self.remove, "" if chosen else "Select an edit first.")
        self.hint.text.setText(never or HOW)
        set_enabled(self.add, never or ("" if self.forms else "Loading the available edits…"))

    # The work

    def _run(self, keeps: bool) -> None:
        if self._variant is None or not self.edits.edits or self.strip.running:
            return
        self._keeps = keeps
        name = self.name.text().strip()
        named = {"name": name} if name else {}
        self._tried = self.edits.edits
        model, edits = f"#{self._variant.id}", list(self._tried)
        self._job = self._shell.start("edit", model=model, edit=edits, check=not keeps, **named)
        self.strip.follow(self._job)
        self._explain()

    def _finished(self, outcome: JobOutcome) -> None:
        if outcome.ok:
            result: EditResult = outcome.result
            self._store_results(result.edits)
            if self._keeps:
                self._notify_saved(result)
                self._shell.select(result.variant)
        elif outcome.end.value != "cancelled":
            self._note_failure(outcome)
        self._explain()

    def _store_results(self, rows: Sequence[EditOutcome]) -> None:
        for place, result in enumerate(rows):
            self._results[self._tried[: place + 1]] = result
        self._show_list()

    def _note_failure(self, outcome: JobOutcome) -> None:
        """Show the reason at the edit that failed; the window's message repeats it."""
        state = self._job.state if self._job is not None else None
        if state is None or not state.total:
            return  # it did not come to the edits
        place = min(int(state.done), len(self._tried) - 1)
        text = " ".join(part for part in (outcome.sentence, outcome.hint) if part)
        self._results[self._tried[: place + 1]] = FailedEdit(text)
        self._show_list()
        self.table.selectRow(place)

    def _notify_saved(self, result: EditResult) -> None:
        assert self._variant is not None
        many = figures.count(len(result.edits), "edit")
        name = self._variant.name
        self._shell.notify(f"Saved as {result.name}, from {name} by {many}.", "good")


def _nodes(outcome: EditOutcome | FailedEdit | None) -> str:
    return "" if outcome is None or isinstance(outcome, FailedEdit) else str(outcome.nodes)
