"""Histograms of unknown range, and the ranges that calibration reads from them."""

from __future__ import annotations

import contextlib
import io
import math

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from studio_onnxruntime.histogram import BINS, Histogram

NORMAL = numpy.random.default_rng(0).normal(size=200_000).astype("float32")
MOST = 4 * BINS
VALUES = st.floats(-1e6, 1e6, width=32)


def filled(*parts: numpy.ndarray) -> Histogram:
    histogram = Histogram()
    for part in parts:
        histogram.add(part)
    return histogram


@settings(max_examples=50)
@given(st.lists(arrays.arrays("float32", st.integers(1, 30), elements=VALUES), min_size=1))
def test_nothing_is_lost_whatever_the_order_and_size(parts: list[numpy.ndarray]) -> None:
    histogram = filled(*parts)
    everything = numpy.concatenate(parts)
    assert histogram.total == everything.size
    assert histogram.extremes() == (everything.min(), everything.max())
    assert len(histogram.counts) <= MOST


def test_memory_is_the_same_when_the_range_grows_a_million_times() -> None:
    histogram = filled(numpy.array([1e-6], "float32"), numpy.array([1e6, -3.0], "float32"))
    assert len(histogram.counts) <= MOST
    assert histogram.total == 3
    assert histogram.limit >= 1e6


@pytest.mark.parametrize("share", [90.0, 99.0, 99.9])
def test_percentiles_agree_with_numpy(share: float) -> None:
    parts = [NORMAL[:1000] / 50, *numpy.split(NORMAL[1000:], 199)]
    low, high = filled(*parts).percentile(share)
    everything = numpy.concatenate(parts)
    wanted = numpy.percentile(everything, [(100 - share) / 2, 100 - (100 - share) / 2])
    assert (low, high) == pytest.approx(tuple(wanted), abs=0.01)


def test_a_whole_percentile_is_the_extremes() -> None:
    histogram = filled(NORMAL)
    assert histogram.percentile(100) == pytest.approx(histogram.extremes(), abs=0.002)


def test_a_floor_moves_the_cut_of_the_lower_end() -> None:
    assert filled(NORMAL).percentile(99, floor=0.0)[0] == 0.0


def test_one_sided_values() -> None:
    low, high = filled(numpy.abs(NORMAL)).percentile(99.9)
    assert 0 <= low < 0.01
    assert 3.2 < high < 3.6


@pytest.mark.parametrize("value", [0.0, 2.5, -2.5])
def test_constant_values(value: float) -> None:
    histogram = filled(numpy.full(100, value, "float32"))
    for low, high in (histogram.percentile(99.99), histogram.entropy(), histogram.extremes()):
        assert low <= value <= high
        assert math.isfinite(low)
        assert math.isfinite(high)


def test_values_that_are_not_finite_are_left_out() -> None:
    histogram = filled(numpy.array([-numpy.inf, 1.0, 2.0, numpy.inf], "float32"))
    assert histogram.extremes() == (1.0, 2.0)
    assert histogram.total == 2


def test_nothing_at_all() -> None:
    histogram = filled(numpy.zeros((0, 3), "float32"))
    assert histogram.extremes() == histogram.percentile(99) == histogram.entropy() == (0.0, 0.0)


def test_entropy_cuts_a_lonely_extreme_and_keeps_the_body() -> None:
    low, high = filled(NORMAL, numpy.array([100.0], "float32")).entropy()
    assert -5 < low < -2
    assert 2 < high < 20


def test_entropy_is_not_drowned_by_zeros() -> None:
    rectified = NORMAL.clip(0)
    assert filled(rectified).entropy()[1] > 2


def collected(parts: list[numpy.ndarray], method: str, bins: int) -> tuple[float, float]:
    """What onnxruntime reads from the same values."""
    from onnxruntime.quantization.calibrate import HistogramCollector

    collector = HistogramCollector(method, False, bins, 128, 99.9, "same")
    with contextlib.redirect_stdout(io.StringIO()):
        collector.collect({"x": numpy.concatenate(parts)})
        low, high = collector.compute_collection_result()["x"][:2]
    return float(low), float(high)


# Growing ranges: each part reaches further than the one before.
PARTS = [NORMAL[:50_000], 1.3 * NORMAL[50_000:100_000], 1.5 * NORMAL[100_000:].clip(-0.5)]


def test_entropy_and_percentiles_are_those_of_onnxruntime() -> None:
    histogram = Histogram(max(float(numpy.abs(part).max()) for part in PARTS))
    for part in PARTS:
        histogram.add(part)
    assert histogram.entropy(512) == pytest.approx(collected(PARTS, "entropy", 512), rel=1e-3)
    wanted = collected(PARTS, "percentile", 8192)
    assert histogram.percentile(99.9) == pytest.approx(wanted, rel=0.01)


def test_bins_are_added_up_in_pairs_around_zero_when_there_are_too_many() -> None:
    histogram = filled(numpy.array([-1.0, 1.0], "float32"), 9 * NORMAL)
    assert len(histogram.counts) <= MOST
    half = len(histogram.counts) // 2
    below = int((NORMAL < 0).sum()) + 1
    assert abs(int(histogram.counts[:half].sum()) - below) < 5
    assert histogram.percentile(99)[1] == pytest.approx(9 * numpy.quantile(NORMAL, 0.995), rel=0.01)


@pytest.mark.parametrize("share", [90, 99, 99.99, 100])
def test_symmetric_percentiles_agree_with_numpy(share: float) -> None:
    values = numpy.concatenate([NORMAL * 0.5, NORMAL[NORMAL < 0] - 2])
    wanted = numpy.percentile(numpy.abs(values), share, method="inverted_cdf")
    assert filled(values).symmetric(share) == pytest.approx(wanted, abs=0.002)


def test_symmetric_percentiles_of_nothing_and_of_zeros() -> None:
    assert Histogram().symmetric(99) == 0
    assert filled(numpy.zeros(4, "float32")).symmetric(99) == 0
