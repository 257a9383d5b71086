"""Which rounds count, and what each candidate took in them."""

from __future__ import annotations

import statistics
from typing import Sequence

from ..events import Round


def clean(rounds: Sequence[Round]) -> Sequence[Round]:
    """Return the rounds that nothing spoiled; all of them where the machine was never quiet.

    Dropping more than half would leave a selection rather than a measurement.
    """
    kept = [each for each in rounds if not each.spoiled]
    return kept if 2 * len(kept) >= len(rounds) else rounds


def times(rounds: Sequence[Round], candidate: str, kind: str = "wall") -> list[float]:
    """Return a candidate's time for one inference in each round, in ns; NaN where it has none.

    Wall time is the median of the round's inferences, CPU time (of all threads) their mean.
    """
    found = []
    for each in rounds:
        block = each.times_ns.get(candidate)
        if not block:
            found.append(float("nan"))
        elif kind == "cpu":
            found.append(each.cpu_ns[candidate] / len(block))
        else:
            found.append(float(statistics.median(block)))
    return found
