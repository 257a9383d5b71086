"""Intervals of language models: coverage with dependent tokens, and known values."""

from __future__ import annotations

import numpy
import pytest

from studio.evaluation.language.statistics import (
    cluster_mean,
    cluster_share,
    exponential,
    mean_of,
    paired_change,
    proportion,
)

RUNS = 150


def _clustered(random: numpy.random.Generator, count: int) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Return skewed values such as divergences: neighbours of a cluster share a factor."""
    sizes = random.integers(20, 60, count)
    factors = random.gamma(3, 1 / 3, count)
    values = [
        factor * random.exponential(1, size) for factor, size in zip(factors, sizes, strict=True)
    ]
    return numpy.concatenate(values), numpy.repeat(numpy.arange(count), sizes)


@pytest.mark.parametrize("count", [10, 30])
def test_intervals_of_a_mean_cover_it(count: int) -> None:
    random, covered = numpy.random.default_rng(5), 0
    for seed in range(RUNS):
        found = cluster_mean(*_clustered(random, count), seed)
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= 1 <= found.high
    assert 0.91 <= covered / RUNS <= 0.99


def test_tokens_as_if_independent_would_cover_too_little() -> None:
    random, covered = numpy.random.default_rng(5), 0
    for seed in range(40):
        values, _ = _clustered(random, 20)
        found = mean_of(values, seed)
        covered += (found.low or 0) <= 1 <= (found.high or 0)
    assert covered / 40 < 0.8


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_intervals_of_a_share_cover_it(share: float) -> None:
    random, covered = numpy.random.default_rng(7), 0
    for _ in range(RUNS):
        chances = random.beta(20 * share, 20 * (1 - share), 20)
        hits = (random.random((20, 50)) < chances[:, None]).astype(float).ravel()
        found = cluster_share(hits, numpy.repeat(numpy.arange(20), 50))
        covered += (found.low or 0) <= share <= (found.high or 0)
    assert 0.92 <= covered / RUNS <= 0.99


def test_equal_values_have_no_width() -> None:
    found = cluster_mean(numpy.zeros(40), numpy.arange(40) // 4)
    assert (found.value, found.low, found.high) == (0, 0, 0)


def test_a_share_of_all_may_be_less_in_truth() -> None:
    found = cluster_share(numpy.ones(400), numpy.arange(400) // 40)
    assert found.high == 1
    assert found.low is not None
    assert 0.98 < found.low < 1


def test_few_clusters_give_no_interval() -> None:
    found = cluster_mean(numpy.arange(8.0), numpy.arange(8) // 2)
    assert (found.value, found.low, found.high) == (3.5, None, None)


def test_the_same_seed_gives_the_same_interval() -> None:
    values, clusters = _clustered(numpy.random.default_rng(1), 12)
    assert cluster_mean(values, clusters, 3) == cluster_mean(values, clusters, 3)


def test_a_proportion_has_the_exact_interval() -> None:
    found = proportion(8, 10)
    # Clopper and Pearson's, from tables.
    assert (found.low, found.high) == pytest.approx((0.4439, 0.9748), abs=1e-4)
    assert proportion(0, 5).low == 0
    assert proportion(5, 5).high == 1


def test_paired_answers_have_mcnemars_value() -> None:
    now = numpy.array([1.0] * 9 + [0.0] * 2 + [1.0] * 20)
    before = numpy.array([0.0] * 9 + [1.0] * 2 + [1.0] * 20)
    found = paired_change(now, before)
    assert (found.better, found.worse) == (9, 2)
    assert found.value == pytest.approx(7 / 31)
    # Twice P(X <= 2) for 11 fair coins, less P(X = 2): (134 - 55) / 2048.
    assert found.p == pytest.approx((2 * 67 - 55) / 2048)
    assert found.low < found.value < found.high


def test_equal_answers_are_no_change() -> None:
    found = paired_change(numpy.ones(5), numpy.ones(5))
    assert (found.value, found.p) == (0, 1)
    assert found.low < 0 < found.high


def test_an_endless_perplexity_is_infinite() -> None:
    found = exponential(cluster_mean(numpy.full(10, 1e4), numpy.arange(10)))
    assert found.value == float("inf")
