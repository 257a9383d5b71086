"""The sheet that writes a folder of evidence: its options, its progress, and its result."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QVBoxLayout, QWidget

from studio.api import Option
from studio.features.evidence.results import EvidenceResult
from studio.gui import figures
from studio.gui.forms.form import Form
from studio.gui.pages.shared.stage_page import JobStrip
from studio.gui.theme import Theming
from studio.gui.widgets.basics import GRID, Card, button, label, row
from studio.gui.widgets.sheet import Sheet

_FIELDS = ("app", "events", "out", "sign", "by", "samples", "explanations", "with_model")
_TEXT = (
    "The folder has the dossier as HTML and PDF, the model card and bills of materials. Each "
    "figure has its source, and a list names all files. Quality, robustness and explanations are "
    "measured for it. With the folder of an app, they are about the app with this model."
)


class ExportSheet(Sheet):
    """Where the folder goes, who signs it, and what was written.

    Signals:
        started: The user has started the export.
    """

    started = Signal()

    def __init__(self, page: QWidget, theming: Theming, options: Iterable[Option]) -> None:
        super().__init__(page, theming, ("Export",))
        self.steps.hide()
        self.title.setText("Export evidence")
        self.back.setText("Close")
        self.back.setAccessibleName("Close the sheet")
        by_name = {one.name: one for one in options}
        self.form = Form([by_name[name] for name in _FIELDS if name in by_name])
        self.strip = JobStrip()
        self.result = Card()
        self._summary = label("", "section", wrap=True)
        self._detail = label("", "dim", wrap=True)
        self._folder = ""
        self.open_button = button("Open folder", self._open_folder)
        self.result.body.addWidget(self._summary)
        self.result.body.addWidget(self._detail)
        self.result.body.addLayout(row(self.open_button, None))
        self.problem = label("", tone="bad", wrap=True)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2 * GRID)
        column.addWidget(label(_TEXT, "dim", wrap=True))
        for widget in (self.form, self.strip, self.problem, self.result):
            column.addWidget(widget)
        self.add_step(content)
        self.back.clicked.connect(lambda: self.close_sheet())
        self.primary.clicked.connect(lambda: self._start())
        self.form.submitted.connect(self.primary.click)

    def open_for(self, folder: Path, reason: str) -> None:
        """Open the sheet with a proposed folder."""
        if not self.strip.running:
            self.result.hide()
            self.problem.hide()
            self.form.set_values({"out": str(folder)})
        self.explain(reason)
        self.show_step(0)
        self.open_sheet()

    def values(self) -> dict[str, Any]:
        """Return the options of the step, without its subject."""
        return self.form.values()

    def explain(self, reason: str) -> None:
        """Enable the export, or disable it with the reason."""
        busy = "The evidence is being written." if self.strip.running else ""
        self.explain_primary("Export the evidence", busy or reason)

    def show_problem(self, text: str) -> None:
        """Show why nothing was written."""
        self.result.hide()
        self.problem.setText(text)
        self.problem.show()

    def show_result(self, result: EvidenceResult) -> None:
        """Show what was written."""
        self.problem.hide()
        self._folder = result.output
        counts = ", ".join(f"{result.count(one)} {one}" for one in ("present", "asked", "missing"))
        self._summary.setText(f"Evidence about {result.subject.title} is written.")
        signed = "signed" if result.signed else "not signed"
        self._detail.setText(
            f"Sections: {counts}. {figures.count(result.figures, 'figure')}, "
            f"{figures.count(len(result.files), 'file')}, {signed}.\n{result.output}\n"
            f"SHA-256 of the list of files: {result.digest}"
        )
        self.result.setAccessibleName(self._summary.text())
        self.result.show()

    def _start(self) -> None:
        if self.form.check():
            self.result.hide()
            self.problem.hide()
            self.started.emit()

    def _open_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(self._folder))
