"""Release counters, and the largest one accepted from other computers."""

from __future__ import annotations

from studio.api import Refused
from studio.runtime.shared.manifest import MOST_COUNTER

MOST = MOST_COUNTER

MOST_FOREIGN = 1 << 40
"""Counters follow the clock in seconds, so this is tens of thousands of years ahead."""


def foreign(counter: int) -> int:
    """Check a counter from another computer; later local counters will be higher.

    Raises:
        Refused: when it leaves almost no higher counters.
    """
    if not 0 <= counter <= MOST_FOREIGN:
        raise Refused(
            f"The release counter {counter} cannot be taken over: none above it would be left.",
            hint="Package the model again on its original computer.",
        )
    return counter
