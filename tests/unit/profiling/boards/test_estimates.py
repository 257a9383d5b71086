"""Student's distribution, standard errors and the random-effects mean."""

from __future__ import annotations

import math

import pytest

from studio.profiling.boards.estimates import BoardEstimate, median_interval, pooled
from studio.runtime.bench.statistics.student import beyond, quantile

BCG = (
    *((-0.8893, 0.3256), (-1.5854, 0.1946), (-1.3481, 0.4154), (-1.4416, 0.0200)),
    *((-0.2175, 0.0512), (-0.7861, 0.0069), (-1.6209, 0.2230), (0.0120, 0.0040)),
    *((-0.4694, 0.0564), (-1.3713, 0.0730), (-0.3394, 0.0124), (0.4459, 0.5325)),
    (-0.0173, 0.0714),
)
"""Log risk ratios and variances of the thirteen BCG trials (Colditz et al. 1994)."""


@pytest.mark.parametrize(
    ("alpha", "freedom", "value"),
    [(0.05, 1, 12.706), (0.05, 7, 2.365), (0.05, 30, 2.042), (0.01, 10, 3.169), (0.001, 5, 6.869)],
)
def test_quantiles_are_those_of_the_tables(alpha: float, freedom: float, value: float) -> None:
    assert quantile(alpha, freedom) == pytest.approx(value, abs=6e-4)


@pytest.mark.parametrize("freedom", [1, 4.5, 40])
def test_the_probability_beyond_a_quantile_is_its_level(freedom: float) -> None:
    assert beyond(quantile(0.003, freedom), freedom) == pytest.approx(0.003, rel=1e-6)


def test_the_mean_of_a_known_meta_analysis() -> None:
    found = pooled([BoardEstimate(value, math.sqrt(variance), 10) for value, variance in BCG])
    assert found is not None
    assert found.spread**2 == pytest.approx(0.318, abs=2e-3)
    assert found.log_ratio == pytest.approx(-0.715, abs=2e-3)
    assert found.error == pytest.approx(0.181, abs=2e-3)


def test_boards_that_agree_have_no_spread() -> None:
    found = pooled([BoardEstimate(0.1, 0.02, 10)] * 4)
    assert found is not None
    assert found.spread == 0.0
    assert found.error == pytest.approx(0.01)
    assert found.heterogeneity == 0.0


def test_one_board_has_no_mean() -> None:
    assert pooled([BoardEstimate(0.1, 0.02, 10)]) is None


def test_two_boards_have_no_prediction() -> None:
    found = pooled([BoardEstimate(0.1, 0.02, 10), BoardEstimate(0.2, 0.02, 10)])
    assert found is not None
    assert found.next_board(0.05) is None


def test_another_board_is_expected_in_a_wider_interval_than_the_mean() -> None:
    found = pooled([BoardEstimate(value, 0.01, 10) for value in (0.0, 0.1, 0.2, 0.3)])
    assert found is not None
    beyond_mean = found.next_board(0.05)
    assert beyond_mean is not None
    low, high = found.interval(0.05)
    assert beyond_mean[0] < low
    assert beyond_mean[1] > high


def test_an_interval_comes_back_from_its_estimate() -> None:
    found = BoardEstimate.of(1.1, 1.0, 1.21, 0.95, 40)
    assert found is not None
    assert found.interval(0.05) == pytest.approx((1.0, 1.21), rel=1e-9)


@pytest.mark.parametrize(
    ("ratio", "low", "high", "confidence"),
    [
        (None, 0.9, 1.1, 0.95),
        (1.0, None, None, 0.95),
        (1.0, 0.9, 1.1, 0.0),
        (1.0, 0.9, 1.1, None),
        (math.nan, 0.9, 1.1, 0.95),
        (math.inf, math.inf, math.inf, 0.95),
        (-1.0, -2.0, -0.5, 0.95),
    ],
)
def test_too_few_rounds_or_impossible_ones_give_no_estimate(
    ratio: float | None, low: float | None, high: float | None, confidence: float | None
) -> None:
    assert BoardEstimate.of(ratio, low, high, confidence, 5) is None


def test_a_ratio_within_the_margin_is_never_significant() -> None:
    assert BoardEstimate(math.log(1.02), 1e-6, 10).p_value(0.03) == 1.0


def test_the_interval_of_a_median_needs_eight_rounds() -> None:
    assert median_interval([1.0] * 7) is None


def test_the_interval_of_a_median_holds_it() -> None:
    found = median_interval([1.0 + 0.01 * (number % 5) for number in range(40)])
    assert found is not None
    assert found[0] < 1.02 < found[1]
