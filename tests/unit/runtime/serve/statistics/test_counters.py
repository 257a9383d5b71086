"""Latency windows and rates: close to the truth, and of constant size."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from studio.runtime.serve.statistics.batch_sizes import BatchStatistics
from studio.runtime.serve.statistics.buckets import bucket_bounds, buckets_of, percentile
from studio.runtime.serve.statistics.counters import LatencyWindow, ModelStatistics, RateWindow


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
def test_percentiles_are_within_a_bucket_of_the_exact_ones(share: float) -> None:
    seconds = np.random.default_rng(1).lognormal(-6, 0.8, 20_000)
    window = LatencyWindow()
    window.record(np.full(len(seconds), 100.0), seconds)
    found = percentile(window.counts(100.0), share)
    assert found == pytest.approx(float(np.quantile(seconds, share)), rel=0.03)


@pytest.mark.parametrize("seconds", [0.0, 1e-9, 1e-5, 1.00001e-5, 0.003, 1.0, 100.0])
def test_a_duration_lies_within_its_bucket(seconds: float) -> None:
    low, high = bucket_bounds(buckets_of(np.array([seconds]))[0])
    assert low <= seconds <= high * (1 + 1e-9)


def test_very_long_durations_share_the_last_bucket() -> None:
    first, second = buckets_of(np.array([1e9, 1e12]))
    assert first == second


def test_the_window_forgets() -> None:
    window = LatencyWindow()
    window.record(np.array([10.0]), np.array([1.0]))
    assert sum(window.counts(10.0)) == 1
    assert sum(window.counts(64.0)) == 1
    assert sum(window.counts(70.1)) == 0
    window.record(np.array([70.1]), np.array([0.001]))
    assert percentile(window.counts(70.1), 0.5) == pytest.approx(0.001, rel=0.06)


def test_nothing_counted_is_zero() -> None:
    assert percentile(LatencyWindow().counts(5.0), 0.99) == 0.0
    assert RateWindow().rate(5.0, 5.0) == 0.0


def test_rate_over_the_last_seconds() -> None:
    window = RateWindow()
    window.record(1000 + np.arange(200) / 10)
    assert window.rate(1020.0, 60.0) == 10.0
    assert window.rate(1025.0, 60.0) == 5.0
    assert window.rate(1100.0, 160.0) == 0.0


def test_a_young_rate_divides_by_its_age() -> None:
    window = RateWindow()
    window.record(np.full(6, 1000.5))
    assert window.rate(1001.0, 2.0) == 3.0


def test_memory_does_not_grow_with_the_traffic() -> None:
    statistics = ModelStatistics(0.0)

    def size() -> int:
        kept = [statistics.window._counts, statistics.window._epochs, statistics.histogram]
        return sum(sys.getsizeof(values) for values in kept) + len(statistics._noted)

    statistics.succeeded(0.0, 0.0, 0.001, 0.0, 0.0, 1)
    statistics.settle()
    before = size()
    for number in range(5000):
        statistics.succeeded(0.0, 0.0, 0.001, 0.0, number / 10, 2, number % 2)
    assert size() <= before + 8 * 1024  # what is noted until it is counted
    statistics.settle()
    assert size() == before
    assert statistics.executions == 2501
    assert statistics.requests == 5001
    assert statistics.inferences == 10_001
    assert statistics.totals_s.compute_infer == pytest.approx(5.001)
    assert sum(statistics.histogram) == 5001


def test_what_counts_as_an_error() -> None:
    statistics = ModelStatistics(0.0)
    for reason in ("BAD_REQUEST", "REJECTED", "BACKEND", "CANCELED"):
        statistics.failed_because(reason, 0.0)
    assert statistics.errors == 2
    assert statistics.failed == 4


def test_runs_are_counted_by_their_rows() -> None:
    statistics = ModelStatistics(0.0)
    statistics.succeeded(9.0, 0.1, 0.2, 0.3, 0.0, 2, 1, 5)  # leads a run of five rows
    statistics.succeeded(9.0, 0.1, 0.2, 0.3, 0.0, 3, 0, 5)  # shared it
    statistics.succeeded(9.0, 0.1, 0.4, 0.3, 0.0, 5)
    statistics.succeeded(0.0, 0.5, 0.6, 0.7, 0.0, 4, 4, 1)  # took its rows one by one
    statistics.settle()
    one, five = statistics.batches
    assert (one.rows, one.runs, five.rows, five.runs) == (1, 4, 5, 2)
    assert one[2:] == pytest.approx((0.5, 0.6, 0.7))
    assert five[2:] == pytest.approx((0.2, 0.6, 0.6))
    assert statistics.executions == one.runs + five.runs


def test_sizes_of_batches_are_few_whatever_clients_send() -> None:
    counted = BatchStatistics()
    rows = np.concatenate([np.arange(0, 5000), [10**6]])
    counted.record(rows, np.ones(len(rows)), np.ones((len(rows), 3)))
    sizes = [count.rows for count in counted]
    assert sizes == [*range(1, 129), 256, 512, 1024, 2048, 4096, 8192, 2**20]
    assert sum(count.runs for count in counted) == len(rows)
