"""Intervals of means: published examples, and how often they cover a known truth."""

from __future__ import annotations

import numpy
import pytest

from studio.features.evidence.groups.intervals import (
    BOOTSTRAP,
    EFFECTIVE,
    NONE,
    WILSON,
    mean_interval,
)
from studio.runtime.shared.statistics import wilson
from tests.benchmarks.bench_intervals import FIGURES, accuracy, covered, mixed


@pytest.mark.parametrize(
    ("values", "method"),
    [
        ([], NONE),
        ([1.0], WILSON),
        ([0.0, 1.0, 1.0], WILSON),
        ([0.5], NONE),
        ([30.0], NONE),
        ([1.0, 1.0, 0.5, 1.0], EFFECTIVE),
        ([0.5, 0.5, 0.5], BOOTSTRAP),
        ([0.4, 0.5, 0.6, 0.55, 0.45], BOOTSTRAP),
        ([30.0, 31.0, 29.0, 33.0], BOOTSTRAP),
    ],
)
def test_the_method_follows_the_figures(values: list[float], method: str) -> None:
    assert mean_interval(numpy.array(values, float), 0).method == method


@pytest.mark.parametrize("name", list(FIGURES))
def test_an_interval_has_its_mean_and_stays_between_the_possible_figures(name: str) -> None:
    random = numpy.random.default_rng(0)
    for count in (2, 3, 20):
        values = FIGURES[name](random, count)
        found = mean_interval(values, 0)
        assert found.low is not None
        assert found.high is not None
        assert found.low <= values.mean() + 1e-12
        assert found.high >= values.mean() - 1e-12
        if name != "decibels":
            assert found.low >= 0
            assert found.high <= 1


def test_equal_right_figures_leave_room_for_a_wrong_one() -> None:
    found = mean_interval(numpy.ones(20), 0)
    assert found.low == pytest.approx(20 / (20 + 1.959963984540054**2))
    assert found.high == 1


def test_equal_values_and_seeds_give_equal_intervals() -> None:
    values = numpy.random.default_rng(1).beta(9, 4, 30)
    assert mean_interval(values, 5) == mean_interval(values, 5)
    assert mean_interval(values, 5) != mean_interval(values, 6)


@pytest.mark.parametrize("count", [20, 50])
def test_intervals_of_accuracies_cover(count: int) -> None:
    assert 0.93 <= mixed(count, 1000) <= 0.97


@pytest.mark.parametrize("name", ["text, 75 % exact", "words", "boxes", "boxes, many", "narrow"])
def test_intervals_of_other_figures_cover_in_groups_of_twenty(name: str) -> None:
    truth = float(FIGURES[name](numpy.random.default_rng(1), 1_000_000).mean())
    assert 0.92 <= covered(FIGURES[name], truth, 20, 400, 2) <= 0.98


def test_an_interval_of_half_the_width_would_not_cover() -> None:
    """The simulation sees an interval that is too short."""
    random, hits = numpy.random.default_rng(3), 0
    for _ in range(300):
        share = float(accuracy(0.8)(random, 20).mean())
        low, high = wilson(20 * share, 20)
        hits += share - (share - low) / 2 <= 0.8 <= share + (high - share) / 2
    assert hits / 300 < 0.8
