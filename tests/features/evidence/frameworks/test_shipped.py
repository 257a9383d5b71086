"""The frameworks that ship: complete where they claim to be, dated, honest about their source."""

from __future__ import annotations

import re
from datetime import date

import pytest

from studio.features.evidence.frameworks.catalogue import ORDER, framework, frameworks, shipped
from studio.features.evidence.frameworks.questionnaire import questionnaire
from studio.features.evidence.frameworks.subjects import FORM, RECORDS, subjects
from studio.settings.resources import resource

_WORD = re.compile(r"complian|comply|certified|legal advice", re.IGNORECASE)
_ALLOWED = {"It is not legal advice.", "never legal advice."}


def ids(name: str) -> set[str]:
    return {one.id for one in framework(name, shipped()).sections}


def test_each_file_is_named_by_its_framework() -> None:
    files = {path.stem for path in resource("frameworks").glob("*.toml")}
    assert files == {*ORDER, "subjects", "app-subjects", "screening", "incidents", "grid"}
    assert tuple(one.id for one in frameworks()) == ORDER


def test_annex_iv_is_complete() -> None:
    points = [f"annex-iv.{n}.{letter}" for n in (1, 2) for letter in "abcdefgh"]
    points += [f"annex-iv.{n}" for n in range(3, 10)]
    found = [one.id for one in framework("eu-ai-act", shipped()).sections]
    assert [name for name in found if name.startswith("annex-iv.")] == points


def test_the_articles_of_a_dossier_are_there() -> None:
    wanted = {f"art-{n}" for n in (9, 10, 11, 12, 13, 14, 15, 17, 26, 72, 73)}
    assert wanted <= ids("eu-ai-act")
    assert {f"art-50.{n}" for n in (1, 2, 3, 4)} <= ids("eu-ai-act")
    assert {f"annex-iii.{n}" for n in range(1, 9)} <= ids("eu-ai-act")


def test_high_risk_duties_apply_from_the_days_of_the_amended_act() -> None:
    act = framework("eu-ai-act", shipped())
    days = {one.id: one.day for one in act.dates}
    assert days["annex-iii"] == "2027-12-02"
    assert days["annex-i"] == "2028-08-02"
    assert days["general"] == "2026-08-02"
    for name in ("art-9", "art-15", "art-26", "annex-iv.9"):
        section = act.section(name)
        assert section is not None
        assert section.applies == ("annex-iii", "annex-i")


def test_dates_that_were_not_read_in_the_source_are_marked() -> None:
    act = framework("eu-ai-act", shipped())
    unsure = {one.id for one in act.dates if not one.verified}
    assert unsure == {"annex-iii", "annex-i", "new-prohibitions", "marking-transition"}
    assert not framework("us-co-sb26-189", shipped()).verified
    assert not framework("iso-42001", shipped()).verified


def test_nist_has_its_72_subcategories() -> None:
    counts = {
        **{"govern-1": 7, "govern-2": 3, "govern-3": 2, "govern-4": 3, "govern-5": 2},
        **{"govern-6": 2, "map-1": 6, "map-2": 3, "map-3": 5, "map-4": 2, "map-5": 2},
        **{"measure-1": 3, "measure-2": 13, "measure-3": 3, "measure-4": 3},
        **{"manage-1": 4, "manage-2": 4, "manage-3": 2, "manage-4": 3},
    }
    wanted = {f"{name}.{n}" for name, most in counts.items() for n in range(1, most + 1)}
    assert len(wanted) == 72
    assert ids("nist-ai-rmf") == wanted


def test_iso_has_its_clauses_and_38_controls_as_headings_alone() -> None:
    iso = framework("iso-42001", shipped())
    assert sum(one.id.startswith("annex-a.") for one in iso.sections) == 38
    assert {one.cite.removeprefix("Clause ")[0] for one in iso.sections} >= set("456789")
    assert all(one.wants == "" for one in iso.sections)


@pytest.mark.parametrize("name", ORDER)
def test_each_framework_names_source_and_day(name: str) -> None:
    found = framework(name, shipped())
    assert found.source
    assert found.checked
    assert found.url.startswith("https://")
    assert date.fromisoformat(found.as_of) >= date(2026, 11, 30)
    assert "not the text" in found.note


def test_each_subject_is_wanted_by_a_section() -> None:
    wanted = {name for one in shipped() for section in one.sections for name in section.subjects}
    assert wanted == set(subjects())


def test_each_subject_is_a_record_or_a_question_with_a_person() -> None:
    for one in subjects().values():
        if one.source == RECORDS:
            assert one.record.endswith(".")
        else:
            assert one.source == FORM
            assert one.question.endswith("?")
            assert one.who


def test_no_subject_has_the_prefix_of_the_screening() -> None:
    assert not [name for name in subjects() if name.startswith("screen.")]


def test_nothing_claims_what_only_an_authority_or_a_lawyer_can() -> None:
    for path in resource("frameworks").glob("*.toml"):
        for line in path.read_text().splitlines():
            text = line
            for phrase in _ALLOWED:
                text = text.replace(phrase, "")
            assert not _WORD.search(text), f"{path.name}: {line}"


def test_no_line_is_longer_than_a_paraphrase() -> None:
    for one in shipped():
        for section in one.sections:
            assert len(section.wants.split()) <= 25, section.id


def test_each_question_of_the_screening_cites_a_section() -> None:
    for one in questionnaire().questions:
        assert one.cites, one.id
        assert one.text.endswith("?"), one.id
