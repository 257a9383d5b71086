"""Folders of evidence and the notice on the page: their sheets, with their jobs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.features.evidence.notice.results import NoticeResult
from studio.features.evidence.pages.evidence.export_sheet import ExportSheet
from studio.features.evidence.pages.evidence.notice_sheet import NoticeSheet
from studio.features.evidence.pages.evidence.verify_sheet import VerifySheet
from studio.features.evidence.results import EvidenceResult, VerifyResult
from studio.gui.pages.shared.stage_page import StagePage
from studio.gui.shell import Shell

if TYPE_CHECKING:
    from studio.workspace import JobOutcome, VariantRecord, Workspace

EXPORT, VERIFY = "evidence", "evidence-verify"
NOTICE = "evidence-notice"


class EvidenceFolders:
    """The three sheets over the page."""

    def __init__(self, page: StagePage, workspace: Workspace, shell: Shell) -> None:
        self._page = page
        self._shell = shell
        self._variant: VariantRecord | None = None
        self.exporting = ExportSheet(page, shell.theming, workspace.steps[EXPORT].form)
        self.verifying = VerifySheet(page, shell.theming)
        self.noticing = NoticeSheet(page, shell.theming, workspace.steps[NOTICE].form)
        self.noticing.started.connect(lambda: self._notice(_texts(self.noticing.values())))
        self.noticing.strip.finished.connect(self._noticed)
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

    def open_notice(self) -> None:
        """Open the sheet with the notice of the current variant, and make its preview."""
        variant = self._page.variant
        if variant is None:
            return
        self._variant = variant
        self.noticing.open_for(Path.home() / f"{variant.model_name}-notice")
        self._notice({})

    def on_event(self, event: object) -> None:
        """Follow the jobs."""
        self.exporting.strip.on_event(event)
        self.verifying.strip.on_event(event)
        self.noticing.strip.on_event(event)

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

    def _notice(self, options: Mapping[str, Any]) -> None:
        if self._variant is not None and not self.noticing.strip.running:
            job = self._shell.start(NOTICE, model=f"#{self._variant.id}", **options)
            self.noticing.strip.follow(job)
            self.noticing.explain()

    def _noticed(self, outcome: JobOutcome) -> None:
        if outcome.ok and isinstance(outcome.result, NoticeResult):
            self.noticing.show_result(outcome.result)
        else:
            self.noticing.show_problem(f"{outcome.sentence} {outcome.hint}".strip())
        self.noticing.explain()

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
