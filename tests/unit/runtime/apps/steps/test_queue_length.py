"""The length of a queue, and its levels."""

from __future__ import annotations

import pytest

from studio.runtime.apps.items import Event
from studio.runtime.apps.settings import AppError
from tests.unit.runtime.apps.walks import stamp, standing, step

AREA = {"area": [[0.0, 0.0], [1000.0, 0.0], [1000.0, 300.0], [0.0, 300.0]]}


def lengths(
    settings: dict[str, object], waiting: list[int], seconds_each: float = 12.0
) -> tuple[list[float], list[Event]]:
    """Length at the end of each phase in which some people stand, and all events."""
    queue = step("queue", {**AREA, **settings})
    found, events, time = [], [], 0.0
    for count in waiting:
        for _ in range(int(seconds_each * 5)):
            time += 0.2
            feet = [(50.0 * at + 20, 200.0) for at in range(count)]
            output = queue.process(stamp(time), standing(feet, range(1, count + 1)))
            events += output.events
        found.append(output.value["length"])
    return found, events


def test_people_who_stand_for_long_enough_are_a_queue() -> None:
    assert lengths({}, [0, 3, 7, 2])[0] == [0.0, 3.0, 7.0, 2.0]


def test_events_are_given_where_the_level_changes() -> None:
    _, events = lengths({"levels": [3, 6]}, [2, 4, 5, 7, 1])
    assert [(event.details["before"], event.details["level"]) for event in events] == [
        (0, 1),
        (1, 2),
        (2, 0),
    ]
    assert events[0].details == {"queue": "gate", "length": 4, "level": 1, "before": 0}


def test_a_level_that_does_not_last_is_no_event() -> None:
    assert lengths({"levels": [3], "settle_s": 30.0}, [4, 0, 4, 0])[1] == []


def test_people_who_pass_do_not_wait() -> None:
    queue = step("queue", AREA)
    for at in range(200):
        output = queue.process(stamp(at / 10), standing([(5.0 * at, 200.0)], [1]))
        assert output.value == {"length": 0.0}


def test_a_small_step_forward_does_not_end_the_wait() -> None:
    queue = step("queue", AREA)
    for at in range(200):
        x = 100.0 + 20.0 * (at // 50)
        output = queue.process(stamp(at / 10), standing([(x, 200.0)], [1]))
        assert output.value == {"length": float(at >= 50)}


def test_who_walks_on_after_a_long_wait_waits_no_more() -> None:
    queue = step("queue", AREA)
    for at in range(700):
        x = 100.0 + max(0, at - 600) * 4.0
        output = queue.process(stamp(at / 10), standing([(x, 200.0)], [1]))
    assert output.value == {"length": 0.0}


def test_who_leaves_the_area_waits_no_more() -> None:
    queue = step("queue", AREA)
    for at in range(60):
        queue.process(stamp(at / 10), standing([(100.0, 200.0)], [1]))
    assert queue.process(stamp(6.0), standing([(100, 400)], [1])).value == {"length": 0.0}


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"levels": [5, 3]}, "steps.gate: levels are numbers from 1, in ascending order."),
        ({"levels": [0]}, "steps.gate: levels are numbers from 1, in ascending order."),
        ({"slow": 0.0}, "steps.gate: slow is above 0."),
        ({"seconds": 0.0}, "steps.gate: seconds is from 0.1 to 86,400 seconds."),
        ({"area": []}, "steps.gate: area is a list of at least three points."),
    ],
)
def test_wrong_settings_are_refused_in_one_sentence(
    settings: dict[str, object], sentence: str
) -> None:
    with pytest.raises(AppError) as caught:
        step("queue", {**AREA, **settings})
    assert str(caught.value) == sentence
