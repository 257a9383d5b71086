"""An area: counts, and the stays of tracks."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest

from studio.runtime.apps.parts import FinishingStep
from studio.runtime.apps.settings import AppError
from tests.unit.runtime.apps.walks import stamp, standing, step, walk

SQUARE = {"area": [[100.0, 100.0], [300.0, 100.0], [300.0, 300.0], [100.0, 300.0]]}


def test_objects_without_numbers_are_counted_by_class() -> None:
    zone = step("zone", SQUARE)
    seen = standing(
        [(150, 150), (250, 250), (50, 50), (200, 120)], labels=["car", "person", "car", "car"]
    )
    output = zone.process(stamp(0.0), seen)
    assert output.value == {"count": 3.0, "car": 2.0, "person": 1.0}
    assert output.events == ()


def test_a_class_that_has_left_counts_as_none() -> None:
    zone = step("zone", SQUARE)
    zone.process(stamp(0.0), standing([(150, 150)], labels=["car"]))
    assert zone.process(stamp(0.1), standing([])).value == {"count": 0.0, "car": 0.0}


def test_a_track_enters_and_leaves_with_the_time_that_it_stayed() -> None:
    path = [(float(x), 200.0) for x in range(50, 360, 10)]
    entered, left = walk(step("zone", SQUARE), path)
    assert (entered.kind, left.kind) == ("entered", "left")
    assert entered.details == {
        "zone": "gate",
        "label": "person",
        "track": 1,
        "x": 110.0,
        "y": 200.0,
    }
    # In at x = 110 and out at x = 310, 10 pixels a frame, 10 frames a second.
    assert left.details["dwell_s"] == pytest.approx(2.0)
    assert left.details["reason"] == "outside"


@pytest.mark.parametrize("seed", range(10))
def test_someone_who_stands_on_the_edge_enters_once(seed: int) -> None:
    draws = np.random.default_rng(seed)
    edge = [(100 + float(x), 200.0) for x in np.clip(draws.normal(0, 1.5, 100), -3.9, 3.9)]
    events = walk(
        step("zone", SQUARE), [(50.0, 200.0), *edge, (150.0, 200.0), *edge, (50.0, 200.0)]
    )
    assert [event.kind for event in events] == ["entered", "left"]


def test_a_long_stay_is_one_event() -> None:
    zone = step("zone", {**SQUARE, "dwell_s": 3.0})
    events = walk(zone, [(200.0, 200.0)] * 100)
    assert [event.kind for event in events] == ["entered", "dwelling"]
    assert events[1].stamp.time == pytest.approx(3.0)
    assert events[1].details["dwell_s"] == pytest.approx(3.0)


def test_a_second_stay_dwells_once_more() -> None:
    stay = [(200.0, 200.0)] * 20
    events = walk(step("zone", {**SQUARE, "dwell_s": 1.0}), [*stay, (50.0, 50.0), *stay])
    kinds = [event.kind for event in events]
    assert kinds == ["entered", "dwelling", "left", "entered", "dwelling"]


def test_a_track_that_is_hidden_for_a_moment_stays() -> None:
    zone = step("zone", SQUARE)
    walk(zone, [(200.0, 200.0)] * 5)
    assert zone.process(stamp(1.9), standing([])).events == ()
    assert zone.process(stamp(2.2), standing([(200, 200)], [1])).events == ()


def test_a_track_that_was_lost_has_left_when_it_was_last_seen() -> None:
    zone = step("zone", SQUARE)
    walk(zone, [(200.0, 200.0)] * 11)
    [left] = zone.process(stamp(5.0), standing([])).events
    assert (left.kind, left.details["reason"]) == ("left", "lost")
    assert left.details["dwell_s"] == pytest.approx(1.0)
    assert zone.process(stamp(6.0), standing([])).events == ()


def test_the_end_of_a_recording_ends_the_stays() -> None:
    zone = step("zone", SQUARE)
    walk(zone, [(200.0, 200.0)] * 11)
    [left] = cast("FinishingStep", zone).finish(stamp(1.0)).events
    assert (left.kind, left.details["reason"], left.details["dwell_s"]) == ("left", "end", 1.0)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (
            {"area": [[0.0, 0.0], [1.0, 1.0]]},
            "steps.gate: area is a list of at least three points.",
        ),
        ({"area": [[0.0, 0.0], [5.0, 5.0], [9.0, 9.0]]}, "steps.gate: the area encloses nothing."),
        ({"anchor": "left"}, "steps.gate: anchor is bottom, center, top."),
        ({"dwell_s": -1.0}, "steps.gate: dwell_s is from 0 to 86,400 seconds."),
        ({"margin": -0.1}, "steps.gate: margin is from 0 to 1."),
    ],
)
def test_wrong_settings_are_refused_in_one_sentence(
    settings: dict[str, object], sentence: str
) -> None:
    with pytest.raises(AppError) as caught:
        step("zone", {**SQUARE, **settings})
    assert str(caught.value) == sentence
