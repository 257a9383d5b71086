"""States of objects: events when they begin and end, and values."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from studio.runtime.apps.items import Event, StepOutput
from studio.runtime.apps.settings import AppError
from tests.unit.runtime.apps.walks import stamp, standing, step

STOCK: dict[str, object] = {"begins": {"0": "out-of-stock"}, "ends": {"0": "restocked"}}


def looks(settings: dict[str, object], rows: Sequence[Sequence[str]]) -> list[StepOutput]:
    """Outputs for the states of some objects, a row each second; "-" for no state."""
    states = step("states", settings)
    found = []
    for at, row in enumerate(rows):
        labels = ["A1", "A2", "A3"][: len(row)]
        objects = standing([(0.0, 0.0)] * len(row), labels=labels)
        details = tuple({} if one == "-" else {"class": one} for one in row)
        found.append(states.process(stamp(float(at)), objects._replace(details=details)))
    return found


def told(outputs: Sequence[StepOutput]) -> list[tuple[str, float, str]]:
    events: list[Event] = [event for one in outputs for event in one.events]
    return [(one.kind, one.stamp.time, one.details["label"]) for one in events]


def test_a_state_begins_and_ends_for_each_object() -> None:
    rows = ["21", "01", "01", "10"]
    found = told(looks(STOCK, rows))
    assert found == [
        ("out-of-stock", 1.0, "A1"),
        ("restocked", 3.0, "A1"),
        ("out-of-stock", 3, "A2"),
    ]


def test_the_first_state_gives_an_event_that_begins_alone() -> None:
    assert told(looks(STOCK, ["03"])) == [("out-of-stock", 0.0, "A1")]


def test_a_short_state_is_no_event_and_no_end() -> None:
    settings = {**STOCK, "for_s": 2.0}
    assert told(looks(settings, "2220022")) == []
    assert told(looks(settings, "0002000")) == [("out-of-stock", 2.0, "A1")]


def test_a_state_that_is_ignored_neither_counts_nor_interrupts() -> None:
    settings = {**STOCK, "for_s": 3.0, "ignore": ["h"]}
    assert told(looks(settings, "11110hh0")) == [("out-of-stock", 7.0, "A1")]
    assert told(looks(settings, "-----hhhh")) == []


def test_a_change_between_other_states_is_no_event() -> None:
    assert told(looks(STOCK, "4321")) == []


def test_values_are_numbers_of_objects_and_counts_of_names() -> None:
    values = looks(STOCK, [["3", "low", "low"]])[0].value
    assert values == {"A1": 3.0, "low": 2.0}


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [({}, "needs begins or ends"), ({**STOCK, "for_s": -1.0}, "for_s")],
)
def test_wrong_settings_are_refused(settings: dict[str, object], sentence: str) -> None:
    with pytest.raises(AppError, match=sentence):
        step("states", settings)
