"""Test of one window of frames, and the rule that raises alarms from windows."""

from __future__ import annotations

from typing import List, NamedTuple, Sequence

import numpy as np

from .reference import OF_LAST, Reference

ALIKE = 0.4
"""Mean correlation of successive frames above which they are not frames of their own."""
_MOST_TIES = 0.2
NEEDED = 2


class WindowVerdict(NamedTuple):
    """Verdict on one window of frames.

    Attributes:
        statistics: Chi-square of each signal.
        beyond: Whether each is over its limit.
        counts: Frames in each bin, signals x bins.
        alike: Successive frames resemble each other too closely for the test to hold.
    """

    statistics: np.ndarray
    beyond: np.ndarray
    counts: np.ndarray
    alike: bool

    @property
    def differs(self) -> bool:
        """Whether the window differs from the reference."""
        return not self.alike and bool(self.beyond.any())


def chi_square(counts: np.ndarray, expected: np.ndarray, inverse: np.ndarray) -> np.ndarray:
    """Return Pearson's statistic of each signal.

    Args:
        counts: Frames in each bin, ... x bins.
        expected: The same in the mean; 0 where a signal has no such bin.
        inverse: One through it; 0 there too.
    """
    gaps = counts - expected
    found: np.ndarray = np.einsum("...sb,...sb,sb->...s", gaps, gaps, inverse)
    return found


def correlation(numbers: np.ndarray) -> float:
    """Return the mean similarity of successive frames over the signals (0: none, 1: same).

    From von Neumann's ratio of ranks (Bartels 1982): without regard to scale, and to outliers.
    """
    frames = len(numbers)
    columns = np.ascontiguousarray(numbers.T, np.float32)
    order = columns.argsort(axis=1, kind="stable")
    order += np.arange(0, columns.size, frames)[:, None]  # positions in all of it
    ordered = columns.reshape(-1)[order]
    tied = np.add.reduce(ordered[:, 1:] == ordered[:, :-1], axis=1) > _MOST_TIES * (frames - 1)
    if tied.all():  # ranks say nothing, but a film that stands still does
        return float((numbers[1:] == numbers[:-1]).all(axis=1).mean())
    ranks = np.empty(columns.size, np.float32)
    ranks[order] = np.arange(frames, dtype=np.float32)
    placed = ranks.reshape(columns.shape)
    steps = placed[:, 1:] - placed[:, :-1]
    whole = frames * (frames * frames - 1) / 12.0  # of ranks without ties, whatever their order
    ratios = np.einsum("sf,sf->s", steps, steps)[~tied]
    return float(1.0 - np.add.reduce(ratios) / len(ratios) / whole / 2.0)


class WindowTest:
    """Test of windows against a reference."""

    def __init__(self, reference: Reference) -> None:
        shares = reference.expected()
        self._expected = shares * reference.window
        self._inverse = np.divide(
            1.0, self._expected, out=np.zeros_like(shares), where=self._expected > 0
        )
        # Columns have a test of their own.
        columns = np.array([signal.run > 0 for signal in reference.signals], bool)
        self._limits = np.array([signal.limit for signal in reference.signals])
        self._limits[columns] = np.inf
        self._limits_of_last = np.array([signal.limit_of_last for signal in reference.signals])
        self._limits_of_last[columns] = np.inf

    def judge(self, counts: np.ndarray, numbers: np.ndarray) -> WindowVerdict:
        """Return the verdict on one window.

        Args:
            counts: Frames in each bin: signals x bins.
            numbers: The signals of each frame, in the order in which they came, in any units.
        """
        statistics = chi_square(counts, self._expected, self._inverse)
        beyond = statistics > self._limits
        alike = correlation(numbers) > ALIKE
        return WindowVerdict(statistics.astype(np.float32), beyond, counts, alike)

    def together(self, verdicts: Sequence[WindowVerdict]) -> np.ndarray:
        """Return which signals differ in the last windows pooled: small lasting shifts."""
        if len(verdicts) < OF_LAST:
            return np.zeros(len(self._limits), bool)
        counts = np.sum([one.counts for one in verdicts], axis=0, dtype=float)
        statistics = chi_square(counts, OF_LAST * self._expected, self._inverse / OF_LAST)
        found: np.ndarray = statistics > self._limits_of_last
        return found


class Alarm:
    """Alarm that starts when two of three windows differ, or all three pooled; ends when none does.

    Attributes:
        on: Whether it is raised.
        windows: Judged so far.
        differing: Of these, unlike the reference.
        raised: How often it started.
    """

    def __init__(self) -> None:
        self.on = False
        self.windows = 0
        self.differing = 0
        self.raised = 0
        self._last: List[bool] = []

    def add(self, differs: bool, together: bool) -> bool:
        """Add a window; return whether it started or ended the alarm."""
        self.windows += 1
        self.differing += differs
        self._last = [*self._last, differs][-OF_LAST:]
        seen, was = sum(self._last), self.on
        if not was and (seen >= NEEDED or together):
            self.on = True
            self.raised += 1
        elif was and not seen and not together:
            self.on = False
        return self.on != was


def causes(
    verdicts: Sequence[WindowVerdict], together: np.ndarray, names: Sequence[str]
) -> List[str]:
    """Return the signals over their limits in the last windows, the most frequent first."""
    often = together.astype(int) + sum(one.beyond.astype(int) for one in verdicts)
    order = sorted(range(len(often)), key=lambda column: (-int(often[column]), column))
    return [names[column] for column in order if often[column]]
