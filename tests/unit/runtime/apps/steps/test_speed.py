"""Speeds of tracks with exact paths, with trembling boxes, and with dropped frames."""

from __future__ import annotations

from dataclasses import replace
from statistics import median

import numpy as np
import pytest

from studio.runtime.apps.settings import AppError
from studio.runtime.apps.steps.speed import band_of
from tests.rigs.traffic import (
    CLEAN,
    HARD,
    PIXELS_PER_METRE,
    SPEED_LINES,
    Trouble,
    speed_error,
    street,
)
from tests.unit.runtime.apps.walks import stamp, standing, step, walk

LINES = {"lines": [[200.0, 0.0, 200.0, 400.0], [500.0, 0.0, 500.0, 400.0]], "distance_m": 10.0}
PLANE = {
    "points": [[300.0, 100.0], [500.0, 100.0], [700.0, 400.0], [100.0, 400.0]],
    "metres": [[0.0, 30.0], [4.0, 30.0], [4.0, 0.0], [0.0, 0.0]],
}


def drive(
    speed: float, fps: float, begin: float = 101.3, end: float = 640.0
) -> list[tuple[float, float]]:
    """Places of a vehicle that moves some pixels a second, a frame each."""
    return [(float(x), 200.0) for x in np.arange(begin, end, speed / fps)]


@pytest.mark.parametrize("speed", [47.0, 150.0, 333.0, 900.0])
def test_the_speed_between_two_lines_is_exact_at_any_rate_of_frames(speed: float) -> None:
    for fps in (5.0, 12.5, 30.0):
        [event] = walk(step("speed", LINES), drive(speed, fps, end=900.0), fps)
        assert event.details["m_s"] == pytest.approx(speed / 30, rel=1e-3)
        assert event.details["km_h"] == pytest.approx(speed / 30 * 3.6, rel=1e-3)


def test_trembling_boxes_of_a_slow_object_are_evened_out() -> None:
    found = []
    for seed in range(30):
        draws = np.random.default_rng(seed)
        path = [(x + float(draws.normal(0, 4)), y) for x, y in drive(60.0, 25.0)]
        [event] = walk(step("speed", LINES), path, 25.0)
        found.append(event.details["m_s"] / 2 - 1)
    # 0.7 % here; two frames alone at either line make it 1.1 %.
    assert float(np.std(found)) < 0.009
    assert abs(float(np.mean(found))) < 0.004


def test_the_other_direction_is_as_fast() -> None:
    [event] = walk(step("speed", LINES), drive(150.0, 10.0)[::-1])
    assert event.details["m_s"] == pytest.approx(5.0, rel=1e-3)


def test_a_track_that_turns_back_before_the_second_line_has_no_speed() -> None:
    path = drive(150.0, 10.0, end=450.0)
    assert walk(step("speed", LINES), path + path[::-1]) == []


def test_lines_are_crossed_between_their_ends_alone() -> None:
    assert walk(step("speed", LINES), [(x, 420.0) for x, _ in drive(150.0, 10.0)]) == []


def test_objects_carry_their_speed_from_the_second_line_on() -> None:
    one = step("speed", LINES)
    seen = [
        one.process(stamp(at / 10), standing([foot], [1])).value.details[0].get("speed_m_s")
        for at, foot in enumerate(drive(150.0, 10.0))
    ]
    assert seen[0] is None
    assert seen[-1] == 5.0


def test_a_band_is_named_by_its_limits() -> None:
    [event] = walk(step("speed", {**LINES, "bands_km_h": [10.0, 30.0]}), drive(150.0, 10.0))
    assert event.details["band"] == "10-30"
    bands = [band_of(value, (10.0, 30.0)) for value in (9.9, 10.0, 29.9, 30.0)]
    assert bands == ["<10", "10-30", "10-30", ">=30"]


def test_the_speed_on_a_plane_is_that_of_the_ground() -> None:
    # Up the middle of a road whose far end looks smaller: 5 metres a second all along.
    one = step("speed", PLANE)
    metres = 1.0 + 5.0 * np.arange(0, 50) / 10
    depth = metres / 30  # the share of the way, from near to far, on the ground
    # The near edge is 600 pixels wide and the far one 200: points move by projection.
    y = 400 - 300 * 3 * depth / (1 + 2 * depth)
    events = walk(one, [(400.0, float(place)) for place in y])
    assert [round(event.details["m_s"], 2) for event in events] == [5.0]


def test_outside_the_four_points_nothing_is_measured() -> None:
    assert walk(step("speed", PLANE), [(50.0 + at, 50.0) for at in range(60)]) == []


def errors(seed: int, trouble: Trouble) -> list[float]:
    """Relative errors of the speeds of a street, by the true track of each vehicle."""
    scene = street(seed, 20, trouble)
    settings = {"lines": [list(line) for line in SPEED_LINES], "distance_m": 480 / PIXELS_PER_METRE}
    speed, track = step("speed", settings), step("track", {})
    found: list[float] = []
    for now, objects in scene.frames():
        for event in speed.process(now, track.process(now, objects).value).events:
            label, m_s = event.details["label"], event.details["m_s"]
            found.append(speed_error(now.time, label, m_s, scene))
    assert len(found) == len(scene.movers)
    return found


@pytest.mark.parametrize("trouble", [CLEAN, replace(CLEAN, dropped=0.2), HARD])
def test_speeds_are_within_2_percent_in_the_median(trouble: Trouble) -> None:
    assert median(errors(11, trouble)) < 0.02


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({}, "steps.gate needs either lines or points."),
        ({**LINES, **PLANE}, "steps.gate needs either lines or points."),
        ({**LINES, "distance_m": 0.0}, "steps.gate: distance_m is from 0.01 to 100,000 metres."),
        (
            {"lines": [[1.0, 2.0, 3.0, 4.0]], "distance_m": 5.0},
            "steps.gate: lines are two lists of [x1, y1, x2, y2].",
        ),
        ({**PLANE, "metres": []}, "steps.gate: metres are four pairs of numbers."),
        (
            {**PLANE, "points": [[0.0, 0.0], [1.0, 1.0], [2.0, 2.0], [0.0, 5.0]]},
            "steps.gate: three of its points lie on one line.",
        ),
        ({**LINES, "bands_km_h": [50.0, 30.0]}, "steps.gate: bands_km_h are in ascending order."),
        ({**PLANE, "window_s": 0.0}, "steps.gate: window_s is from 0.1 to 86,400 seconds."),
    ],
)
def test_wrong_settings_are_refused_in_one_sentence(
    settings: dict[str, object], sentence: str
) -> None:
    with pytest.raises(AppError) as caught:
        step("speed", settings)
    assert str(caught.value) == sentence
