"""Early-stopping estimates, limits of a share, late requests that come together."""

from __future__ import annotations

import pytest

from studio.runtime.bench.measures.open_loop import design_effect, over_share
from studio.runtime.bench.statistics.binomial import early_stopping, share_interval


@pytest.mark.parametrize(
    ("count", "percentile", "discarded"),
    # What LoadGen 6.0.17 prints for so many samples ("would discard N highest latency queries").
    [
        (64, 90, 0), (70, 90, 0), (128, 75, 19), (662, 99, 0), (1000, 90, 77), (2048, 90, 172),
        (2116, 90, 178), (2145, 90, 181), (3000, 99, 16), (5000, 50, 2416),
    ],
)  # fmt: skip
def test_the_estimate_is_loadgens(count, percentile, discarded):
    assert early_stopping(list(range(count)), percentile) == count - 1 - discarded


@pytest.mark.parametrize(("count", "percentile"), [(0, 90), (1, 90), (63, 90), (661, 99)])
def test_too_few_samples_have_no_estimate(count, percentile):
    assert early_stopping(list(range(count)), percentile) is None


def test_limits_of_a_share_are_clopper_pearsons():
    assert share_interval(0, 299, 0.05) == (0.0, pytest.approx(0.0099691, abs=1e-6))
    assert share_interval(5, 1000, 0.025) == (
        pytest.approx(0.00162542, abs=1e-7),
        pytest.approx(0.01162947, abs=1e-7),
    )
    assert share_interval(10, 10, 0.05)[1] == 1.0
    assert share_interval(0, 0, 0.05) == (0.0, 1.0)


def test_late_requests_that_come_together_count_for_less():
    spread = [number % 50 == 0 for number in range(2000)]
    together = [number < 40 for number in range(2000)]
    assert design_effect(spread) == 1.0
    assert design_effect(together) > 10
    assert over_share(together, 0.05)[1] > over_share(spread, 0.05)[1]
