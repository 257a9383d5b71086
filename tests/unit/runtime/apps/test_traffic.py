"""Composed traffic through tracker and line: counts, directions and classes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.rigs.traffic import CLEAN, HARD, LINE, Scene, crowd, matched, street
from tests.unit.runtime.apps.walks import step


def crossings(scene: Scene) -> list[tuple[float, str, str]]:
    """Time, direction and label of each crossing that is found."""
    line = step("line", {"start": list(LINE[0]), "end": list(LINE[1])})
    track = step("track", {})
    return [
        (now.time, event.details["direction"], event.details["label"])
        for now, objects in scene.frames()
        for event in line.process(now, track.process(now, objects).value).events
    ]


@pytest.mark.parametrize("seed", [1, 2])
def test_a_clean_street_is_counted_exactly_by_direction_and_class(seed: int) -> None:
    scene = street(seed, 16)
    assert matched(crossings(scene), scene, 0.3) == (16, 0, 0)


@pytest.mark.parametrize("seed", [3, 4])
def test_dropped_frames_do_not_change_the_counts(seed: int) -> None:
    scene = street(seed, 16, replace(CLEAN, dropped=0.3))
    assert matched(crossings(scene), scene, 0.3) == (16, 0, 0)


def test_persons_who_hide_each_other_are_counted_up_to_3_percent() -> None:
    right = missed = false = 0
    for seed in range(5, 8):
        scene = crowd(seed, 16, HARD)
        found = matched(crossings(scene), scene)
        right, missed, false = right + found[0], missed + found[1], false + found[2]
    assert 2 * right / (2 * right + missed + false) >= 0.97
