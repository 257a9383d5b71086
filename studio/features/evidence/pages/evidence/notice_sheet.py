"""The sheet with the notice for users: its preview, its address, and the export."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QTextBrowser, QVBoxLayout, QWidget

from studio.api import Option
from studio.features.evidence.notice.results import NoticeResult
from studio.gui import figures
from studio.gui.forms.form import Form
from studio.gui.pages.shared.stage_page import JobStrip
from studio.gui.theme import Theming
from studio.gui.widgets.basics import GRID, button, label, row
from studio.gui.widgets.sheet import Sheet

_FIELDS = ("app", "url", "out")
_TEXT = (
    "A server shows this page at /about, without a token. Packaging puts its texts into the bundle."
)
_PREVIEW_HEIGHT = 320
_HEADINGS = "h1 { font-size: large; } h2 { font-size: medium; }"


class NoticeSheet(Sheet):
    """The notice that users of the model will read, with its preview and export.

    Signals:
        started: The user has started the export.
    """

    started = Signal()

    def __init__(self, page: QWidget, theming: Theming, options: Iterable[Option]) -> None:
        super().__init__(page, theming, ("Notice",))
        self.steps.hide()
        self.title.setText("Notice for users")
        self.back.setText("Close")
        self.back.setAccessibleName("Close the sheet")
        self.preview = QTextBrowser()
        self.preview.setAccessibleName("Preview of the notice")
        self.preview.setOpenLinks(False)
        self.preview.document().setDefaultStyleSheet(_HEADINGS)
        framed = QWidget()  # the style sheet sets a least height of text fields themselves
        framed.setFixedHeight(_PREVIEW_HEIGHT)
        framed.setLayout(row(self.preview))
        self.open_label = label("", "dim", wrap=True)
        by_name = {one.name: one for one in options}
        self.form = Form([by_name[name] for name in _FIELDS if name in by_name])
        self.strip = JobStrip()
        self.problem = label("", tone="bad", wrap=True)
        self.written = label("", wrap=True)
        self.open_button = button("Open folder", self._open_folder)
        self._folder = ""
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2 * GRID)
        column.addWidget(label(_TEXT, "dim", wrap=True))
        for widget in (framed, self.open_label, self.form, self.strip, self.problem):
            column.addWidget(widget)
        column.addWidget(self.written)
        column.addLayout(row(self.open_button, None))
        self.add_step(content)
        self.back.clicked.connect(lambda: self.close_sheet())
        self.primary.clicked.connect(lambda: self._start())
        self.form.submitted.connect(self.primary.click)

    def open_for(self, folder: Path) -> None:
        """Open the sheet with a proposed folder, before its preview is made."""
        if not self.strip.running:
            self._show_written("")
            self.problem.hide()
            self.preview.clear()
            self.open_label.setText("")
            self.form.set_values({"out": str(folder)})
        self.explain()
        self.show_step(0)
        self.open_sheet()

    def values(self) -> dict[str, Any]:
        """Return the options of the step, without its subject."""
        return self.form.values()

    def explain(self) -> None:
        """Enable the export, or disable it with the reason."""
        busy = "The notice is being made." if self.strip.running else ""
        self.explain_primary("Export the notice", busy)

    def show_problem(self, text: str) -> None:
        """Show why there is no notice."""
        self.problem.setText(text)
        self.problem.show()

    def show_result(self, result: NoticeResult) -> None:
        """Show the page, the open questions, and what was written."""
        self.problem.hide()
        self.preview.setHtml(_without_style(result.page))
        count = len(result.open)
        questions = figures.count(count, "question")
        self.open_label.setText(f"{questions} open: {', '.join(result.open)}." if count else "")
        files = ", ".join(result.files)
        self._folder = result.output
        self._show_written(f"{files} are in {result.output}." if result.output else "")

    def _show_written(self, text: str) -> None:
        self.written.setText(text)
        self.written.setVisible(bool(text))
        self.open_button.setVisible(bool(text))

    def _start(self) -> None:
        if self.form.check():
            self._show_written("")
            self.problem.hide()
            self.started.emit()

    def _open_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(self._folder))


def _without_style(page: str) -> str:
    """Return the body of a page, which then has the colours of the window."""
    begin, end = page.find("<main>"), page.rfind("</main>")
    return page[begin:end]
