"""The sheet with the notice for users: its preview, the export, and what goes wrong."""

from __future__ import annotations

from pathlib import Path

from studio.features.evidence.notice.results import NoticeResult
from studio.features.evidence.pages.evidence.page import EvidencePage
from studio.workspace import VariantRecord
from tests.features.evidence.pages.evidence.outcomes import failed, succeeded
from tests.gui.page_rig import Rig

PAGE = (
    "<!doctype html><html><head><style>p {}</style></head><body><main><h1>About digits</h1>"
    "<p>Reads &lt;b&gt;digits&lt;/b&gt;.</p></main></body></html>"
)


def result(output: str = "") -> NoticeResult:
    files = ("about.html", "about.json", "qr.svg") if output else ("about.html", "about.json")
    return NoticeResult("digits", {}, PAGE, ("appeal", "feedback"), files=files, output=output)


def test_the_preview_is_made_when_the_sheet_opens(
    page: EvidencePage, rig: Rig, variant: VariantRecord
) -> None:
    page.notice_link.click()
    sheet = page.folders.noticing
    job = rig.shell.jobs[-1]
    assert sheet.isVisible()
    assert job.step == "evidence-notice"
    assert job.options == {"model": f"#{variant.id}"}
    assert sheet.primary.toolTip() == "The notice is being made."
    rig.finish(page, succeeded(result()))
    assert "Reads <b>digits</b>." in sheet.preview.toPlainText()
    assert sheet.open_label.text() == "2 questions open: appeal, feedback."
    assert sheet.written.isHidden()
    assert sheet.primary.isEnabled()


def test_the_export_says_what_was_written(page: EvidencePage, rig: Rig, tmp_path: Path) -> None:
    page.notice_link.click()
    rig.finish(page, succeeded(result()))
    sheet = page.folders.noticing
    out = str(tmp_path / "notice")
    sheet.form.set_values({"out": out, "url": "https://ward.example/about"})
    sheet.primary.click()
    job = rig.shell.jobs[-1]
    assert job.options["url"] == "https://ward.example/about"
    assert job.options["out"] == out
    rig.finish(page, succeeded(result(out)))
    assert sheet.written.text() == f"about.html, about.json, qr.svg are in {out}."
    assert not sheet.open_button.isHidden()


def test_a_failure_stays_in_the_sheet(page: EvidencePage, rig: Rig) -> None:
    page.notice_link.click()
    rig.finish(page, failed("The address has a login, which everyone could read."))
    sheet = page.folders.noticing
    assert sheet.problem.text() == "The address has a login, which everyone could read."
    assert sheet.primary.isEnabled()


def test_without_a_model_nothing_opens(rig: Rig) -> None:
    page = rig.page(EvidencePage, None)
    page.folders.open_notice()
    assert not page.folders.noticing.isVisible()
    assert rig.shell.jobs == []


def test_the_export_takes_the_folder_of_an_app(
    page: EvidencePage, rig: Rig, tmp_path: Path
) -> None:
    (tmp_path / "app.toml").write_text("")
    page.open_export()
    sheet = page.folders.exporting
    sheet.form.set_values({"app": str(tmp_path), "out": str(tmp_path / "out")})
    sheet.primary.click()
    assert rig.shell.jobs[-1].options["app"] == str(tmp_path)
