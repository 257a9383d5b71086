"""Folders of evidence on the page: the sheets that write and verify them, with their jobs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QWidget

from studio.evidence.results import EvidenceResult, VerifyResult
from studio.gui.pages.evidence.export_sheet import ExportSheet
from studio.gui.pages.evidence.verify_sheet import VerifySheet
from studio.gui.shell import Shell

if TYPE_CHECKING:
    from studio.workspace import JobOutcome, VariantRecord, Workspace

EXPORT, VERIFY = "evidence", "evidence-verify"


class EvidenceFolders:
    """The two sheets over the page."""

    def __init__(self, page: QWidget, workspace: Workspace, shell: Shell) -> None:
        self._shell = shell
        self._variant: VariantRecord | None = None
        self.exporting = ExportSheet(page, shell.theming, workspace.steps[EXPORT].form)
        self.verifying = VerifySheet(page, shell.theming)
        self.exporting.started.connect(self._export)
        self.exporting.strip.finished.connect(self._exported)
        self.verifying.started.connect(lambda _: self._verify())
        self.verifying.strip.finished.connect(self._verified)

    def open_export(self, variant: VariantRecord, reason: str) -> None:
        """Open the sheet of the export for a variant."""
        self._variant = variant
        name = f"{variant.model_name}-{variant.name}-evidence"
        self.exporting.open_for(Path.home() / name, reason)

    def open_verification(self) -> None:
        """Open the sheet that verifies a folder."""
        self.verifying.open_empty()

    def on_event(self, event: object) -> None:
        """Follow the jobs."""
        self.exporting.strip.on_event(event)
        self.verifying.strip.on_event(event)

    def _export(self) -> None:
        variant = self._variant
        if variant is None or self.exporting.strip.running:
            return
        options = _texts(self.exporting.values())
        job = self._shell.start(EXPORT, model=f"#{variant.id}", **options)
        self.exporting.strip.follow(job)
        self.exporting.explain("")

    def _exported(self, outcome: JobOutcome) -> None:
        if outcome.ok and isinstance(outcome.result, EvidenceResult):
            self.exporting.show_result(outcome.result)
            title = outcome.result.subject.title
            self._shell.notify(f"The evidence about {title} is written.", "good")
        else:
            self.exporting.show_problem(f"{outcome.sentence} {outcome.hint}".strip())
        self.exporting.explain("")

    def _verify(self) -> None:
        self.verifying.strip.follow(self._shell.start(VERIFY, **self.verifying.options()))
        self.verifying.explain()

    def _verified(self, outcome: JobOutcome) -> None:
        if isinstance(outcome.result, VerifyResult):
            self.verifying.show_result(outcome.result)
        else:
            self.verifying.show_problem(f"{outcome.sentence} {outcome.hint}".strip())
        self.verifying.explain()


def _texts(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return options with paths as texts, as steps take them."""
    return {name: str(one) if isinstance(one, Path) else one for name, one in values.items()}
