"""The form of a model: questions by their kinds, states, and the screening that is kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.api import Refused, StudioError, UsageError
from studio.features.evidence.form import texts
from studio.features.evidence.form.forms import EvidenceForms, answers_of
from studio.features.evidence.frameworks.questionnaire import questionnaire
from studio.features.evidence.frameworks.subjects import FORM, subjects
from studio.features.evidence.frameworks.use_screening import OUTCOMES
from studio.registry import Registry

NO = {one.id: "no" for one in questionnaire().questions}


@pytest.fixture
def forms(tmp_path: Path) -> Iterator[EvidenceForms]:
    registry = Registry.open(tmp_path / "data" / "registry")
    yield EvidenceForms(registry)
    registry.close()


def test_all_questions_are_open_at_first(forms: EvidenceForms) -> None:
    wanted = {one.id for one in subjects().values() if one.source == FORM}
    assert {one.id for one in forms.open_questions("digits")} == wanted
    assert {one.id for one in forms.open_questions(None)} == wanted
    assert set(forms.states("digits").values()) == {"asked"}


def test_a_half_filled_form_has_the_other_questions_open(forms: EvidenceForms) -> None:
    result = forms.answer("digits", "intended.use", "Reads digits", "Ada")
    states = forms.states("digits")
    assert states["intended.use"] == "present"
    assert states["limitations"] == "asked"
    assert result.open == len(states) - 1
    assert result.earlier == 0
    assert "intended.use" not in {one.id for one in forms.open_questions("digits")}
    assert set(forms.states("other").values()) == {"asked"}


def test_who_and_when_are_kept(forms: EvidenceForms) -> None:
    forms.answer("digits", "intended.use", "Reads digits", "Ada")
    result = forms.answer("digits", "intended.use", "Reads meters", "Bo")
    assert result.earlier == 1
    first, second = forms.of("digits").history("intended.use")
    assert (first.by, second.by) == ("Ada", "Bo")
    assert first.at <= second.at


def test_an_open_question_names_who_and_the_sections(forms: EvidenceForms) -> None:
    found = {one.id: one for one in forms.open_questions("digits")}
    assert found["oversight.human"].who == "deployer"
    assert "eu-ai-act:art-14" in found["oversight.human"].sections
    assert "iso-42001:annex-a.9.2" in found["oversight.human"].sections


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("quality.metrics", "0.9", "quality.metrics is answered by records, not by a person."),
        ("role.legal", "boss", "'boss' is no choice for role.legal."),
        ("risk.date", "yesterday", "'yesterday' is no day."),
        ("risk.date", "20261130", "'20261130' is no day."),
        ("risk.date", "2026-02-30", "'2026-02-30' is no day."),
        ("screen.education", "yes", "Unknown subject 'screen.education'"),
        ("intended.usage", "x", "Unknown subject 'intended.usage'; the nearest"),
    ],
)
def test_an_answer_that_does_not_fit_is_one_sentence(
    forms: EvidenceForms, name: str, text: str, expected: str
) -> None:
    with pytest.raises(UsageError) as caught:
        forms.answer("digits", name, text, "Ada")
    assert caught.value.message.startswith(expected)
    assert not forms.file("digits").exists()


def test_days_and_choices_are_kept(forms: EvidenceForms) -> None:
    forms.answer("digits", "risk.date", "2026-11-30", "Ada")
    forms.answer("digits", "role.legal", "deployer", "Ada")
    assert forms.of("digits").latest()["risk.date"].text == "2026-11-30"


@pytest.mark.parametrize("name", ["../x", "a/b", ".hidden", "", "a\nb"])
def test_a_name_leads_nowhere_else(forms: EvidenceForms, name: str) -> None:
    with pytest.raises(Refused):
        forms.of(name)


def test_the_screening_grows_with_its_answers(forms: EvidenceForms) -> None:
    assert forms.screen("digits", {}, "").outcome == "asked"
    assert not forms.file("digits").exists()
    first = forms.screen("digits", {"education": "no"}, "Ada")
    assert (first.outcome, first.answered, first.model) == ("asked", 1, "digits")
    assert forms.screen("digits", {**NO, "interaction": "yes"}, "Ada").outcome == "transparency"
    assert forms.screen("digits", {"education": "yes"}, "Bo").outcome == "high-risk"
    assert forms.screen("digits", {}, "").outcome == "high-risk"
    assert len(forms.of("digits").history("screen.education")) == 3


def test_a_wrong_answer_to_the_screening_keeps_nothing(forms: EvidenceForms) -> None:
    with pytest.raises(UsageError, match="'perhaps' is no answer"):
        forms.screen("digits", {"education": "no", "justice": "perhaps"}, "Ada")
    assert not forms.file("digits").exists()


def test_screening_answers_are_no_answers_of_the_dossier(forms: EvidenceForms) -> None:
    forms.screen("digits", NO, "Ada")
    assert set(forms.states("digits").values()) == {"asked"}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["education"], "'education' is no answer."),
        (["=yes"], "'=yes' is no answer."),
        (["education=no", "education=yes"], "The question 'education' is answered twice."),
    ],
)
def test_pairs_that_are_none_are_refused(words: list[str], expected: str) -> None:
    with pytest.raises(UsageError) as caught:
        answers_of(words)
    assert caught.value.message == expected


def test_each_outcome_has_a_text_and_names_counsel_where_needed(forms: EvidenceForms) -> None:
    assert set(texts.OUTCOMES) == set(OUTCOMES)
    shown = texts.screening(forms.screen("digits", {"manipulation": "yes"}, "Ada"))
    assert shown[0] == "digits: Possibly a prohibited practice: ask counsel."
    assert "EU AI Act, Article 5(1)(a), from 2025-02-02" in shown[1]
    shown = texts.screening(forms.screen("other", {**NO, "colorado": "unsure"}, "Ada"))
    assert shown[0] == "other: Minimal-risk use."
    assert shown[1].startswith("Ask counsel")
    assert "(*) not checked against the source." in shown


def test_open_questions_are_lines_with_their_choices(forms: EvidenceForms) -> None:
    lines = texts.questions(forms.open_questions("digits"))
    assert any(
        line.endswith("(provider or developer / deployer / both / importer or distributor)")
        for line in lines
    )
    assert lines[-1].startswith("37 questions open.")


def test_a_request_names_a_person_until_there_is_an_answer(forms: EvidenceForms) -> None:
    result = forms.request("digits", "oversight.human", "Ward lead")
    assert result.title == "Human oversight"
    assert texts.request(result) == ["digits: Human oversight is requested from Ward lead."]
    forms.request("digits", "oversight.human", "Night lead")
    assert forms.of("digits").pending()["oversight.human"].of == "Night lead"
    assert forms.states("digits")["oversight.human"] == "asked"
    forms.answer("digits", "oversight.human", "The ward lead.", "Ada")
    assert forms.of("digits").pending() == {}
    assert len(forms.of("digits").requests) == 2


@pytest.mark.parametrize("name", ["", "  ", "a" * 201, "a\nb", "\x1b[2J"])
def test_the_name_of_a_person_is_one_line(forms: EvidenceForms, name: str) -> None:
    with pytest.raises(UsageError, match="The name must be one line"):
        forms.request("digits", "oversight.human", name)
    assert forms.of("digits").requests == ()


def test_records_are_requested_from_nobody(forms: EvidenceForms) -> None:
    with pytest.raises(UsageError, match="is answered by records"):
        forms.request("digits", "quality.metrics", "Ada")
    with pytest.raises(UsageError, match="Unknown subject"):
        forms.request("digits", "no.such", "Ada")


def test_a_damaged_request_is_a_damaged_form(forms: EvidenceForms) -> None:
    forms.request("digits", "oversight.human", "Ada")
    file = forms.file("digits")
    file.write_text(file.read_text(encoding="utf-8").replace('"Ada"', '"A\\u001bda"'), "utf-8")
    with pytest.raises(StudioError, match="is not a form of answers"):
        forms.of("digits")
