"""Student's distribution: tail probabilities and quantiles, without a table."""

from __future__ import annotations

from functools import lru_cache

from .binomial import incomplete_beta

_WIDEST = 1e9


def beyond(value: float, freedom: float) -> float:
    """Return the probability of a value at least as far from 0, on either side.

    By the incomplete beta function (Abramowitz and Stegun 26.7.1).

    Args:
        freedom: Degrees of freedom, above 0; they need not be whole.
    """
    return incomplete_beta(freedom / (freedom + value * value), freedom / 2, 0.5)


@lru_cache(maxsize=4096)
def quantile(alpha: float, freedom: float) -> float:
    """Return the value beyond which, on either side, lies the probability alpha."""
    low, high = 0.0, 1.0
    while beyond(high, freedom) > alpha and high < _WIDEST:
        high *= 2
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if beyond(middle, freedom) > alpha else (low, middle)
    return (low + high) / 2
