"""Crossings of a line: once each, on the line itself, also with trembling boxes and gaps."""

from __future__ import annotations

import numpy as np
import pytest

from studio.runtime.apps.settings import AppError
from tests.unit.runtime.apps.walks import stamp, standing, step, walk

UP = {"start": [100.0, 300.0], "end": [100.0, 100.0]}
"""A line that goes up the picture at x = 100; its left hand is the left side."""


def directions(path: list[tuple[float, float]], **more: object) -> list[str]:
    """Directions in which a track on a path is counted."""
    return [event.details["direction"] for event in walk(step("line", {**UP, **more}), path)]


def straight(
    begin: float, end: float, y: float = 200.0, frames: int = 20
) -> list[tuple[float, float]]:
    """A walk across."""
    return [(float(x), y) for x in np.linspace(begin, end, frames)]


def test_a_crossing_has_a_direction_and_a_place() -> None:
    [event] = walk(step("line", UP), straight(61, 140))
    assert (event.kind, event.step) == ("crossing", "gate")
    assert event.details == {
        "line": "gate",
        "direction": "out",
        "label": "person",
        "track": 1,
        "x": 100.0,
        "y": 200.0,
    }


def test_the_other_way_is_the_first_name() -> None:
    names = {"names": ["west", "east"]}
    assert directions(straight(140, 60), **names) == ["west"]
    assert directions(straight(60, 140) + straight(140, 60), **names) == ["east", "west"]


@pytest.mark.parametrize(
    ("anchor", "y", "count"), [("bottom", 310, 0), ("top", 310, 1), ("center", 350, 0)]
)
def test_the_anchor_is_what_crosses(anchor: str, y: float, count: int) -> None:
    assert len(directions(straight(60, 140, y), anchor=anchor)) == count


@pytest.mark.parametrize("y", [90.0, 310.0])
def test_a_walk_around_the_end_of_the_line_is_no_crossing(y: float) -> None:
    assert directions(straight(60, 140, y)) == []


def test_after_a_walk_around_the_end_the_way_back_is_a_crossing() -> None:
    around = [*straight(60, 140, 320), (140.0, 200.0)]
    assert directions(around + straight(140, 60)) == ["in"]


@pytest.mark.parametrize("seed", range(20))
def test_someone_who_stands_on_the_line_is_not_counted_twice(seed: int) -> None:
    draws = np.random.default_rng(seed)
    stays = [(100 + float(x), 200.0) for x in np.clip(draws.normal(0, 2, 200), -6, 6)]
    assert directions(straight(60, 98) + stays + straight(102, 140)) == ["out"]
    assert directions(straight(60, 98) + stays + straight(98, 60)) == []


def test_a_fast_object_crosses_between_two_frames() -> None:
    [event] = walk(step("line", UP), [(0.0, 150.0), (200.0, 250.0)])
    assert (event.details["x"], event.details["y"]) == (100.0, 200.0)


def test_a_point_on_the_line_itself_is_crossed_once() -> None:
    assert directions([(80.0, 200.0), (100.0, 200.0), (120.0, 200.0)]) == ["out"]
    assert directions([(120.0, 200.0), (100.0, 200.0), (80.0, 200.0)]) == ["in"]


def test_a_track_that_was_hidden_on_the_line_is_counted_when_it_returns() -> None:
    line = step("line", UP)
    assert walk(line, straight(60, 90)) == []
    output = line.process(stamp(4.0), standing([(130, 200)], [1]))
    assert [event.details["direction"] for event in output.events] == ["out"]


def test_a_track_is_forgotten_after_half_a_minute() -> None:
    line = step("line", UP)
    walk(line, straight(60, 90))
    line.process(stamp(60.0), standing([]))
    assert line.process(stamp(61.0), standing([(130, 200)], [1])).events == ()


def test_values_are_the_counts_of_each_direction_and_class() -> None:
    line = step("line", UP)
    assert line.process(stamp(0.0), standing([])).value == {"in": 0.0, "out": 0.0}
    seen = [[(60, 200), (140, 150), (60, 250)], [(140, 200), (60, 150), (140, 250)]]
    for at, feet in enumerate(seen):
        tracks = standing(feet, [1, 2, 3], ["car", "person", "person"])
        value = line.process(stamp(at / 10), tracks).value
    assert value == {"in": 1.0, "out": 2.0, "out car": 1.0, "in person": 1.0, "out person": 1.0}


def test_many_tracks_cross_in_one_frame() -> None:
    line = step("line", UP)
    left, right = ([(x, 101.0 + 1.9 * at) for at in range(100)] for x in (60.0, 140.0))
    line.process(stamp(0.0), standing(left, range(100)))
    assert len(line.process(stamp(0.1), standing(right, range(100))).events) == 100


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"start": [1.0]}, "steps.gate: each end of a line is [x, y]."),
        ({"end": [100.0, 300.0]}, "steps.gate: the two ends of a line are one point."),
        ({"anchor": "foot"}, "steps.gate: anchor is bottom, center, top."),
        ({"names": ["in", "in"]}, "steps.gate: names are two different texts."),
        ({"names": ["in"]}, "steps.gate: names are two different texts."),
        ({"margin": 1.5}, "steps.gate: margin is from 0 to 1."),
        ({"start": ["a", 3]}, "steps.gate: start cannot be 'a'."),
    ],
)
def test_wrong_settings_are_refused_in_one_sentence(
    settings: dict[str, object], sentence: str
) -> None:
    with pytest.raises(AppError) as caught:
        step("line", {**UP, **settings})
    assert str(caught.value) == sentence


def test_a_line_needs_both_ends() -> None:
    with pytest.raises(AppError, match=r"steps\.gate needs the setting end\."):
        step("line", {"start": [1.0, 2.0]})
