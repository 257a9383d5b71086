"""The clock of an incident: deadlines by kind, days left, reports, and impossible times."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from studio.api import UsageError
from studio.documents.toml_text import TomlText
from studio.features.evidence.frameworks.catalogue import framework, shipped
from studio.features.evidence.incidents.clock import clock_of, is_before, moment_of
from studio.features.evidence.incidents.kinds import KIND_IDS, TITLES, incident_rules, parse_rules
from studio.features.evidence.incidents.results import CLOSE, OPEN, REPORT, Incident, IncidentEntry

AT = "2026-11-30T12:00:00.000+00:00"
AWARE = date(2026, 11, 30)


def incident(kind: str, *more: IncidentEntry, aware: str = "2026-11-30") -> Incident:
    first = IncidentEntry(1, OPEN, AT, "Ada", "x", "T", "2026-11-29", aware, kind=kind)
    return Incident((first, *more))


def reported(day: str) -> IncidentEntry:
    return IncidentEntry(1, REPORT, AT, "Ada", "x", reported=day, authority="A")


def test_the_choices_are_those_of_the_data() -> None:
    assert set(KIND_IDS) == {*incident_rules().kinds, *TITLES}


def test_each_kind_cites_a_section_of_its_framework() -> None:
    rules = incident_rules()
    act = framework(rules.framework, shipped())
    known = {one.id for one in act.sections}
    assert {one.section for one in rules.kinds.values()} <= known


@pytest.mark.parametrize(
    ("kind", "deadline"),
    [
        ("death", "2026-12-10"),
        ("critical-infrastructure", "2026-12-02"),
        ("widespread-infringement", "2026-12-02"),
        ("health", "2026-12-15"),
        ("fundamental-rights", "2026-12-15"),
        ("property-environment", "2026-12-15"),
        ("undecided", "2026-12-02"),
    ],
)
def test_the_kind_sets_the_deadline(kind: str, deadline: str) -> None:
    assert clock_of(incident(kind), incident_rules(), AWARE).deadline == deadline


@pytest.mark.parametrize(
    ("after", "days", "words"),
    [
        (0, 10, "10 days left"),
        (9, 1, "1 day left"),
        (10, 0, "today"),
        (11, -1, "overdue by 1 day"),
        (40, -30, "overdue by 30 days"),
    ],
)
def test_days_run_down_and_beyond(after: int, days: int, words: str) -> None:
    clock = clock_of(incident("death"), incident_rules(), AWARE + timedelta(days=after))
    assert clock.days == days
    assert words in clock.text


def test_what_is_not_decided_asks_counsel() -> None:
    assert "ask counsel" in clock_of(incident("undecided"), incident_rules(), AWARE).text


def test_what_a_person_calls_not_serious_has_no_deadline() -> None:
    clock = clock_of(incident("not-serious"), incident_rules(), AWARE)
    assert clock.deadline == ""
    assert clock.days is None


@pytest.mark.parametrize(
    ("day", "words"),
    [
        ("2026-12-08", "2 days before the deadline 2026-12-10"),
        ("2026-12-10", "on the deadline 2026-12-10"),
        ("2026-12-13", "3 days after the deadline 2026-12-10"),
    ],
)
def test_a_report_stops_the_clock(day: str, words: str) -> None:
    found = clock_of(incident("death", reported(day)), incident_rules(), date(2027, 1, 1))
    assert found.days is None
    assert words in found.text


def test_a_later_report_does_not_move_the_first() -> None:
    one = incident("death", reported("2026-12-08"), reported("2026-12-20"))
    assert one.reported == "2026-12-08"


def test_an_incident_closed_without_a_report_says_so() -> None:
    closing = IncidentEntry(1, CLOSE, AT, "Ada", "x")
    clock = clock_of(incident("death", closing), incident_rules(), AWARE)
    assert clock.days is None
    assert clock.text == "Closed without a recorded report; the deadline was 2026-12-10."


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "2026-02-30", "2026-13-01", "30.11.2026", "2026-11-30T25:00", "9" * 400],
)
def test_a_text_that_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no day or time"):
        moment_of(text, "Time")


def test_days_that_cannot_be_are_refused() -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    with pytest.raises(UsageError, match="in the future"):
        moment_of(tomorrow, "Time")
    with pytest.raises(UsageError, match="before 2000"):
        moment_of("1999-12-31", "Time")


def test_a_time_of_another_zone_is_one_in_utc() -> None:
    assert moment_of("2026-11-30T14:05+02:00", "Time") == "2026-11-30T12:05:00.000+00:00"
    assert moment_of("2026-11-30", "Time") == "2026-11-30"


def test_a_day_has_no_order_within_itself() -> None:
    assert is_before("2026-11-29", "2026-11-30T08:00:00.000+00:00")
    assert not is_before("2026-11-30", "2026-11-30T08:00:00.000+00:00")


HEAD = """framework = "f"
source = "S"
url = "https://example.org"
as_of = 2026-11-01
checked = "C"
counsel = "Ask."
"""
KIND = """
[[kinds]]
id = "a"
title = "A"
days = 2
section = "art-1"
cite = "Article 1"
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HEAD + KIND.replace("days = 2", "days = 0"), "days must be a whole number"),
        (HEAD + KIND.replace("days = 2\n", ""), "days is missing"),
        (HEAD + KIND.replace('"a"', '"undecided"'), "stands twice"),
        (HEAD + KIND + KIND, "stands twice"),
        (HEAD, "needs an array of tables"),
    ],
)
def test_wrong_data_is_one_sentence_with_its_place(text: str, expected: str) -> None:
    with pytest.raises(UsageError, match=expected):
        parse_rules(TomlText.read(text, "incidents.toml"))
