"""Incidents of the current model: the list, the sheet of an entry, and what is saved."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from studio.features.evidence.incidents.results import (
    CLOSE,
    NOTE,
    OPEN,
    REPORT,
    IncidentExport,
    IncidentResult,
)
from studio.features.evidence.pages.evidence.page import INCIDENTS_VIEW, EvidencePage
from studio.features.evidence.survey.facade import Evidence
from studio.workspace import VariantRecord
from tests.features.evidence.pages.evidence.outcomes import failed, succeeded
from tests.gui.page_rig import Rig, texts, visible_texts


@pytest.fixture
def filled(rig: Rig, variant: VariantRecord) -> EvidencePage:
    """The page of a model with two incidents."""
    files = rig.workspace.service(Evidence).incidents
    files.open("digits", "Old", "x", "Ada", "2026-11-01", "2026-11-02", "death")
    files.report("digits", 1, "Sent.", "Bo", "Authority", "2026-11-05")
    files.open("digits", "New", "An 8 was a 3.", "Ada", "2026-11-03", kind="health")
    page = rig.page(EvidencePage, variant)
    page.show_view(INCIDENTS_VIEW)
    return page


def fill(page: EvidencePage, title: str = "A wrong reading") -> None:
    sheet = page.incidents.sheet
    sheet.heading.setText(title)
    sheet.text.setPlainText("An 8 was a 3.")
    sheet.author.setText("Ada")


def test_without_incidents_the_page_offers_to_open_one(page: EvidencePage) -> None:
    page.show_view(INCIDENTS_VIEW)
    assert "No incidents" in visible_texts(page)
    page.incidents.view.hint.button.click()
    assert page.incidents.sheet.isVisible()


def test_the_newest_incident_is_first_with_its_clock(filled: EvidencePage) -> None:
    rows = texts(filled.incidents.view.table)
    assert [row[1] for row in rows] == ["New", "Old"]
    assert rows[0][5] == "15 d left"
    assert rows[1][5] == "reported 2026-11-05"
    shown = visible_texts(filled.incidents.view.detail)
    assert "An 8 was a 3." in [row[3] for row in texts(filled.incidents.view.entries)]
    assert "The registry has no release of this model" in shown


def test_another_row_shows_its_entries(filled: EvidencePage) -> None:
    view = filled.incidents.view
    view.table.selectRow(1)
    assert view.detail.heading.text() == "1  Old"
    assert [row[1] for row in texts(view.entries)] == ["open", "report"]


def test_the_sheet_starts_the_step_with_what_was_written(page: EvidencePage, rig: Rig) -> None:
    page.incidents.open_sheet(OPEN)
    sheet = page.incidents.sheet
    assert not sheet.primary.isEnabled()
    fill(page)
    sheet.kinds.setCurrentIndex(sheet.kinds.findData("death"))
    sheet.primary.click()
    (job,) = rig.shell.jobs
    assert job.step == "incident-open"
    today = datetime.now(UTC).date().isoformat()
    assert job.options["kind"] == "death"
    assert job.options["happened"].startswith(today)
    assert job.options["aware"] == today
    assert job.options["title"] == "A wrong reading"
    assert job.options["by"] == "Ada"


@pytest.mark.parametrize(
    ("step", "wanted"),
    [
        (NOTE, {"number", "text", "by"}),
        (REPORT, {"number", "text", "by", "to", "on"}),
        (CLOSE, {"number", "text", "by"}),
    ],
)
def test_each_step_about_an_incident_has_its_fields(
    filled: EvidencePage, rig: Rig, step: str, wanted: set[str]
) -> None:
    filled.incidents.open_sheet(step)
    fill(filled)
    filled.incidents.sheet.authority.setText("Authority")
    filled.incidents.sheet.primary.click()
    assert rig.shell.jobs[-1].step == f"incident-{step}"
    assert set(rig.shell.jobs[-1].options) == {"model", *wanted}
    assert rig.shell.jobs[-1].options["number"] == 2


def test_a_saved_entry_closes_the_sheet_and_is_selected(filled: EvidencePage, rig: Rig) -> None:
    filled.incidents.open_sheet(OPEN)
    fill(filled)
    filled.incidents.sheet.primary.click()
    files = rig.workspace.service(Evidence).incidents
    saved = files.open("digits", "Third", "x", "Ada", "2026-11-04", kind="death")
    outcome = succeeded(IncidentResult("digits", saved))
    rig.finish(filled, outcome)
    assert not filled.incidents.sheet.isVisible()
    assert rig.shell.said[-1].startswith("Incident 3: Report due by")
    filled.refresh()
    current = filled.incidents.view.current
    assert current is not None
    assert current.number == 3


def test_an_entry_that_was_not_saved_stays_in_the_sheet(page: EvidencePage, rig: Rig) -> None:
    page.incidents.open_sheet(OPEN)
    fill(page)
    page.incidents.sheet.primary.click()
    rig.finish(page, failed("The file was altered."))
    assert page.incidents.sheet.isVisible()
    assert page.incidents.sheet.problem.text() == "The file was altered."
    assert page.incidents.sheet.text.toPlainText() == "An 8 was a 3."


def test_a_closed_incident_cannot_be_closed_again(filled: EvidencePage, rig: Rig) -> None:
    rig.workspace.service(Evidence).incidents.add("digits", 2, "close", "A lamp.", "Ada")
    filled.refresh()
    view = filled.incidents.view
    assert not view.close_button.isEnabled()
    assert view.close_button.toolTip() == "The incident is closed already."
    assert view.note.isEnabled()


def test_an_export_goes_into_a_new_folder(filled: EvidencePage, rig: Rig, tmp_path: Path) -> None:
    filled.incidents.export_to(tmp_path)
    job = rig.shell.jobs[-1]
    assert job.step == "incident-export"
    assert job.options["out"] == str(tmp_path / "digits-incident-2")
    result = IncidentExport("digits", 2, job.options["out"], ())
    rig.finish(filled, succeeded(result))
    assert rig.shell.said[-1] == f"The incident is written to {job.options['out']}."


def test_the_section_of_the_dossier_leads_to_the_incidents(filled: EvidencePage) -> None:
    filled.open_section("incidents")
    filled.dossier_content.went.emit("incidents")
    assert filled.stack.currentIndex() == INCIDENTS_VIEW


def test_names_for_a_screen_reader(filled: EvidencePage) -> None:
    filled.incidents.open_sheet(REPORT)
    sheet = filled.incidents.sheet
    assert sheet.authority.accessibleName() == "Authority"
    assert sheet.day.accessibleName() == "Day of the report"
    assert filled.incidents.view.table.accessibleName() == "Incidents"
