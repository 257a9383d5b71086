"""Speed and quality of what a target serves, and the uncertain requests that it keeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QGridLayout, QLabel, QWidget

from studio.gui.pages.monitor.quality_rows import QualityRow, rows_of
from studio.gui.pages.shared.stage_page import JobStrip
from studio.gui.shell import Shell
from studio.gui.widgets.basics import GRID, Card, button, label, restyle, row, set_enabled
from studio.monitoring.endpoint.results import FetchedRequests, StoredRequests
from studio.monitoring.results import UNREACHABLE, TargetSample

if TYPE_CHECKING:
    from studio.workspace import JobOutcome

STEP = "monitor"
NOT_YET = "Start the live view to see these measurements."
NO_ANSWER = "The target is unreachable."
NONE_TOLD = (
    "This release does not report speed and quality. Deploy again to update an older server."
)
_TEXT_WIDTH = 25 * GRID


class QualityCard(Card):
    """Of one target: a row each for speed, board, accuracy, agreement and what is kept."""

    def __init__(self, shell: Shell) -> None:
        super().__init__("Speed and quality")
        self._shell = shell
        self._target = ""
        self._kept = 0
        self.rows: tuple[QualityRow, ...] = ()
        self.hint = label(NOT_YET, "dim", wrap=True)
        self._cells: list[Sequence[QLabel]] = []
        self._table = QWidget()
        self._grid = QGridLayout(self._table)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(2 * GRID)
        self._grid.setVerticalSpacing(GRID)
        self._grid.setColumnStretch(3, 1)
        self.fetch = button("Fetch samples\u2026", self.choose_folder)
        self.delete = button("Delete samples on target…", lambda: self._prompt(True))
        self._buttons = QWidget()
        self._buttons.setLayout(row(self.fetch, self.delete, None))
        self._question = label("", wrap=True)
        self.confirm = button("Delete", self._forget, "danger")
        self._asking = QWidget()
        asking = row(self._question, self.confirm, button("Cancel", lambda: self._prompt(False)))
        asking.setStretch(0, 1)
        self._asking.setLayout(asking)
        self.strip = JobStrip()
        self.strip.finished.connect(self._ended)
        self.done = label("", "dim", wrap=True)
        self.done.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        for part in (self.hint, self._table, self._buttons, self._asking, self.strip, self.done):
            self.body.addWidget(part)
        self.strip.hide()
        self.clear()

    def clear(self, target: str = "") -> None:
        """Forget what was seen; another target is meant from now on."""
        self._target = target
        self.done.hide()
        self._show((), NOT_YET)
        self._set_stored(0)

    def show_sample(self, sample: TargetSample) -> None:
        """Show the quality metrics of the newest sample."""
        silent = sample.health == UNREACHABLE
        self._show(() if silent else rows_of(sample), NO_ANSWER if silent else NONE_TOLD)
        self._set_stored(sample.samples.kept if sample.samples else 0)

    # Rows

    def _show(self, rows: tuple[QualityRow, ...], hint: str) -> None:
        self.hint.setText(hint)
        self.hint.setVisible(not rows)
        self._table.setVisible(bool(rows))
        for place, found in enumerate(rows):
            if place == len(self._cells):
                self._cells.append(self._line(place))
            if self.rows[place : place + 1] != (found,):
                _fill(self._cells[place], found)
        for place, cells in enumerate(self._cells):
            for cell in cells:
                cell.setVisible(place < len(rows))
        self.rows = rows

    def _line(self, place: int) -> Sequence[QLabel]:
        """Return the cells of one more row; they are reused, so that a poll needs no new layout."""
        cells = (label("", "dim"), label("", "strong"), label("", "dim"), label("", wrap=True))
        cells[3].setMinimumWidth(_TEXT_WIDTH)
        for x, cell in enumerate(cells):
            # All of a line, because selectable text sits a pixel higher than other text.
            cell.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self._grid.addWidget(cell, place, x, Qt.AlignmentFlag.AlignTop)
        return cells

    # What is kept on the target

    def _set_stored(self, kept: int) -> None:
        self._kept = kept
        if not kept:
            self._prompt(False)
        self._explain()

    @property
    def why_not(self) -> str:
        """Why no samples can be fetched now; empty where they can."""
        if self.strip.running:
            return "Samples are being fetched or deleted."
        return "" if self._kept else "No kept requests on the target."

    def _explain(self) -> None:
        asking = self._asking.isVisibleTo(self)
        self._buttons.setVisible(bool(self._kept) and not asking)
        reason = self.why_not if self.strip.running else ""
        for one in (self.fetch, self.delete, self.confirm):
            set_enabled(one, reason)

    def choose_folder(self) -> None:
        """Open the dialog for a new folder, and fetch the samples into it."""
        chosen = QFileDialog.getExistingDirectory(self, "Folder for the samples")
        if chosen and self._target:
            name = f"uncertain-{self._target}-{datetime.now():%Y%m%d-%H%M%S}"
            self._start(samples=str(Path(chosen, name)))

    def _prompt(self, asking: bool) -> None:
        """Show the question in place of the buttons, or the buttons again."""
        self._question.setText(
            f"Delete the kept requests on the target ({self._kept})? This cannot be undone."
        )
        self._asking.setVisible(asking)
        self._explain()
        if asking:
            self.confirm.setFocus()

    def _forget(self) -> None:
        self._prompt(False)
        self._start(delete_samples=True)

    def _start(self, **options: object) -> None:
        self.done.hide()
        self.strip.follow(self._shell.start(STEP, target=self._target, **options))
        self._explain()

    def _ended(self, outcome: JobOutcome) -> None:
        self._explain()
        if not outcome.ok:
            return  # what went wrong is said by the window
        sample: TargetSample = outcome.result
        if not (taken := sample.taken) or sample.target != self._target:
            return
        if taken.deleted is not None:  # the server itself looks at its folder only now and then
            stored = replace(sample.samples or StoredRequests(), kept=0, bytes=0)
            sample = replace(sample, samples=stored)
        self.show_sample(sample)
        self.done.setText(_fetch_sentence(taken))
        self.done.show()


def _fill(cells: Sequence[QLabel], found: QualityRow) -> None:
    texts = (found.name, found.figure, found.beside, found.text)
    for cell, text in zip(cells, texts, strict=True):
        if cell.text() != text:
            cell.setText(text)
    if str(cells[1].property("tone") or "") != found.tone:
        restyle(cells[1], tone=found.tone)
    cells[1].setAccessibleName(f"{found.name}: {found.figure} {found.beside}. {found.text}")


def _fetch_sentence(taken: FetchedRequests) -> str:
    if taken.deleted is not None:
        return f"{taken.deleted} deleted on the target."
    if not taken.fetched and not taken.damaged:
        return "No requests are kept on the target."
    damaged = f", {taken.damaged} damaged ones left out" if taken.damaged else ""
    return (
        f"{taken.fetched or 0} fetched into {taken.folder}{damaged}. Results are in "
        "answers.csv. Add a labels.csv to use the folder as a dataset."
    )
