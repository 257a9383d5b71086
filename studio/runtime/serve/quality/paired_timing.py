"""Ratio of the run times of two sessions, from interleaved runs under load.

Other load only adds to a run, for a moment or for a minute, and not equally to both of a pair: the
session that clients use is in the caches more often. So a pair is the least time of each in a few
turns. A stretch of time has the lower quintile of its pairs for each, of inputs of the same shapes.
Since a disturbance lasts for a while, a stretch counts once: a rule that needs independent
observations (see ``release.sequential``) receives stretches.
"""

from __future__ import annotations

import math
import time
from collections import deque
from statistics import median
from typing import Callable, Deque, Dict, Hashable, List, Optional, Sequence, Tuple

STRETCH_S = 0.5
"""At least: of a slow model each pair is a stretch of its own."""
COLD = 2
"""Pairs that are left out: the first runs of a session find nothing in the caches."""
_LOWER = 0.2
_LONGEST_S = 0.02
_MOST_TURNS = 8
_KEPT = 64

Run = Callable[[], object]
Clock = Callable[[], float]
Pair = Tuple[float, float]


def pair(runs: Sequence[Run], clock: Clock) -> Pair:
    """Return the least time of each of two runs on the same inputs; 0 if the clock is too coarse.

    The runs are interleaved and the order changes, so that a disturbance affects both.

    Args:
        clock: Seconds, of what a run takes.
    """
    least, spent = [math.inf, math.inf], 0.0
    for turn in range(_MOST_TURNS):
        for which in (0, 1) if turn % 2 else (1, 0):
            start = clock()
            runs[which]()
            took = clock() - start
            least[which] = min(least[which], took)
            spent += took
        if turn % 2 and spent >= _LONGEST_S:
            break
    return least[0], least[1]


class PairedTiming:
    """Pairs of runs, counted by stretches of time.

    Args:
        beyond: Times as long from which a stretch counts as slower.
        clock: Seconds that never go back.

    Attributes:
        stretches, slower: Stretches that are over, and those of them that were slower.
    """

    def __init__(self, beyond: float, clock: Clock = time.monotonic) -> None:
        self.stretches = self.slower = 0
        self._beyond = beyond
        self._clock = clock
        self._cold = COLD
        self._pairs: Dict[Hashable, List[Pair]] = {}
        self._begun = clock()
        self._ratios: Deque[float] = deque(maxlen=_KEPT)

    def add(self, shapes: Hashable, found: Pair) -> None:
        """Count a pair in.

        Args:
            shapes: Of its inputs; times are compared among pairs that are alike in them.
        """
        now = self._clock()
        # A time of 0 is below the resolution of the clock and has no ratio.
        if self._cold or min(found) <= 0.0:
            self._cold = max(self._cold - 1, 0)
            self._begun = now
            return
        self._pairs.setdefault(shapes, []).append(found)
        if now - self._begun >= STRETCH_S:
            self._end_stretch()
            self._begun = now

    def _end_stretch(self) -> None:
        ratio = _ratio(list(self._pairs.values()))
        self._ratios.append(ratio)
        self.stretches += 1
        self.slower += ratio > self._beyond
        self._pairs.clear()

    @property
    def ratio(self) -> Optional[float]:
        """Median of the last stretches; None before the first."""
        return median(self._ratios) if self._ratios else None


def _ratio(groups: Sequence[Sequence[Pair]]) -> float:
    """Return the median over all pairs of the ratios of their shapes' lower quintiles."""
    found: List[float] = []
    for pairs in groups:
        place = int(_LOWER * len(pairs))
        new, old = (sorted(one[which] for one in pairs)[place] for which in (0, 1))
        found += [new / old] * len(pairs)
    return median(found)
