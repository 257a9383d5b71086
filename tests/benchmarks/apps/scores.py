"""Scores of crossings and counts against what is true."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

Crossing = tuple[float, str, str]
"""Second, direction and label."""


class Score(NamedTuple):
    """Right, missed and false crossings."""

    right: int
    missed: int
    false: int

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return 2 * self.right / max(1, 2 * self.right + self.missed + self.false)

    def plus(self, other: Score) -> Score:
        """Both together."""
        sums = [one + more for one, more in zip(self, other, strict=True)]
        return Score(*sums)

    def to_json(self) -> dict[str, float]:
        """As plain data."""
        return {**self._asdict(), "f1": round(self.f1, 4)}


def score(found: Sequence[Crossing], true: Sequence[Crossing], tolerance_s: float) -> Score:
    """Match each true crossing with the nearest one of its direction and label."""
    left = [(time, *rest) for time, *rest in found]
    right = 0
    for time, *rest in sorted(true):
        near = [
            (abs(one[0] - time), one)
            for one in left
            if list(one[1:]) == rest and abs(one[0] - time) <= tolerance_s + 1e-9
        ]
        if near:
            left.remove(min(near)[1])
            right += 1
    return Score(right, len(true) - right, len(left))


def mean_error(counts: Sequence[float], true: dict[int, int], every: int, offset: int) -> float:
    """Mean absolute error of the counts at the frames that were labelled and read."""
    errors = [
        abs(counts[(frame - offset) // every] - persons)
        for frame, persons in true.items()
        if frame >= offset and (frame - offset) % every == 0
    ]
    return sum(errors) / len(errors) if errors else float("nan")
