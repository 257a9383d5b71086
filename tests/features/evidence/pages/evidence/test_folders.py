"""Export and verification on the Evidence page."""

from __future__ import annotations

from pathlib import Path

from studio.features.evidence.pages.evidence.page import EvidencePage
from studio.features.evidence.results import (
    Alteration,
    AssessedVersion,
    CheckedFigure,
    EvidenceResult,
    Section,
    VerifyResult,
)
from studio.workspace import VariantRecord
from tests.features.evidence.pages.evidence.outcomes import failed, succeeded
from tests.gui.page_rig import Rig, visible_texts

SUBJECT = AssessedVersion("digits", "fp32", "0" * 64, 2)


def verified(*altered: Alteration) -> VerifyResult:
    """A folder with a figure that differs and one that cannot be computed."""
    figures = (
        CheckedFigure("quality", "recomputed", 0.9, 0.9),
        CheckedFigure("quality.low", "differs" if altered else "recomputed", 0.9, 0.8),
        CheckedFigure("energy", "not possible", 1.0, why="no sensor"),
    )
    return VerifyResult("/evidence", SUBJECT, "0" * 64, figures, 1, altered)


def test_the_export_starts_with_its_options(
    page: EvidencePage, rig: Rig, variant: VariantRecord, tmp_path: Path
) -> None:
    page.open_export()
    sheet = page.folders.exporting
    assert sheet.isVisible()
    proposed = sheet.values()["out"]
    assert Path(proposed).name == "digits-fp32-evidence"
    sheet.form.set_values({"out": str(tmp_path / "evidence")})
    sheet.primary.click()
    job = rig.shell.jobs[-1]
    assert job.step == "evidence"
    assert job.options["model"] == f"#{variant.id}"
    assert job.options["out"] == str(tmp_path / "evidence")
    assert not sheet.primary.isEnabled()
    rig.progress(page, 1, 2, "Running the samples")
    assert "Running the samples" in sheet.strip.text.full_text()
    sheet.strip.cancel.click()
    assert job.cancelled


def test_a_written_folder_is_counted(page: EvidencePage, rig: Rig) -> None:
    page.open_export()
    page.folders.exporting.primary.click()
    sections = (Section("a", "A", "present"), Section("b", "B", "missing"))
    result = EvidenceResult(SUBJECT, sections, ("x", "y"), "ab" * 32, 12, "/evidence", True)
    rig.finish(page, succeeded(result))
    text = visible_texts(page.folders.exporting.result)
    assert "Evidence about digits:2 is written." in text
    assert "1 present, 0 asked, 1 missing. 12 figures, 2 files, signed." in text
    assert "Open folder" in text
    assert rig.shell.said == ["The evidence about digits:2 is written."]


def test_a_failed_export_says_why(page: EvidencePage, rig: Rig) -> None:
    page.open_export()
    page.folders.exporting.primary.click()
    rig.finish(page, failed("The folder is not empty."))
    assert page.folders.exporting.problem.text() == "The folder is not empty."
    assert not page.folders.exporting.result.isVisible()


def test_a_dropped_folder_is_verified(page: EvidencePage, rig: Rig, tmp_path: Path) -> None:
    page.open_verification()
    sheet = page.folders.verifying
    assert sheet.primary.toolTip() == "Choose a folder of evidence."
    sheet._dropped([tmp_path])
    assert rig.shell.jobs[-1].step == "evidence-verify"
    assert rig.shell.jobs[-1].options == {"folder": str(tmp_path)}
    rig.finish(page, succeeded(verified()))
    assert sheet.verdict.text() == "does not hold"
    assert "1 of 3 figures computed again with equal values. Not signed." in sheet.detail.text()
    assert [(one.state, one.name) for one in sheet.rows.rows] == [("not computed", "energy")]


def test_altered_files_and_differing_figures_are_listed(
    page: EvidencePage, rig: Rig, tmp_path: Path
) -> None:
    page.open_verification()
    page.folders.verifying._dropped([tmp_path])
    rig.finish(page, succeeded(verified(Alteration("figures.json", "changed"))))
    sheet = page.folders.verifying
    assert sheet.verdict.state == ("does not hold", "bad")
    rows = [(one.state, one.name, one.text) for one in sheet.rows.rows]
    assert rows[0] == ("changed", "figures.json", "file")
    assert rows[1] == ("differs", "quality.low", "0.9, computed 0.8")


def test_a_folder_without_evidence_is_a_sentence(
    page: EvidencePage, rig: Rig, tmp_path: Path
) -> None:
    page.open_verification()
    page.folders.verifying._dropped([tmp_path])
    rig.finish(page, failed("The folder has no evidence.json."))
    assert page.folders.verifying.problem.text() == "The folder has no evidence.json."
    assert page.folders.verifying.primary.text() == "Verify again"
