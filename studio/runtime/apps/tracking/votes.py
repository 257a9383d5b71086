"""Classes of tracks by the scores of all their boxes."""

from __future__ import annotations

import numpy as np


class ClassVotes:
    """Sums of scores by track and class.

    Each box of a track votes for its class with its score. The class of a track is the one with
    the highest sum, so that a few confused boxes do not change it.
    """

    def __init__(self) -> None:
        self._sums = np.zeros((0, 0))

    def add(self, count: int) -> None:
        """Begin tracks, which have no votes."""
        self._sums = np.pad(self._sums, ((0, count), (0, 0)))

    def keep(self, rows: np.ndarray) -> None:
        """Drop all tracks but those of a mask."""
        self._sums = self._sums[rows]

    def see(self, rows: np.ndarray, kinds: np.ndarray, scores: np.ndarray) -> None:
        """Count the boxes of one frame.

        Args:
            rows: Numbers of the tracks, k, each at most once.
            kinds: Numbers of the classes of their boxes, k.
            scores: From 0 to 1, k.
        """
        if not rows.size:
            return
        missing = int(kinds.max()) + 1 - self._sums.shape[1]
        if missing > 0:
            self._sums = np.pad(self._sums, ((0, 0), (0, missing)))
        self._sums[rows, kinds] += scores

    def best(self, rows: np.ndarray) -> np.ndarray:
        """Return the class of some tracks that have votes."""
        if not rows.size:
            return np.zeros(0, dtype=np.int64)
        found: np.ndarray = self._sums[rows].argmax(axis=1)
        return found
