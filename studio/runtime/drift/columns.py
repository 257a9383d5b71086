"""Sequential test of single columns: a shift, another spread, or a value that stays.

Each column is a stream of bins whose edges are order statistics of the reference data. The shares
of such bins are Dirichlet distributed by their counts, whatever the column's distribution (the
statistically equivalent blocks of Tukey 1947). So the predictive shares are those of Polya's urn,
which also learns from the stream. Bets against the urn are exponential tilts of
normal scores: their product has the mean 1 while nothing changes. Restarted whenever it is below
1, it is a CUSUM e-detector (Shin, Ramdas and Rinaldo, "E-detectors: a nonparametric framework for
sequential change detection", 2024). Its limit is log(columns * bets / FALSE_FRAMES).
Then 1 / FALSE_FRAMES independent frames or more are expected before a false alarm, over all
columns, bets and looks.

A value that repeats is tested by the length of its run. A run of m independent frames has at most
the probability p ** (m - 1). Here p is the share of the most frequent value.
"""

from __future__ import annotations

import math
from typing import List, Sequence, Tuple

import numpy as np

from .reference import MAX_BINS, Signal

FALSE_FRAMES = 1e-8
"""False alarms per frame, over all columns."""
_SHIFTS = (-1.0, -0.4, 0.4, 1.0)
_SPREADS = (-0.3, 0.3)
BETS = len(_SHIFTS) + len(_SPREADS)
_SPARE = 6.0
"""How far evidence grows beyond its limit, so that it falls again when all is as before."""
_Z = 3.0
_LONGEST = 100_000


def evidence_limit(columns: int) -> float:
    """Return the evidence, in nats, at which one of some columns has changed."""
    return math.log(columns * BETS / FALSE_FRAMES)


def run_limit(values: np.ndarray, columns: int) -> int:
    """Return the length of a run of equal values that is no chance.

    Args:
        values: Of one column, in the order of the reference data.
    """
    count = len(values)
    most = int(np.unique(values, return_counts=True)[1].max())
    # Wilson's upper bound: the share of the most frequent value is only counted.
    spread = _Z * math.sqrt(most * (1 - most / count) + _Z * _Z / 4)
    share = min((most + _Z * _Z / 2 + spread) / (count + _Z * _Z), 1 - 1e-6)
    needed = 2 + math.log(columns / FALSE_FRAMES) / -math.log(share)
    return min(_LONGEST, max(math.ceil(needed), 3 * int(_runs(values).max())))


def _runs(values: np.ndarray) -> np.ndarray:
    """Return the length of the run that ends at each value."""
    breaks = np.concatenate(([True], values[1:] != values[:-1]))
    places = np.arange(len(values))
    lengths: np.ndarray = places - np.maximum.accumulate(np.where(breaks, places, 0)) + 1
    return lengths


class ColumnWatch:
    """The columns among some signals.

    Args:
        signals: All signals; those with a length of a run are columns.

    Attributes:
        at: Places of the columns among the signals.
        evidence: Of a change, in nats, the largest of the last window.
        stuck: Whether each column repeats one value.
    """

    def __init__(self, signals: Sequence[Signal]) -> None:
        self.at = np.array([n for n, one in enumerate(signals) if one.run], np.intp)
        chosen = [signals[place] for place in self.at]
        self._limits = np.array([one.limit for one in chosen])
        self._longest = np.array([one.run for one in chosen])
        self._counts = np.zeros((len(chosen), MAX_BINS))
        for row, one in enumerate(chosen):
            self._counts[row, : len(one.counts)] = one.counts
        self._tilts = np.exp(np.stack([_tilts(row) for row in self._counts], axis=1))
        self._leads = np.zeros(self._tilts.shape[:2])
        self._last = np.full(len(chosen), np.nan, np.float32)
        self._run = np.zeros(len(chosen), np.int64)
        self.evidence = np.zeros(len(chosen))
        self.stuck = np.zeros(len(chosen), bool)

    def repeat(self, numbers: np.ndarray) -> None:
        """Count the repeated values of some frames (frames x columns)."""
        before = np.concatenate([self._last[None], numbers[:-1]])
        places = np.arange(1, len(numbers) + 1)[:, None]
        breaks = np.maximum.accumulate(np.where(numbers == before, 0, places), axis=0)
        runs = np.where(breaks, places - breaks + 1, self._run + places)
        self._last, self._run = numbers[-1].copy(), runs[-1]
        self.stuck = runs[-1] >= self._longest

    def judge(self, bins: np.ndarray) -> None:
        """Add the evidence of a window of independent frames (frames x columns)."""
        shares = self._counts / self._counts.sum(axis=1, keepdims=True)
        means = np.einsum("kcb,cb->kc", self._tilts, shares)
        gains = np.log(self._tilts / means[:, :, None])
        columns = np.arange(bins.shape[1])
        paths = gains[:, columns[None, :], bins].cumsum(axis=1) + self._leads[:, None, :]
        leads = paths - np.minimum(np.minimum.accumulate(paths, axis=1), 0.0)
        self._leads = np.minimum(leads[:, -1], self._limits + _SPARE)
        self.evidence = leads.max(axis=(0, 1))
        for column in columns[self.evidence < self._limits]:
            self._counts[column] += np.bincount(bins[:, column], minlength=MAX_BINS)

    def stuck_names(self, names: Sequence[str]) -> List[str]:
        """Return which of the signals' names are of columns that repeat one value."""
        return [names[place] for place in self.at[self.stuck]]

    @property
    def changed(self) -> np.ndarray:
        """Whether each column has changed, or repeats one value."""
        found: np.ndarray = self.stuck | (self.evidence > self._limits)
        return found


def _tilts(counts: np.ndarray) -> np.ndarray:
    """Return the exponent of each bet in each bin (bets x bins), from normal scores of the bins."""
    total = counts.sum()
    middles = (counts.cumsum() - counts / 2) / total
    scores = np.array([_normal_score(one) for one in middles])
    squares = np.square(scores) - 1.0
    return np.stack([*(one * scores for one in _SHIFTS), *(one * squares for one in _SPREADS)])


def _normal_score(share: float) -> float:
    """Return the normal quantile, within -4 and 4: the share of a missing bin is 0 or 1."""
    low, high = -4.0, 4.0
    for _ in range(40):
        middle = (low + high) / 2
        if 0.5 * math.erfc(-middle / math.sqrt(2.0)) < share:
            low = middle
        else:
            high = middle
    return low


def column_names(name: str, columns: int, given: Sequence[str] = ()) -> Tuple[str, ...]:
    """Return the names of an input's columns: those that are known, or its name with a place."""
    if len(given) == columns:
        return tuple(given)
    return (name,) if columns == 1 else tuple("{}[{}]".format(name, n) for n in range(columns))
