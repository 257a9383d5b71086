"""Tracks of objects that vanish, cross, crowd and jump."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from studio.runtime.apps.tracking.tracker import Tracker, TrackerSettings
from tests.unit.runtime.apps.walks import standing

FPS = 10.0


def ids_of(
    tracker: Tracker,
    time: float,
    feet: Sequence[tuple[float, float]],
    scores: Sequence[float] | None = None,
    labels: Sequence[str] | None = None,
) -> list[int]:
    """Numbers of the objects of one frame."""
    seen = standing(feet, scores=scores, labels=labels)
    return tracker.update(time, seen.corners, seen.scores, seen.labels).tolist()


def tracker(**settings: float | bool) -> Tracker:
    """A tracker with some settings that are not the default."""
    return Tracker(TrackerSettings()._replace(**settings))


def test_objects_of_the_first_frame_have_numbers_at_once() -> None:
    assert ids_of(tracker(), 0.0, [(100, 100), (300, 100)]) == [1, 2]


def test_a_later_object_has_one_after_enough_sightings() -> None:
    one = tracker(confirm=3)
    ids_of(one, 0.0, [])
    assert [ids_of(one, at / FPS, [(100, 100)]) for at in range(1, 5)] == [[0], [0], [1], [1]]


def test_a_flash_never_has_a_number() -> None:
    one = tracker()
    ids_of(one, 0.0, [])
    seen = [ids_of(one, at / FPS, [(100.0 + 300 * (at % 3), 100)]) for at in range(1, 10)]
    assert seen == [[0]] * 9


def test_an_object_that_vanishes_and_returns_on_its_path_keeps_its_number() -> None:
    one = tracker()
    paths = [[(100 + 6.0 * at, 200)] if at < 20 or at >= 32 else [] for at in range(50)]
    seen = [ids_of(one, at / FPS, path) for at, path in enumerate(paths)]
    assert seen[:20] == [[1]] * 20
    assert seen[32:] == [[1]] * 18


def test_an_object_that_returns_after_a_gap_of_10_s_is_a_new_one() -> None:
    one = tracker()
    for at in range(10):
        ids_of(one, at / FPS, [(100, 200)])
    assert ids_of(one, 11.0, [(100, 200)]) == [0]
    assert one.size == 1
    assert ids_of(one, 11.1, [(100, 200)]) == [2]


def test_objects_whose_paths_cross_keep_their_numbers() -> None:
    one = tracker()
    for at in range(60):
        feet = [(100 + 8.0 * at, 200 + 2.0 * at), (572 - 8.0 * at, 318 - 2.0 * at)]
        seen = ids_of(one, at / FPS, feet)
        assert seen == [1, 2]


def test_objects_that_hide_each_other_where_they_cross_keep_their_numbers() -> None:
    one = tracker()
    for at in range(60):
        feet = [(100 + 8.0 * at, 200), (572 - 8.0 * at, 205)]
        hidden = abs(feet[0][0] - feet[1][0]) < 20
        seen = ids_of(one, at / FPS, feet[1:] if hidden else feet)
        assert seen[-1:] == [2]
        assert hidden or seen == [1, 2]


def test_numbers_do_not_depend_on_dropped_frames() -> None:
    draws = np.random.default_rng(9)
    one = tracker()
    ids_of(one, 0.0, [(100, 200), (700, 300)])
    for at in range(1, 100):
        if draws.random() < 0.4:
            continue
        noise = draws.normal(0, 2, 4)
        feet = [
            (100 + 7.0 * at + noise[0], 200 + noise[1]),
            (700 - 6.0 * at + noise[2], 300 + noise[3]),
        ]
        assert ids_of(one, at / FPS, feet) == [1, 2]


def test_a_box_with_a_low_score_continues_a_track_and_begins_none() -> None:
    one = tracker()
    ids_of(one, 0.0, [(100, 200)])
    for at in range(1, 20):
        assert ids_of(one, at / FPS, [(100, 200), (400, 200)], [0.2, 0.3]) == [1, 0]


def test_another_class_is_another_track() -> None:
    one = tracker()
    ids_of(one, 0.0, [(100, 200)], labels=["car"])
    assert ids_of(one, 0.1, [(100, 200)], labels=["person"]) == [0]
    assert ids_of(one, 0.2, [(100, 200), (100, 200)], labels=["person", "car"]) == [2, 1]


def test_by_votes_a_vehicle_that_flickers_between_classes_is_one_track() -> None:
    one = tracker(vote=True)
    for at in range(30):
        label = "truck" if at % 3 == 1 else "car"
        assert ids_of(one, at / FPS, [(100 + 9.0 * at, 200)], labels=[label]) == [1]
        assert one.classes() == ("car",)


def test_by_votes_two_boxes_of_one_vehicle_are_one_track() -> None:
    one = tracker(vote=True)
    for at in range(10):
        feet = [(100 + 9.0 * at, 200), (101 + 9.0 * at, 200), (400, 200)]
        labels = ["truck", "car", "person"]
        seen = ids_of(one, at / FPS, feet, [0.6, 0.8, 0.9], labels)
        assert sorted(number for number in seen if number) == [1, 2]
        assert one.size == 2


def test_votes_follow_tracks_that_end() -> None:
    one = tracker(vote=True, keep_s=0.5)
    ids_of(one, 0.0, [(100, 200), (400, 200)], labels=["car", "truck"])
    for at in range(1, 20):
        ids_of(one, at / FPS, [(400, 200)], labels=["truck"])
    assert one.size == 1
    assert one.classes() == ("truck",)


def test_a_fast_object_whose_boxes_never_overlap_is_one_track() -> None:
    one = tracker()
    seen = [ids_of(one, at / FPS, [(50 + 45.0 * at, 200)]) for at in range(25)]
    assert seen == [[1]] * 25


def test_a_crowd_of_100_keeps_its_numbers() -> None:
    draws = np.random.default_rng(4)
    starts = np.array([[60.0 * (at % 10), 100.0 * (at // 10) + 100] for at in range(100)])
    speeds = draws.normal(0, 0.3, (100, 2))
    one, numbers = tracker(), np.arange(100)
    assert ids_of(one, 0.0, starts.tolist()) == (numbers + 1).tolist()
    for at in range(1, 40):
        order = draws.permutation(100)
        feet = starts + speeds * at + draws.normal(0, 1.0, (100, 2))
        assert ids_of(one, at / FPS, feet[order].tolist()) == (numbers[order] + 1).tolist()


@pytest.mark.slow
def test_memory_is_bounded_over_20_000_frames_of_new_objects() -> None:
    one = tracker(confirm=1, keep_s=1.0)
    largest = 0
    for at in range(20_000):
        ids_of(one, at / FPS, [(1000.0 * (at % 50), 100.0)], labels=["person"])
        largest = max(largest, one.size)
    assert largest <= 12
    assert ids_of(one, 1e6, [(0, 100)])[0] > 10_000


def test_time_that_stands_still_changes_nothing() -> None:
    one = tracker()
    for _ in range(20):
        assert ids_of(one, 5.0, [(100, 200)]) == [1]
