"""Answers of persons on the page: the sheet of a question, with the jobs that record them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from studio.features.evidence.pages.evidence.answer_sheet import AnswerSheet
from studio.gui.pages.shared.stage_page import JobStrip
from studio.gui.shell import Shell

if TYPE_CHECKING:
    from studio.features.evidence.survey.views import EvidenceSection
    from studio.workspace import JobOutcome, RunningJob

ANSWER, REQUEST = "evidence-answer", "evidence-request"


class AnswerSaver:
    """The sheet over the page, and what it saves.

    Attributes:
        sheet: The sheet.
    """

    def __init__(self, page: QWidget, shell: Shell) -> None:
        self._shell = shell
        self._model = ""
        self.sheet = AnswerSheet(page, shell.theming)
        self._saving, self._requesting = JobStrip(), JobStrip()
        for strip in (self._saving, self._requesting):
            strip.setParent(self.sheet)
            strip.hide()
        self.sheet.saved.connect(lambda *_: self._save())
        self.sheet.requested.connect(self._request)
        self._saving.finished.connect(lambda outcome: self._saved(outcome, "saved"))
        self._requesting.finished.connect(lambda outcome: self._saved(outcome, "requested"))

    def open_for(self, model: str, section: EvidenceSection) -> None:
        """Open the sheet for a section of a model, which is given as ``#NUMBER``."""
        self._model = model
        self.sheet.open_for(section)

    def on_event(self, event: object) -> None:
        """Follow the jobs."""
        self._saving.on_event(event)
        self._requesting.on_event(event)

    def _save(self) -> None:
        if not self._saving.running:
            job = self._shell.start(ANSWER, model=self._model, **self.sheet.values())
            self._follow(self._saving, job)

    def _request(self, name: str, person: str) -> None:
        if not self._requesting.running:
            job = self._shell.start(REQUEST, model=self._model, subject=name, of=person)
            self._follow(self._requesting, job)

    def _follow(self, strip: JobStrip, job: RunningJob | None) -> None:
        if strip.follow(job):
            strip.hide()  # the disabled button says it
            self.sheet.set_busy()

    def _saved(self, outcome: JobOutcome, word: str) -> None:
        if not outcome.ok:
            self.sheet.show_problem(f"{outcome.sentence} {outcome.hint}".strip())
            return
        section = self.sheet.section
        self.sheet.close_sheet()
        if section is not None:
            self._shell.notify(f"{section.title} is {word}.", "good")
