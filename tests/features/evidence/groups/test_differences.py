"""Differences of means: published examples, tests, and Holm's adjustment."""

from __future__ import annotations

import math

import numpy
import pytest
from numpy.typing import NDArray

from studio.features.evidence.groups.differences import difference, holm, paired_difference

Floats = NDArray[numpy.float64]


def figures(right: int, count: int) -> Floats:
    return numpy.array([1.0] * right + [0.0] * (count - right))


@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    # Newcombe, "Interval estimation for the difference between independent proportions" (1998),
    # table II, method 10.
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((10, 10), (0, 20), 0.6791, 1.0),
    ],
)
def test_newcombes_interval_gives_the_published_examples(
    one: tuple[int, int], other: tuple[int, int], low: float, high: float
) -> None:
    found = difference(figures(*one), figures(*other), 0)
    assert found.low == pytest.approx(low, abs=6e-5)
    assert found.high == pytest.approx(high, abs=6e-5)


def test_fishers_mid_p_by_counting_all_tables() -> None:
    # 2 of 5 against 5 of 5: hypergeometric weights of 7 right ones in two groups of 5.
    weights = {k: math.comb(5, k) * math.comb(5, 7 - k) / math.comb(10, 7) for k in range(2, 6)}
    found = difference(figures(2, 5), figures(5, 5), 0)
    assert found.p == pytest.approx((weights[2] + weights[5]) / 2)


def test_mcnemars_mid_p_by_hand() -> None:
    # One sample became better, eight became worse.
    now = numpy.array([1.0] + [0.0] * 8 + [1.0] * 20)
    before = numpy.array([0.0] + [1.0] * 8 + [1.0] * 20)
    tail = sum(math.comb(9, k) for k in (0, 1)) / 2**9
    assert paired_difference(now, before, 0).p == pytest.approx(2 * tail - 9 / 2**9)


def test_equal_figures_are_no_difference() -> None:
    found = paired_difference(figures(15, 20), figures(15, 20), 0)
    assert found.p == 1
    assert not found.is_significant
    assert found.low == -(found.high or 0)
    assert found.high


@pytest.mark.parametrize("count", [30, 400])
def test_groups_of_other_figures_with_a_clear_gap_differ(count: int) -> None:
    random = numpy.random.default_rng(0)
    found = difference(random.beta(9, 2, count), random.beta(4, 4, count), 0)
    assert found.is_significant
    assert found.low is not None
    assert found.low > 0


def test_equal_groups_are_rarely_called_different() -> None:
    random = numpy.random.default_rng(2)
    called = sum(
        difference(random.beta(9, 2, 20), random.beta(9, 2, 20), k).is_significant
        for k in range(100)
    )
    assert called <= 10


def test_changes_of_other_figures_on_the_same_samples() -> None:
    random = numpy.random.default_rng(0)
    before = random.beta(9, 4, 40)
    found = paired_difference(before - 0.03 + random.normal(0, 0.01, 40), before, 0)
    assert found.is_significant
    assert found.high is not None
    assert found.high < 0


def test_a_group_without_a_sample_has_no_difference() -> None:
    found = difference(figures(0, 0), figures(1, 2), 0)
    assert found.value is None
    assert found.p is None
    assert not found.is_significant


def test_holms_adjustment_by_hand() -> None:
    assert holm([0.01, None, 0.04, 0.03, 0.5]) == pytest.approx([0.04, None, 0.09, 0.09, 0.5])


def test_an_adjusted_p_value_decides() -> None:
    gap = difference(figures(20, 40), figures(30, 40), 0)
    assert gap.is_significant
    (adjusted, *_) = holm([gap.p, 0.5, 0.6])
    assert adjusted is not None
    assert adjusted > 0.05
