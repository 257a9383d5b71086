"""The sheet that verifies a folder of evidence: altered files and differing figures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog, QFrame, QVBoxLayout, QWidget

from studio.features.evidence.results import NOT_POSSIBLE, VerifyResult
from studio.gui import figures
from studio.gui.pages.shared.stage_page import JobStrip, StateRow, StateRows
from studio.gui.theme import Theming
from studio.gui.widgets.basics import GRID, Card, Pill, button, label, restyle, row
from studio.gui.widgets.drops import FileDrops
from studio.gui.widgets.sheet import Sheet

_MOST = 40
_TEXT = (
    "Each file is compared with the list of the folder, and its signature is checked. Each figure "
    "is computed again from the records in the folder."
)


class VerifySheet(Sheet):
    """A place for a folder, and the outcome of its verification.

    Signals:
        started: The folder to verify.
    """

    started = Signal(str)

    def __init__(self, page: QWidget, theming: Theming) -> None:
        super().__init__(page, theming, ("Verify",))
        self.steps.hide()
        self.title.setText("Verify evidence")
        self.back.setText("Close")
        self.back.setAccessibleName("Close the sheet")
        self.zone = QFrame()
        self.zone.setProperty("role", "drop")
        self.zone.setAccessibleName("Drop a folder of evidence here")
        self.choose = button("Choose a folder…", self._choose)
        self.signers = button("Allowed signers…", self._choose_signers, "link")
        self._signers = ""
        self._folder = ""
        inner = QVBoxLayout(self.zone)
        inner.setContentsMargins(2 * GRID, 3 * GRID, 2 * GRID, 3 * GRID)
        text = label("Drop a folder of evidence here", "section")
        inner.addWidget(text, 0, Qt.AlignmentFlag.AlignHCenter)
        inner.addLayout(row(None, self.choose, None))
        self.strip = JobStrip()
        self.problem = label("", tone="bad", wrap=True)
        self.result = Card()
        self.verdict = Pill("")
        self.summary = label("", "section", wrap=True)
        self.detail = label("", "dim", wrap=True)
        self.rows = StateRows("Altered files and differing figures")
        head = row(self.verdict, self.summary, spacing=GRID + 4)
        head.setStretch(1, 1)
        self.result.body.addLayout(head)
        self.result.body.addWidget(self.detail)
        self.result.body.addWidget(self.rows)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2 * GRID)
        column.addWidget(label(_TEXT, "dim", wrap=True))
        column.addWidget(self.zone)
        column.addLayout(row(self.signers, None))
        for widget in (self.strip, self.problem, self.result):
            column.addWidget(widget)
        self.add_step(content)
        self._drops = FileDrops(self.zone, self._dropped)
        self._drops.dragged.connect(lambda files: restyle(self.zone, lit=bool(files)))
        self.back.clicked.connect(lambda: self.close_sheet())
        self.primary.clicked.connect(lambda: self._verify(self._folder))

    def open_empty(self) -> None:
        """Open the sheet; an earlier outcome stays as long as its folder is the same."""
        if not self._folder:
            self.result.hide()
            self.problem.hide()
        self.explain()
        self.show_step(0)
        self.open_sheet()

    def options(self) -> dict[str, Any]:
        """Return the options of the step."""
        given = {"folder": self._folder}
        return given | ({"signers": self._signers} if self._signers else {})

    def explain(self) -> None:
        """Name what the primary button does, or why it cannot."""
        busy = "The folder is being verified." if self.strip.running else ""
        self.explain_primary(
            "Verify again" if self._folder else "Verify",
            busy or ("" if self._folder else "Choose a folder of evidence."),
        )

    def show_problem(self, text: str) -> None:
        """Show why the folder could not be verified."""
        self.result.hide()
        self.problem.setText(text)
        self.problem.show()

    def show_result(self, result: VerifyResult) -> None:
        """Show the outcome."""
        self.problem.hide()
        self.verdict.show_state(
            "holds" if result.holds else "does not hold", "good" if result.holds else "bad"
        )
        self.summary.setText(f"Evidence about {result.subject.title}")
        self.detail.setText(summary_of(result))
        self.rows.show_rows(rows_of(result))
        self.rows.setVisible(bool(self.rows.rows))
        self.result.setAccessibleName(f"{self.summary.text()}: {self.verdict.text()}")
        self.result.show()

    def _verify(self, folder: str) -> None:
        if folder and not self.strip.running:
            self._folder = folder
            self.result.hide()
            self.problem.hide()
            self.started.emit(folder)
            self.explain()

    def _dropped(self, files: Sequence[Path]) -> None:
        first = files[0]
        self._verify(str(first if first.is_dir() else first.parent))

    def _choose(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Folder of evidence", self._folder)
        if chosen:
            self._verify(chosen)

    def _choose_signers(self) -> None:
        chosen, _filter = QFileDialog.getOpenFileName(self, "Allowed signers")
        if chosen:
            self._signers = chosen
            self.signers.setText(f"Signers: {Path(chosen).name}")


def summary_of(result: VerifyResult) -> str:
    """Return the number of recomputed figures, and who signed."""
    of = len(result.figures)
    text = f"{result.recomputed} of {figures.count(of, 'figure')} computed again with equal values."
    signature = {
        "valid": f"Signed by {result.signer}.",
        "unnamed": f"The signature fits. It is by a key that you have not named: {result.key}.",
        "none": "Not signed.",
    }.get(result.signature, "The signature is not valid.")
    return f"{text} {signature}\n{result.folder}"


def rows_of(result: VerifyResult) -> list[StateRow]:
    """Return a row for each altered file, differing figure, and figure without a check."""
    rows = [StateRow(one.what, "bad", one.path, "file") for one in result.altered]
    for one in result.differing:
        found = "nothing" if one.found is None else f"{one.found:.6g}"
        rows.append(StateRow("differs", "bad", one.id, f"{one.value:.6g}, computed {found}"))
    rows += [
        StateRow("not computed", "warning", one.id, one.why)
        for one in result.figures
        if one.state == NOT_POSSIBLE
    ]
    return rows[:_MOST]
