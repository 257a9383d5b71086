"""Incidents on the page: the view with its sheet, and the jobs that record entries."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog, QWidget

from studio.features.evidence.incidents.results import OPEN
from studio.features.evidence.pages.evidence.incident_sheet import IncidentSheet
from studio.features.evidence.pages.evidence.incidents_view import IncidentsView
from studio.features.evidence.survey.facade import Evidence
from studio.gui.pages.shared.stage_page import JobStrip
from studio.gui.shell import Shell

if TYPE_CHECKING:
    from studio.features.evidence.survey.views import EvidenceSurvey
    from studio.workspace import JobOutcome, VariantRecord, Workspace

EXPORT = "incident-export"


class IncidentKeeper:
    """The view of incidents and what it saves.

    Attributes:
        view: The view.
        sheet: The sheet over the page.
    """

    def __init__(self, page: QWidget, workspace: Workspace, shell: Shell) -> None:
        self._page, self._workspace, self._shell = page, workspace, shell
        self._variant: VariantRecord | None = None
        self.view = IncidentsView()
        self.sheet = IncidentSheet(page, shell.theming)
        self._saving, self._exporting = JobStrip(), JobStrip()
        for strip in (self._saving, self._exporting):
            strip.setParent(self.sheet)
            strip.hide()
        self.view.wanted.connect(self.open_sheet)
        self.view.exported.connect(self.choose_folder)
        self.sheet.saved.connect(self._save)
        self._saving.finished.connect(self._saved)
        self._exporting.finished.connect(self._exported)

    def show_survey(self, variant: VariantRecord | None, survey: EvidenceSurvey | None) -> None:
        """Show the incidents of a model."""
        self._variant = variant
        self.view.show_incidents(survey.incidents if survey is not None else ())

    def on_event(self, event: object) -> None:
        """Follow the jobs."""
        self._saving.on_event(event)
        self._exporting.on_event(event)

    def open_sheet(self, what: str) -> None:
        """Open the sheet of an entry, such as ``open``."""
        if self._variant is not None:
            self.sheet.offer(self._workspace.service(Evidence).incident_kinds)
            self.sheet.open_for(what, None if what == OPEN else self.view.current)

    def choose_folder(self) -> None:
        """Choose where the folder for an authority goes."""
        chosen = QFileDialog.getExistingDirectory(
            self._page, "Export the incident into a folder", str(Path.home())
        )
        if chosen:
            self.export_to(Path(chosen))

    def export_to(self, folder: Path) -> None:
        """Write the selected incident into a new folder below one."""
        one = self.view.current
        if one is None or self._variant is None or self._exporting.running:
            return
        name = f"{self._variant.model_name}-incident-{one.number}"
        job = self._shell.start(
            EXPORT,
            model=f"#{self._variant.id}",
            number=one.number,
            out=str(folder / name),
        )
        self._exporting.follow(job)
        self._exporting.hide()

    def _save(self, what: str) -> None:
        if self._variant is None or self._saving.running:
            return
        model = f"#{self._variant.id}"
        job = self._shell.start(f"incident-{what}", model=model, **self.sheet.values())
        if self._saving.follow(job):
            self._saving.hide()  # the disabled button says it
            self.sheet.set_busy()

    def _saved(self, outcome: JobOutcome) -> None:
        if not outcome.ok:
            self.sheet.show_problem(f"{outcome.sentence} {outcome.hint}".strip())
            return
        self.sheet.close_sheet()
        one = outcome.result.incident
        self.view.select(one.number)
        self._shell.notify(f"Incident {one.number}: {one.clock.text}", "good")

    def _exported(self, outcome: JobOutcome) -> None:
        if outcome.ok:
            self._shell.notify(f"The incident is written to {outcome.result.output}.", "good")
        else:
            self._shell.notify(f"{outcome.sentence} {outcome.hint}".strip(), "bad")
