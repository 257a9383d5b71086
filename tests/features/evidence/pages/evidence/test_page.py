"""The Evidence page: sections and their states, answers, and what its buttons start."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from studio.api import StudioError
from studio.features.evidence.pages.evidence.page import (
    CARD_VIEW,
    DOSSIER_VIEW,
    EXPLANATIONS_VIEW,
    GROUPS_VIEW,
    OVERVIEW_VIEW,
    EvidencePage,
)
from studio.features.evidence.survey.facade import Evidence
from studio.workspace import VariantRecord
from tests.features.evidence.pages.evidence.outcomes import failed, succeeded
from tests.gui.page_rig import Rig, visible_texts


def listed(page: EvidencePage) -> dict[str, str]:
    """The sections of the overview with their accessible texts."""
    found = page.overview.list
    items = (found.item(place) for place in range(found.count()))
    return {
        one.text(): str(one.data(Qt.ItemDataRole.AccessibleTextRole) or "") for one in items if one
    }


def test_sections_have_states_in_words(page: EvidencePage) -> None:
    texts = listed(page)
    assert texts["Model summary"] == "Model summary: present. from the file"
    assert texts["Human oversight"] == "Human oversight: asked. for the deployer"
    assert texts["Quality by group"].startswith("Quality by group: missing.")
    assert "Model card" in texts
    assert "Dossier" in texts


def test_the_pills_count_all_sections(page: EvidencePage) -> None:
    assert page.survey is not None
    counts = [int(pill.text().split()[0]) for pill in page.pills.values()]
    assert sum(counts) == len(page.survey.sections)
    assert page.pills["asked"].accessibleName() == f"{counts[1]} sections asked"


def test_commands_of_the_terminal_are_no_notes_of_the_window(page: EvidencePage) -> None:
    assert page.survey is not None
    assert not [one.note for one in page.survey.sections.values() if ": studio" in one.note]


def test_the_primary_writes_the_next_open_section(page: EvidencePage) -> None:
    assert page.primary is not None
    assert page.primary.text() == "Write Provider and contact →"
    assert page.primary.accessibleName() == "Write Provider and contact"
    page.select("oversight.human")
    assert page.primary.text() == "Write Human oversight →"
    page.select("model.summary")
    assert page.primary.text() == "Write Provider and contact →"


def test_an_answer_is_saved_by_a_step(page: EvidencePage, rig: Rig, variant: VariantRecord) -> None:
    page.write("oversight.human")
    sheet = page.answers.sheet
    assert sheet.isVisible()
    assert not sheet.primary.isEnabled()
    assert sheet.primary.toolTip() == "Write an answer."
    sheet.text.setPlainText("  The ward lead.  ")
    sheet.author.setText("Ada")
    sheet.primary.click()
    job = rig.shell.jobs[-1]
    assert job.step == "evidence-answer"
    assert job.options == {
        "model": f"#{variant.id}",
        "subject": "oversight.human",
        "text": "The ward lead.",
        "by": "Ada",
    }
    assert not sheet.primary.isEnabled()
    rig.workspace.service(Evidence).forms.answer(
        "digits", "oversight.human", "The ward lead.", "Ada"
    )
    rig.finish(page, succeeded(None))
    assert not sheet.isVisible()
    assert rig.shell.said == ["Human oversight is saved."]
    assert listed(page)["Human oversight"].startswith("Human oversight: present. written by Ada")
    assert page.primary is not None
    assert "Human oversight" not in page.primary.text()


def test_a_failed_answer_stays_in_the_sheet(page: EvidencePage, rig: Rig) -> None:
    page.write("intended.use")
    sheet = page.answers.sheet
    sheet.text.setPlainText("Digits")
    sheet.primary.click()
    rig.finish(page, failed("The form of this model is full."))
    assert sheet.isVisible()
    assert sheet.problem.text() == "The form of this model is full."
    assert sheet.answer() == "Digits"
    assert sheet.primary.isEnabled()


def test_a_person_is_asked_by_a_step(page: EvidencePage, rig: Rig) -> None:
    page.write("oversight.human")
    sheet = page.answers.sheet
    assert sheet.request.toolTip() == "Enter the name of a person."
    sheet.person.setText("Ward lead")
    sheet.request.click()
    job = rig.shell.jobs[-1]
    assert job.step == "evidence-request"
    assert job.options["of"] == "Ward lead"
    rig.workspace.service(Evidence).forms.request("digits", "oversight.human", "Ward lead")
    rig.finish(page, succeeded(None))
    assert "requested from Ward lead, just now" in listed(page)["Human oversight"]


@pytest.mark.parametrize(
    ("name", "expected"), [("role.legal", "provider or developer"), ("risk.date", None)]
)
def test_choices_and_dates_have_fields(page: EvidencePage, name: str, expected: str | None) -> None:
    page.write(name)
    sheet = page.answers.sheet
    assert not sheet.text.isVisible()
    assert sheet.primary.isEnabled()
    if expected is not None:
        assert sheet.answer() == expected
    else:
        assert sheet.answer() == sheet.day.date().toString("yyyy-MM-dd")


def test_escape_closes_the_sheet(page: EvidencePage) -> None:
    page.write("intended.use")
    QTest.keyClick(page.answers.sheet, Qt.Key.Key_Escape)
    assert not page.answers.sheet.isVisible()


def test_a_section_opens_in_its_document(page: EvidencePage) -> None:
    page.open_section("intended.use")
    assert page.stack.currentIndex() == CARD_VIEW
    page.show_view(OVERVIEW_VIEW)
    page.open_section("standards.applied")
    assert page.stack.currentIndex() == DOSSIER_VIEW
    assert "Standards applied" in visible_texts(page.dossier_content)


def test_enter_opens_the_selected_section(page: EvidencePage) -> None:
    page.overview.list.select("intended.use")
    QTest.keyClick(page.overview.list, Qt.Key.Key_Return)
    assert page.stack.currentIndex() == CARD_VIEW


def test_missing_records_lead_to_where_they_are_made(page: EvidencePage, rig: Rig) -> None:
    page.open_section("quality.groups")
    page.card_content.went.emit("groups")
    assert page.stack.currentIndex() == GROUPS_VIEW
    page.card_content.went.emit("profile")
    assert rig.shell.went == ["profile"]


def test_steps_start_with_their_settings(
    page: EvidencePage, rig: Rig, variant: VariantRecord
) -> None:
    page.grouping.by.setText("label, brightness:3")
    page.measure_groups()
    assert page.stack.currentIndex() == GROUPS_VIEW
    job = rig.shell.jobs[-1]
    assert job.step == "groups"
    assert job.options["by"] == ["label", "brightness:3"]
    assert job.options["model"] == f"#{variant.id}"
    assert page.grouping.measure.toolTip() == "The measurement is running."
    page.measure_robustness()
    assert rig.shell.jobs[-1].step == "robustness"
    page.explain_samples()
    assert page.stack.currentIndex() == EXPLANATIONS_VIEW
    assert rig.shell.jobs[-1].step == "explain"
    assert rig.shell.jobs[-1].options["sample"] == ["0, 1, 2, 3"]


def test_without_a_model_all_models_are_offered(rig: Rig) -> None:
    page = rig.page(EvidencePage)
    assert page.primary is not None
    assert page.primary.toolTip() == "Open a model first."
    assert "No model open" in visible_texts(page)
    page._show_models()
    assert rig.shell.went == ["responsible"]


def test_a_damaged_form_is_an_error_with_a_reason(
    rig: Rig, variant: VariantRecord, tmp_path: Path
) -> None:
    file = rig.workspace.service(Evidence).forms.file("digits")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("{", encoding="utf-8")
    page = rig.page(EvidencePage, variant)
    assert isinstance(rig.shell.failed[0], StudioError)
    assert page.primary is not None
    assert "is not a form of answers" in page.primary.toolTip()
    assert page.survey is None


def test_another_variant_forgets_the_selection(page: EvidencePage, rig: Rig) -> None:
    page.select("oversight.human")
    page.grouping.by.setText("label")
    page.show_variant(rig.variant("int8"))
    assert page.grouping.by.text() == ""
    assert page.primary is not None
    assert page.primary.text() == "Write Provider and contact →"


def test_the_rail_gets_the_number_of_sections(page: EvidencePage, variant: VariantRecord) -> None:
    present, of = page.workspace.service(Evidence).counts[variant.id]
    assert page.survey is not None
    assert present == page.survey.count("present")
    assert of == len(page.survey.sections)


def test_a_narrow_page_keeps_the_views(page: EvidencePage) -> None:
    page.resize(876, 520)
    assert not page.pills["asked"].isVisible()
    assert page.primary is not None
    assert page.primary.isVisible()
    page.resize(1500, 700)
    assert page.pills["asked"].text().endswith("asked")
