"""Counts of replaced workers, and the delay before the next."""

from __future__ import annotations

import time
from typing import Dict

_FIRST_S = 0.2
_LAST_S = 10.0
_STEADY_S = 60.0
_FIRST_TRIES = 3

CRASH, HANG = "crash", "hang"


class Restarts:
    """The pauses between restarts double while workers end soon after their start.

    Attributes:
        due: Monotonic time of the next restart; infinite when none is wanted.
        counts: Workers that were replaced, by the reason.
    """

    def __init__(self) -> None:
        self.due = float("inf")
        self.counts: Dict[str, int] = {CRASH: 0, HANG: 0}
        self._failures = 0

    @property
    def tried_enough(self) -> bool:
        """Whether it is time to give up what has never worked."""
        return self._failures >= _FIRST_TRIES

    def ended(self, lived_s: float, was_ready: bool, hung: bool) -> None:
        """Count a worker that crashed or was killed."""
        self._failures = 0 if was_ready and lived_s > _STEADY_S else self._failures + 1
        if was_ready:
            self.counts[HANG if hung else CRASH] += 1

    def at_once(self) -> None:
        """Forget what failed: something else is wanted now."""
        self._failures = 0
        self.due = time.monotonic()

    def later(self) -> None:
        """After a pause."""
        pause = min(_LAST_S, _FIRST_S * 2 ** max(0, self._failures - 1))
        self.due = time.monotonic() + pause

    def never(self) -> None:
        """No more."""
        self.due = float("inf")
