"""A black-box attack with a bounded number of runs.

A random search within a box around the sample, after Andriushchenko, Croce, Flammarion and Hein,
"Square attack: a query-efficient black-box adversarial attack via random search" (2020). It finds
an upper bound of the robustness: a stronger attack may find more.
"""

from __future__ import annotations

import numpy
from numpy.random import Generator
from numpy.typing import NDArray

from studio.api import Array, Feeds, Session
from studio.features.evidence.groups.answers import AnswerReader
from studio.lazy_dataclass import dataclass

Floats = NDArray[numpy.float64]

_HALF = 0.5
_FIRST = 0.3
"""Side of the first square, as a share of the picture's."""


@dataclass(frozen=True, slots=True)
class SquareAttack:
    """An attack on one sample at a time.

    Attributes:
        name: Input that is changed.
        epsilon: Largest change, as a share of the range.
        low, high: Range of the numbers: of each one, or one for all of them.
        runs: Most runs of the model for a sample.
    """

    name: str
    epsilon: float
    low: Floats
    high: Floats
    runs: int

    def breaks(self, session: Session, feeds: Feeds, label: int, random: Generator) -> bool:
        """Return whether a change within the box gives another class than the label."""
        clean = feeds[self.name].astype(numpy.float64)
        best = self._clipped(clean, _stripes(clean.shape, random))
        margin = self._margin(session, feeds, best, label)
        for step in range(1, self.runs):
            if margin < 0:
                return True
            candidate = self._clipped(clean, self._moved(best, clean, step, random))
            found = self._margin(session, feeds, candidate, label)
            if found < margin:
                best, margin = candidate, found
        return margin < 0

    def _clipped(self, clean: Floats, signs: Floats) -> Floats:
        step = self.epsilon * (self.high - self.low)
        return numpy.clip(clean + step * signs, self.low, self.high)

    def _moved(self, best: Floats, clean: Floats, step: int, random: Generator) -> Floats:
        """Return the signs of the best change, with those of a random piece drawn again."""
        signs = numpy.sign(best - clean)
        share = _FIRST * (1 - step / self.runs)
        piece = _piece(clean.shape, share, random)
        if clean.ndim == 4:
            first = clean.shape[1] in (1, 3)
            shape = (1, clean.shape[1], 1, 1) if first else (1, 1, 1, clean.shape[3])
            signs[piece] = numpy.broadcast_to(random.choice((-1.0, 1.0), shape), signs[piece].shape)
        else:
            signs[piece] = random.choice((-1.0, 1.0), signs[piece].shape)
        return signs

    def _margin(self, session: Session, feeds: Feeds, changed: Floats, label: int) -> float:
        """Return by how much the right class leads; negative once another one does."""
        kind = feeds[self.name].dtype
        if kind.kind in "iu":
            changed = changed.round()
        array: Array = numpy.ascontiguousarray(changed, kind)
        reading = AnswerReader().read(session.run({**feeds, self.name: array}))
        scores = reading.scores
        if scores is None:
            return 0.0 if reading.answer == str(label) else -1.0
        if scores.size == 1:
            lead = float(scores[0]) - _HALF
            return lead if label == 1 else -lead
        return float(scores[label] - numpy.delete(scores, label).max())


def _stripes(shape: tuple[int, ...], random: Generator) -> Floats:
    """Return random signs, in stripes for a picture."""
    if len(shape) == 4:
        first = shape[1] in (1, 3)
        shape_of = (1, shape[1], 1, shape[3]) if first else (1, 1, shape[2], shape[3])
        return numpy.broadcast_to(random.choice((-1.0, 1.0), shape_of), shape).copy()
    return numpy.asarray(random.choice((-1.0, 1.0), shape), numpy.float64)


def _piece(shape: tuple[int, ...], share: float, random: Generator) -> tuple[slice, ...]:
    """Return a square of a picture, or a piece of the last axis."""
    every = [slice(None)] * len(shape)
    axes = [len(shape) - 1] if len(shape) != 4 else [2, 3] if shape[1] in (1, 3) else [1, 2]
    for axis in axes:
        size = max(1, round(share * shape[axis]))
        start = int(random.integers(0, shape[axis] - size + 1))
        every[axis] = slice(start, start + size)
    return tuple(every)
