"""Rules on values: limits, durations and hysteresis."""

from __future__ import annotations

from typing import cast

import pytest

from studio.runtime.apps.parts import FinishingStep
from studio.runtime.apps.settings import AppError
from tests.unit.runtime.apps.walks import stamp, step

FULL = {"value": "count", "event": "full", "above": 3.0}


def kinds(settings: dict[str, object], numbers: list[float]) -> list[tuple[str, float]]:
    """Events with their seconds, for one number a second."""
    rule = step("rule", settings)
    outputs = [rule.process(stamp(float(at)), {"count": one}) for at, one in enumerate(numbers)]
    return [(event.kind, event.stamp.time) for output in outputs for event in output.events]


def test_an_event_begins_and_ends_with_its_duration() -> None:
    rule = step("rule", FULL)
    events = [
        event
        for at, number in enumerate([1.0, 5.0, 6.0, 2.0])
        for event in rule.process(stamp(float(at)), {"count": number}).events
    ]
    assert [event.kind for event in events] == ["full", "full-ended"]
    assert events[0].details == {"rule": "gate", "name": "count", "value": 5.0}
    assert events[1].details == {"rule": "gate", "name": "count", "value": 2.0, "duration_s": 2.0}


def test_it_must_hold_for_some_time_without_a_break() -> None:
    numbers = [4.0, 4.0, 1.0, 4.0, 4.0, 4.0, 4.0, 1.0]
    assert kinds({**FULL, "for_s": 3.0}, numbers) == [("full", 6.0), ("full-ended", 7.0)]


def test_a_value_that_trembles_about_the_limit_is_one_event() -> None:
    numbers = [2.0, 3.1, 2.9, 3.2, 2.8, 3.1, 1.9]
    assert kinds({**FULL, "hysteresis": 1.0}, numbers) == [("full", 1.0), ("full-ended", 6.0)]
    assert len(kinds(FULL, numbers)) == 6


def test_a_rule_rests_after_its_event() -> None:
    settings: dict[str, object] = {**FULL, "event": "e", "rest_s": 4.0}
    found = kinds(settings, [9.0, 0.0, 9.0, 0.0, 9.0, 9.0])
    assert found == [("e", 0.0), ("e-ended", 1.0), ("e", 4.0), ("e-ended", 5.0)]


def test_below_is_the_other_limit_and_a_missing_value_is_0() -> None:
    rule = step("rule", {"value": "staff", "event": "unattended", "below": 1.0})
    assert rule.process(stamp(0.0), {"staff": 1.0}).events == ()
    [event] = rule.process(stamp(1.0), {"count": 9.0}).events
    assert event.kind == "unattended"


def test_both_limits_are_a_range() -> None:
    settings = {"value": "count", "event": "odd", "above": 8.0, "below": 2.0}
    assert kinds(settings, [5.0, 9.0, 5.0, 1.0]) == [
        ("odd", 1.0),
        ("odd-ended", 2.0),
        ("odd", 3.0),
    ]


def test_the_end_of_a_recording_ends_the_event() -> None:
    rule = step("rule", FULL)
    assert cast("FinishingStep", rule).finish(stamp(0.0)).events == ()
    rule.process(stamp(1.0), {"count": 5.0})
    [event] = cast("FinishingStep", rule).finish(stamp(4.0)).events
    assert (event.kind, event.details["duration_s"]) == ("full-ended", 3.0)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"value": "count", "event": "full"}, "steps.gate needs above or below."),
        ({**FULL, "event": ""}, "steps.gate: event is the name of a kind of event."),
        ({**FULL, "hysteresis": -1.0}, "steps.gate: hysteresis is 0 or more."),
        ({**FULL, "for_s": -1.0}, "steps.gate: for_s is from 0 to 86,400 seconds."),
        ({"event": "full"}, "steps.gate needs the setting value."),
    ],
)
def test_wrong_settings_are_refused_in_one_sentence(
    settings: dict[str, object], sentence: str
) -> None:
    with pytest.raises(AppError) as caught:
        step("rule", settings)
    assert str(caught.value) == sentence
