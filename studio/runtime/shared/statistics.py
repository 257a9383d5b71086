"""Intervals that the studio and its servers share."""

from __future__ import annotations

import math
from typing import Tuple

Z = 1.959963984540054
"""Quantile of the normal distribution for a two-sided 95 %."""


def wilson(hits: float, count: float, z: float = Z) -> Tuple[float, float]:
    """Return the score interval of a proportion, which stays within 0 and 1 for few samples, too.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference" (1927).

    Args:
        hits: Observed successes.
        count: Number of samples, or an effective number; none give 0 to 1.
        z: Quantile; 95 % by default.
    """
    if not count:
        return 0.0, 1.0
    share, scale = hits / count, 1 + z * z / count
    middle = (share + z * z / (2 * count)) / scale
    half = z / scale * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    # Rounding must not put the share itself outside.
    return max(0.0, min(middle - half, share)), min(1.0, max(middle + half, share))
