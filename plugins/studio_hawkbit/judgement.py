"""Whether too many boards of a group have failed, judged while their answers arrive."""

from __future__ import annotations

import math

_ALPHA = 0.02
"""Probability to pause a rollout whose share of failures is at the limit, over all looks at it."""
_POINTS = 20


def too_many(failed: int, answered: int, boards: int, most_percent: float) -> bool:
    """Return whether the share of failures is beyond a limit.

    While boards are missing, the first answers decide only where they are evidence enough: a mean
    of likelihood ratios over larger shares is a test martingale, which Ville's inequality bounds
    at all looks together (Ville 1939; Robbins 1970). When all have answered, their share decides.

    Args:
        failed: Boards that have failed.
        answered: Boards that have failed or succeeded.
        boards: All boards that will answer.
        most_percent: Percent of answers that may be failures.
    """
    if not failed or 100.0 * failed <= most_percent * answered:
        return False
    if answered >= boards or most_percent <= 0.0:
        return True
    return _evidence(failed, answered - failed, most_percent / 100.0) >= -math.log(_ALPHA)


def _evidence(failed: int, succeeded: int, limit: float) -> float:
    """Return the logarithm of the mean likelihood ratio of larger shares against the limit."""
    steps = [(number + 0.5) / _POINTS for number in range(_POINTS)]
    shares = [limit + (1.0 - limit) * one for one in steps]
    ratios = [
        failed * math.log(one / limit) + succeeded * math.log((1.0 - one) / (1.0 - limit))
        for one in shares
    ]
    largest = max(ratios)
    return largest + math.log(sum(math.exp(one - largest) for one in ratios) / _POINTS)
