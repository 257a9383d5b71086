"""The choice of some samples out of many."""

from __future__ import annotations

from collections.abc import Sequence


def spread(total: int, limit: int | None) -> Sequence[int]:
    """Return at most ``limit`` ascending indices, spread evenly over ``total`` samples.

    Evenly rather than the first ones, because data often lies class by class.
    """
    if not limit or limit >= total:
        return range(total)
    return tuple(index * total // limit for index in range(limit))
