"""The composed street: its truth, and what the app of the sample makes of exact boxes of it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy
import pytest

from studio.features.apps.files import AppFiles
from studio.runtime.apps.items import Objects
from studio.runtime.apps.runner import GraphRunner
from studio.samples.street.pictures import StreetCamera
from studio.samples.street.scene import (
    CLEAN,
    HARD,
    HEIGHT,
    LANES,
    PIXELS_PER_METRE,
    WIDTH,
    Shape,
    Street,
    Trouble,
    street,
)
from studio.samples.street.truth import (
    METRES,
    SPEED_LINES,
    events_of,
    street_with_one_answer,
)
from tests.rigs.street import (
    app_folder,
    crossings,
    f1_of,
    median_error,
    played,
    speed_errors,
    true_rows,
)

SEEDS = range(1, 5)


class ExactDetector:
    """A predictor that knows the boxes of a street.

    Attributes:
        time: Moment of the picture that comes next.
    """

    task = "detection"
    batch = 1

    def __init__(self, scene: Street) -> None:
        self._scene = scene
        self.time = 0.0

    def pictures(self, pixels: Sequence[Any]) -> list[Objects]:
        """Return what is in the picture of the moment, cut at the edges."""
        seen = self._scene.seen(self.time)
        rows = [box(*one.foot(self.time), one.shape.length, one.shape.height) for one in seen]
        corners = numpy.array(rows).reshape(-1, 4)
        labels = tuple(one.shape.label for one in seen)
        return [Objects(pixels[0], corners, numpy.full(len(rows), 0.9), labels)]


class Context:
    """Services of an app with one predictor."""

    def __init__(self, detector: ExactDetector) -> None:
        self._detector = detector

    def predictor(self, name: str) -> Any:
        return self._detector

    def file(self, name: str) -> str:
        return name

    def output(self, name: str) -> str:
        return name


def box(x: float, y: float, length: float, height: float) -> list[float]:
    """Corners within the picture."""
    left, right = max(0.0, x - length / 2), min(float(WIDTH), x + length / 2)
    return [left, y - height, right, min(float(HEIGHT), y)]


def rectangle(foot: tuple[float, float], shape: Shape) -> list[float]:
    """Corners, also beyond the picture."""
    x, y = foot
    return [x - shape.length / 2, y - shape.height, x + shape.length / 2, y]


def meet(one: list[float], other: list[float]) -> bool:
    """Whether two boxes share some of the picture."""
    across = one[0] < other[2] and other[0] < one[2]
    return across and one[1] < other[3] and other[1] < one[3]


def exact_events(scene: Street) -> list[dict[str, Any]]:
    """Events of the app with a detector without errors."""
    detector = ExactDetector(scene)
    runner = GraphRunner(AppFiles.open(app_folder()).graph({}), Context(detector))
    nothing = numpy.zeros((1, 1, 3), numpy.uint8)

    def picture(time: float) -> Any:
        detector.time = time
        return nothing

    return played(scene, runner, picture)


@pytest.mark.parametrize("seed", SEEDS)
def test_with_exact_boxes_the_app_reports_what_is_true(seed: int) -> None:
    scene = street_with_one_answer(seed)
    rows = exact_events(scene)
    assert crossings(rows) == crossings(true_rows(scene))
    assert f1_of(scene, rows) == 1.0
    assert median_error(speed_errors(scene, rows)) < 0.01


@pytest.mark.parametrize("seed", SEEDS)
def test_missing_frames_and_halts_change_little(seed: int) -> None:
    scene = street_with_one_answer(seed, trouble=HARD)
    rows = exact_events(scene)
    assert f1_of(scene, rows) >= 0.97
    assert median_error(speed_errors(scene, rows)) < 0.02


def test_the_same_seed_gives_the_same_street_and_another_seed_another_one() -> None:
    assert events_of(street(3)) == events_of(street(3))
    assert events_of(street(3)) != events_of(street(4))
    first, second = (StreetCamera(street(3)).picture(5.0) for _ in range(2))
    assert numpy.array_equal(first, second)


def test_no_vehicle_hides_a_person_on_the_crossing() -> None:
    scene = street_with_one_answer(5, trouble=HARD)
    walks = 0
    for time in numpy.arange(0, 60, 0.1).tolist():
        seen = scene.seen(time)
        persons = [rectangle(one.foot(time), one.shape) for one in seen if one.lane > 1]
        vehicles = [rectangle(one.foot(time), one.shape) for one in seen if one.lane < 2]
        walks += len(persons)
        assert not any(meet(one, other) for one in persons for other in vehicles), time
    assert walks > 100


def test_vehicles_of_a_lane_never_touch() -> None:
    scene = street(6, 120.0, HARD)
    for time in numpy.arange(0, 120, 0.25).tolist():
        for lane in (0, 1):
            found = sorted(
                (one.place(time), one.shape.length) for one in scene.seen(time) if one.lane == lane
            )
            for (behind, half), (ahead, other) in pairwise(found):
                assert ahead - behind > (half + other) / 2, time


def test_true_speed_is_distance_over_time() -> None:
    scene = street_with_one_answer(7)
    events = [one for one in events_of(scene) if one.kind == "speed"]
    ends = {one.reaches(SPEED_LINES[1]): one for one in scene.movers if one.lane < 2}
    first = ends[min(ends, key=lambda end: abs(end + 0.3 - events[0].at_s))]
    passed = first.reaches(SPEED_LINES[1]) - first.reaches(SPEED_LINES[0])
    assert events[0].m_s == pytest.approx(METRES / passed, abs=1e-3)
    assert (SPEED_LINES[1] - SPEED_LINES[0]) / PIXELS_PER_METRE == METRES


def test_lines_of_the_app_are_those_of_the_truth() -> None:
    graph = AppFiles.open(app_folder()).graph({})
    steps = {step.name: step.settings for step in graph.steps}
    for lane, name in enumerate(("speed-right", "speed-left")):
        places = SPEED_LINES if lane == 0 else tuple(WIDTH - x for x in SPEED_LINES)
        top, bottom = LANES[lane] - 40, LANES[lane] + 20
        assert [list(line) for line in steps[name].lines] == [[x, top, x, bottom] for x in places]
        assert steps[name].distance_m == METRES


def test_share_of_missing_frames_is_as_wanted() -> None:
    numbers = [number for number, _ in street(8, 60.0, Trouble(dropped=0.2)).frames()]
    assert 0.7 * 600 < len(numbers) < 0.9 * 600
    assert len(list(street(8, 60.0, CLEAN).frames())) == 600
