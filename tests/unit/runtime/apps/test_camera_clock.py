"""The clock of a camera: times of frames without the jitter of the network."""

from __future__ import annotations

import math
import random
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from studio.runtime.apps.sources.camera_clock import CameraClock

FPS = 25.0


def test_the_jitter_of_the_network_is_left_out() -> None:
    draws, clock = random.Random(1), CameraClock()
    times, arrivals = [], []
    for number in range(500):
        arrivals.append(1000.0 + number / FPS + 0.02 + draws.expovariate(1 / 0.03))
        arrivals[-1] = max(arrivals[-2:])  # the stream keeps its order
        times.append(clock.time_of(7.0 + number / FPS, arrivals[-1]))
    gaps = [abs(b - a - 1 / FPS) for a, b in pairwise(times[100:])]
    of_arrivals = [abs(b - a - 1 / FPS) for a, b in pairwise(arrivals[100:])]
    assert max(gaps) < 0.002
    assert max(of_arrivals) > 0.05


def test_a_clock_that_is_slower_is_followed() -> None:
    clock = CameraClock()
    for number in range(25 * 3600):
        at = 50.0 + number / FPS
        found = clock.time_of(number / FPS * 0.9995, at)
        assert at - 0.01 <= found <= at


def test_a_camera_that_begins_again_has_a_new_beginning() -> None:
    clock = CameraClock()
    assert [clock.time_of(stamp, 100.0 + stamp) for stamp in (5.0, 5.04)] == [105.0, 105.04]
    assert clock.time_of(0.0, 110.0) == 110.0
    assert math.isclose(clock.time_of(0.04, 110.05), 110.05)
    assert math.isclose(clock.time_of(0.08, 110.08), 110.08)


def test_without_time_stamps_the_time_is_that_of_the_arrival() -> None:
    for stamp in (0.0, -1.0, math.nan, math.inf):
        clock = CameraClock()
        clock.time_of(stamp, 9.0)
        assert [clock.time_of(stamp, at) for at in (10.0, 10.1, 10.5)] == [10.0, 10.1, 10.5]


@given(
    st.lists(
        st.tuples(st.floats(allow_nan=True, width=32), st.floats(0.001, 5.0)),
        min_size=1,
        max_size=40,
    )
)
def test_times_rise_and_are_never_later_than_the_arrival(frames: list[tuple[float, float]]) -> None:
    clock, arrived, before = CameraClock(), 1000.0, -math.inf
    for stamp, gap in frames:
        arrived += gap
        found = clock.time_of(stamp, arrived)
        assert before < found <= arrived
        before = found
