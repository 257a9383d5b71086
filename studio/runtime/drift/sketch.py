"""Counts of what a model saw since it was loaded: small, and additive over boards."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Sequence

import numpy as np

from .reference import MAX_BINS


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
        """Count in what another board saw of the same reference.

        Raises:
            ValueError: when it has other signals.
        """
        if other.counts.shape != self.counts.shape:
            raise ValueError("The sketches are of different references.")
        self.add(other.counts, other.frames)

    def to_json(self) -> Dict[str, Any]:
        """Plain data: what a board tells."""
        return {"frames": self.frames, "counts": [[int(n) for n in row] for row in self.counts]}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Sketch:
        """Read what ``to_json`` gave.

        Raises:
            ValueError: when it is something else.
        """
        try:
            rows: Sequence[Sequence[int]] = content["counts"]
            found = cls(len(rows))
            counts = np.array(rows, np.int64)
            frames = int(content["frames"])
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError("This is no sketch: {}.".format(error)) from None
        if counts.shape != found.counts.shape or counts.min(initial=0) < 0:
            raise ValueError("This is no sketch: it lacks counts.")
        found.add(counts, frames)
        return found
