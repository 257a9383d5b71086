"""Windows hold the samples that they should, and levels are those of textbooks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from studio.runtime.apps.items import FrameStamp
from studio.runtime.apps.settings import AppError
from studio.runtime.apps.steps.signals import Level, LevelSettings, Window, WindowSettings, levels
from tests.unit.runtime.apps.parts import Context


def stamp(moment: float) -> FrameStamp:
    return FrameStamp("machine", 0, moment, 0.0, 0.0)


def windows(
    signal: np.ndarray, pieces: list[int], rate_hz: float, size: float, every: float, start: float
) -> list[np.ndarray]:
    """Windows of a signal that comes in pieces."""
    step = Window("w", WindowSettings(rate_hz, size, every), Context())
    found: list[np.ndarray] = []
    at = 0
    for length in pieces:
        piece = signal[at : at + length]
        output = step.process(stamp(start + at / rate_hz), piece)
        found += [] if output.value is None else [output.value]
        at += length
    return found


def test_the_first_window_may_begin_later() -> None:
    step = Window("w", WindowSettings(100.0, 0.05, 0.02, skip=0.03), Context())
    signal, found = np.arange(20, dtype=np.float32), []
    for at in range(0, 20, 2):
        output = step.process(stamp(at / 100.0), signal[at : at + 2])
        found += [] if output.value is None else [output.value[:, 0].tolist()]
    assert found[:3] == [[3, 4, 5, 6, 7], [5, 6, 7, 8, 9], [7, 8, 9, 10, 11]]
    after_a_gap = step.process(stamp(9.0), signal[:9]).value
    assert after_a_gap[:, 0].tolist() == [3, 4, 5, 6, 7]


def test_a_negative_beginning_is_refused() -> None:
    with pytest.raises(AppError, match="skip is up to"):
        Window("w", WindowSettings(100.0, 0.05, skip=-0.1), Context())


@pytest.mark.parametrize("start", [0.0, 123456.789, 3.2e7])
@pytest.mark.parametrize(
    ("rate_hz", "size", "every"),
    [
        (100.0, 0.5, 0.25),
        (100.0, 0.5, 0.0),
        (44100.0, 0.01, 0.007),
        (100.0, 0.1, 0.33),
        (3, 1, 1.5),
    ],
)
def test_windows_begin_where_the_sum_of_their_distances_has_them(
    start: float, rate_hz: float, size: float, every: float
) -> None:
    draws = np.random.default_rng(1)
    distance = rate_hz * (every or size)
    pieces = [int(one) for one in draws.integers(1, max(2, int(distance)), 400)]
    signal = np.arange(sum(pieces), dtype=np.float32)
    found = windows(signal, pieces, rate_hz, size, every, start)
    length = round(rate_hz * size)
    firsts = [round(number * distance) for number in range(len(found) + 2)]
    assert [int(one[0, 0]) for one in found] == firsts[: len(found)]
    assert all(np.array_equal(one[:, 0], one[0, 0] + np.arange(length)) for one in found)
    assert len(found) > 5
    assert firsts[len(found) + 1] + length > len(signal)  # at most one window is yet to come


def test_a_gap_in_the_times_begins_the_windows_again() -> None:
    step = Window("w", WindowSettings(10.0, 1.0), Context())
    piece = np.ones((6, 2), np.float32)
    assert step.process(stamp(0.0), piece).value is None
    assert step.process(stamp(5.0), piece * 2).value is None
    found: Any = step.process(stamp(5.6), piece * 2).value
    assert found.shape == (10, 2)
    assert found.min() == 2


def rates(numbers: list[int], samples: int) -> Window:
    """Return a step for 16,000 samples a second that has taken pieces of a tenth of a second."""
    step = Window("w", WindowSettings(16000.0, 0.5), Context())
    for number in numbers:
        moment = stamp(number / 10)._replace(number=number)
        step.process(moment, np.zeros(samples, np.float32))
    return step


def test_a_source_with_another_rate_is_named() -> None:
    with pytest.raises(ValueError, match="the source gives 44,100 samples a second, and rate_hz"):
        rates([0, 1, 2, 3, 4], 4410)


def test_gaps_of_dropped_pieces_are_no_other_rate() -> None:
    rates(list(range(0, 40, 2)), 1600)
    rates([0, 1, 2, 5, 6, 7, 20, 21], 1600)


def test_another_number_of_channels_begins_the_windows_again() -> None:
    step = Window("w", WindowSettings(10.0, 1.0), Context())
    assert step.process(stamp(0.0), np.ones((6, 2))).value is None
    assert step.process(stamp(0.6), np.ones((6, 1))).value is None
    assert step.process(stamp(1.2), np.ones(6)).value.shape == (10, 1)


def test_pieces_that_hold_several_windows_are_a_fault_in_words() -> None:
    step = Window("w", WindowSettings(10.0, 0.2), Context())
    with pytest.raises(ValueError, match="piece_s"):
        step.process(stamp(0.0), np.ones((10, 1)))


def test_memory_of_a_long_signal_is_bounded() -> None:
    step = Window("w", WindowSettings(1000.0, 0.1, 0.3), Context())
    for number in range(2000):
        step.process(stamp(number * 0.1), np.zeros((100, 1), np.float32))
    assert step._samples is not None
    assert len(step._samples) <= 400


@pytest.mark.parametrize("settings", [(0.0, 1.0, 0.0), (10.0, 0.0, 0.0), (10.0, 1.0, 0.01)])
def test_windows_of_less_than_a_sample_are_refused(settings: tuple[float, float, float]) -> None:
    with pytest.raises(AppError, match="one to"):
        Window("w", WindowSettings(*settings), Context())


def test_levels_of_a_sine() -> None:
    times = np.arange(4000) / 4000
    found = levels(7.0 + 2.0 * np.sin(2 * np.pi * 123.4 * times), 4000.0)
    assert found["rms"] == pytest.approx(2 / np.sqrt(2), rel=0.01)
    assert found["peak"] == pytest.approx(2, rel=0.01)
    assert found["crest"] == pytest.approx(np.sqrt(2), rel=0.02)
    assert found["kurtosis"] == pytest.approx(1.5, rel=0.01)
    assert found["dominant_hz"] == pytest.approx(123.4, abs=0.1)


def test_levels_of_noise_and_of_blows() -> None:
    noise = np.random.default_rng(2).normal(0, 1, 100_000)
    assert levels(noise, 1000.0)["kurtosis"] == pytest.approx(3, abs=0.1)
    noise[::5000] += 30  # a damaged bearing
    found = levels(noise, 1000.0)
    assert found["kurtosis"] > 10
    assert found["crest"] > 10


@pytest.mark.parametrize("value", [0.0, 5.0, 1e9])
def test_a_constant_signal_has_no_levels(value: float) -> None:
    assert set(levels(np.full(100, value), 10.0).values()) == {0.0}


@pytest.mark.parametrize("length", [1, 2, 3, 4, 5])
def test_short_signals_have_finite_levels(length: int) -> None:
    found = levels(np.arange(float(length)), 10.0)
    assert np.isfinite(list(found.values())).all()


def test_channels_are_named_by_their_numbers() -> None:
    step = Level("l", LevelSettings(10.0), Context())
    samples = np.column_stack([np.arange(10.0), np.zeros(10)])
    found: Any = step.process(stamp(0.0), samples).value
    assert found["rms_0"] > 0
    assert found["rms_1"] == 0
    assert "rms" in step.process(stamp(0.0), samples[:, :1]).value
    assert step.process(stamp(0.0), np.zeros((0, 1))).value is None
