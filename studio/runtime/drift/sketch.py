"""Counts of the signals of a model since it was loaded: small, and additive over boards."""

from __future__ import annotations

from typing import Dict, Mapping, NamedTuple, Tuple

import numpy as np

from ..shared.documents import read_record
from .reference import MAX_BINS


class _Counts(NamedTuple):
    """Counts as a board sends them."""

    frames: int
    counts: Tuple[Tuple[int, ...], ...]


class Sketch:
    """Frames in each bin of each signal.

    Attributes:
        counts: signals x bins; bins beyond a signal's own stay 0.
        frames: Counted in.
    """

    def __init__(self, signals: int) -> None:
        self.counts = np.zeros((signals, MAX_BINS), np.uint32)
        self.frames = 0

    def add(self, counts: np.ndarray, frames: int) -> None:
        """Count frames in."""
        self.counts += counts.astype(np.uint32)
        self.frames += frames

    def merge(self, other: Sketch) -> None:
        """Add the counts of another board with the same reference.

        Raises:
            ValueError: when it has other signals.
        """
        if other.counts.shape != self.counts.shape:
            raise ValueError("The sketches are of different references.")
        self.add(other.counts, other.frames)

    def to_json(self) -> Dict[str, object]:
        """Return plain data, as a board reports it."""
        return {"frames": self.frames, "counts": [[int(n) for n in row] for row in self.counts]}

    @classmethod
    def from_json(cls, content: Mapping[str, object]) -> Sketch:
        """Read what ``to_json`` gave.

        Raises:
            ValueError: when it is something else.
        """
        try:
            told = read_record(_Counts, content)
            found = cls(len(told.counts))
            counts = np.array(told.counts, np.int64)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError("This is no sketch: {}.".format(error)) from None
        if counts.shape != found.counts.shape or counts.min(initial=0) < 0:
            raise ValueError("This is no sketch: it lacks counts.")
        found.add(counts, told.frames)
        return found
