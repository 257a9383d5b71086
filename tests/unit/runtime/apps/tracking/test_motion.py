"""The filter of all tracks, against the matrices of the same model."""

from __future__ import annotations

import numpy as np
import pytest

from studio.runtime.apps.tracking import motion
from studio.runtime.apps.tracking.motion import BoxMotion, slopes

BOXES = np.array([[100.0, 50.0, 20.0, 60.0], [400.0, 300.0, 50.0, 120.0]])


def matrix_filter(times: list[float], places: np.ndarray, height: float) -> np.ndarray:
    """Place and velocity of one coordinate by the textbook's matrices."""
    state = np.array([places[0], 0.0])
    noise = (motion._JITTER * height) ** 2
    spread = np.diag([noise, (motion._FIRST_SPEED * height) ** 2])
    turn = (motion._TURN * height) ** 2
    for before, now, place in zip(times, times[1:], places[1:], strict=False):
        dt = now - before
        move = np.array([[1.0, dt], [0.0, 1.0]])
        drift = turn * np.array([[dt**3 / 3, dt**2 / 2], [dt**2 / 2, dt]])
        state, spread = move @ state, move @ spread @ move.T + drift
        gain = spread[:, 0] / (spread[0, 0] + noise)
        state = state + gain * (place - state[0])
        spread = spread - np.outer(gain, spread[0])
    return state


def test_it_is_the_kalman_filter_of_the_textbook_at_unequal_times() -> None:
    draws = np.random.default_rng(5)
    times = [0.0, *np.cumsum(draws.uniform(0.02, 0.4, 30)).tolist()]
    places = 100 + 55 * np.array(times) + draws.normal(0, 3, 31)
    tracks = BoxMotion()
    boxes = np.repeat(BOXES[:1], 31, axis=0)
    boxes[:, 0] = places
    tracks.add(boxes[:1])
    for at in range(1, 31):
        tracks.predict(times[at] - times[at - 1])
        tracks.update(np.array([0]), boxes[at : at + 1])
    expected = matrix_filter(times, places, 60.0)
    assert [tracks.means[0, 0], tracks.rates[0, 0]] == pytest.approx(expected.tolist())
    assert tracks.rates[0, 0] == pytest.approx(55, abs=20)


def test_two_steps_in_time_are_one() -> None:
    halves, whole = BoxMotion(), BoxMotion()
    for one, steps in ((halves, 4), (whole, 1)):
        one.add(BOXES)
        one.predict(0.1)
        one.update(np.array([0, 1]), BOXES + np.array([5, 2, 0, 0]))
        for _ in range(steps):
            one.predict(1.2 / steps)
    assert halves.means == pytest.approx(whole.means)
    assert halves.reach() == pytest.approx(whole.reach())


def test_the_reach_grows_while_an_object_is_not_seen_and_shrinks_when_it_is() -> None:
    tracks = BoxMotion()
    tracks.add(BOXES)
    tracks.predict(0.5)
    lost = tracks.reach()
    tracks.update(np.array([1]), BOXES[1:])
    seen = tracks.reach()
    assert (seen[1] < lost[1]).all()
    assert (seen[0] == lost[0]).all()


def test_slopes_are_those_of_straight_lines() -> None:
    times = np.array([0.0, 0.3, 0.4, 1.1])
    values = np.column_stack([2 + 3 * times, 5 - times])
    assert slopes(times, values) == pytest.approx([3.0, -1.0])
