"""The screening: each outcome with its reasons, and counsel where only counsel can decide."""

from __future__ import annotations

import itertools

import pytest

from studio.api import UsageError
from studio.documents.toml_text import TomlText
from studio.features.evidence.frameworks.catalogue import section_ids, shipped
from studio.features.evidence.frameworks.questionnaire import (
    GROUPS,
    HIGH_RISK,
    PROHIBITED,
    Questionnaire,
    parse_questionnaire,
    questionnaire,
)
from studio.features.evidence.frameworks.screening_results import Screening
from studio.features.evidence.frameworks.use_screening import OUTCOMES, screen

NO = {one.id: "no" for one in questionnaire().questions}


def screened(**changed: str) -> Screening:
    answers = {name.replace("_", "-"): word for name, word in changed.items()}
    return screen(questionnaire(), {**NO, **answers})


def test_without_answers_the_outcome_is_open() -> None:
    found = screen(questionnaire(), {})
    assert found.outcome == "asked"
    assert not found.counsel
    assert found.answered == 0
    assert "manipulation" in found.open
    assert "interaction" in found.open


def test_with_nothing_but_no_it_is_minimal() -> None:
    found = screened()
    assert found.outcome == "minimal"
    assert not found.counsel
    assert found.reasons == ()
    assert found.open == ()


@pytest.mark.parametrize("one", questionnaire().of(PROHIBITED), ids=lambda one: one.id)
def test_each_prohibited_practice_is_a_case_for_counsel(one: object) -> None:
    name = one.id  # type: ignore[attr-defined]
    found = screen(questionnaire(), {name: "yes"})
    assert found.outcome == "prohibited"
    assert found.counsel
    assert found.open == ()
    assert [reason.question for reason in found.reasons] == [name]
    assert found.reasons[0].cites[0].startswith("eu-ai-act:art-5.1.")
    assert screen(questionnaire(), {**NO, name: "unsure"}).outcome == "ask counsel"


@pytest.mark.parametrize(
    ("name", "area"),
    [
        ("biometrics", "annex-iii.1"),
        ("infrastructure", "annex-iii.2"),
        ("education", "annex-iii.3"),
        ("employment", "annex-iii.4"),
        ("services", "annex-iii.5"),
        ("law-enforcement", "annex-iii.6"),
        ("migration", "annex-iii.7"),
        ("justice", "annex-iii.8"),
    ],
)
def test_each_area_of_annex_iii_is_high_risk(name: str, area: str) -> None:
    found = screen(questionnaire(), {**NO, name: "yes"})
    assert found.outcome == "high-risk"
    assert found.reasons[0].cites == (f"eu-ai-act:{area}",)
    assert screen(questionnaire(), {**NO, name: "unsure"}).outcome == "ask counsel"


def test_a_claimed_exception_is_a_case_for_counsel() -> None:
    found = screened(employment="yes", narrow_task="yes")
    assert found.outcome == "ask counsel"
    assert found.counsel


def test_profiles_of_people_leave_no_exception() -> None:
    assert screened(employment="yes", narrow_task="yes", profiles="yes").outcome == "high-risk"


def test_an_exception_decides_nothing_without_a_high_risk_area() -> None:
    assert screened(narrow_task="yes", profiles="unsure").outcome == "minimal"


def test_an_open_exception_keeps_a_high_risk_area_open() -> None:
    answers = {**NO, "employment": "yes"}
    del answers["profiles"]
    found = screen(questionnaire(), answers)
    assert found.outcome == "asked"
    assert found.open == ("profiles",)


def test_a_product_is_high_risk_only_with_an_assessment_by_others() -> None:
    assert screened(product_safety="yes").outcome == "minimal"
    found = screened(product_safety="yes", product_assessment="yes", narrow_task="yes")
    assert found.outcome == "high-risk"
    assert screened(product_safety="yes", product_assessment="unsure").outcome == "ask counsel"
    assert screened(product_safety="unsure").outcome == "minimal"


@pytest.mark.parametrize(
    "name", ["interaction", "generated-content", "exposed-people", "deep-fakes"]
)
def test_transparency_duties(name: str) -> None:
    found = screen(questionnaire(), {**NO, name: "yes"})
    assert found.outcome == "transparency"
    assert found.reasons[0].cites[0].startswith("eu-ai-act:art-50.")
    assert screen(questionnaire(), {**NO, name: "unsure"}).outcome == "ask counsel"


def test_transparency_duties_of_a_high_risk_use_stay_among_the_reasons() -> None:
    found = screened(employment="yes", interaction="yes")
    assert found.outcome == "high-risk"
    assert [one.group for one in found.reasons] == [HIGH_RISK, "transparency"]


@pytest.mark.parametrize("name", ["general-purpose", "colorado", "texas"])
@pytest.mark.parametrize("word", ["yes", "unsure"])
def test_other_duties_need_counsel_and_leave_the_outcome(name: str, word: str) -> None:
    found = screen(questionnaire(), {**NO, name: word})
    assert found.outcome == "minimal"
    assert found.counsel


def test_an_open_prohibited_question_keeps_everything_open() -> None:
    answers = {**NO, "employment": "yes"}
    del answers["manipulation"]
    found = screen(questionnaire(), answers)
    assert found.outcome == "asked"
    assert found.open == ("manipulation",)


def test_unsure_never_gives_a_lower_outcome_than_no() -> None:
    for name in NO:
        found = screen(questionnaire(), {**NO, name: "unsure"})
        assert found.outcome in ("minimal", "ask counsel")


def test_each_pair_of_answers_has_an_outcome() -> None:
    for (a, x), (b, y) in itertools.product(itertools.product(NO, ("yes", "unsure")), repeat=2):
        assert screen(questionnaire(), {**NO, a: x, b: y}).outcome in OUTCOMES


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({"employmnt": "no"}, "Unknown question 'employmnt'; the nearest is 'employment'."),
        ({"employment": "maybe"}, "'maybe' is no answer to 'employment'."),
        ({"employment": "YES"}, "'YES' is no answer to 'employment'."),
    ],
)
def test_a_wrong_answer_is_one_sentence(answers: dict[str, str], expected: str) -> None:
    with pytest.raises(UsageError) as caught:
        screen(questionnaire(), answers)
    assert caught.value.message == expected


def test_the_questionnaire_has_all_groups() -> None:
    assert {one.group for one in questionnaire().questions} == set(GROUPS)


TEXT = """title = "T"
as_of = 2026-11-30
note = "N"
[[questions]]
id = "a"
group = "high-risk"
text = "Q?"
cites = ["eu-ai-act:art-6"]
"""


def parsed(text: str) -> Questionnaire:
    return parse_questionnaire(TomlText.read(text, "screening.toml"), section_ids(shipped()))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("art-6", "art-66", "screening.toml, line 8, column 1: unknown article of eu-ai-act"),
        ('"high-risk"', '"low"', "group must be one of: prohibited, high-risk"),
        ('"high-risk"', '"counsel"\ntogether = "b"', "only questions of the group high-risk"),
        ("text =", "txt =", "unknown key 'txt'"),
        ("as_of = 2026-11-30", "as_of = 3", "as_of must be a day"),
        (
            "[[questions]]",
            '[[questions]]\nid="a"\ngroup="counsel"\ntext="?"\n[[questions]]',
            "twice",
        ),
    ],
)
def test_a_wrong_questionnaire_is_one_sentence(before: str, after: str, expected: str) -> None:
    assert parsed(TEXT).questions[0].together == "a"
    with pytest.raises(UsageError) as caught:
        parsed(TEXT.replace(before, after, 1))
    assert expected in caught.value.message
