"""How little a model is sure of an answer, from 0 to 1: one of classes, of boxes, or a map.

Of classes it is one less the margin between the two likeliest. A detector, and a map of
likelihoods, decide of very many places, nearly all of which are surely empty, and tell of one thing
many times: there it is the mean of the same doubt over the places that may hold something.
"""

from __future__ import annotations

from typing import Callable, List, Mapping, Optional, Tuple

import numpy as np

from .detections import scores_of, softmax, sums_to_one, unit

CLASSES, BOXES, MAP = "classes", "boxes", "map"
MOST_ROWS = 256
MOST_CELLS = 1 << 16
"""Of a map; of a larger one so many are looked at, spread evenly."""
FLOOR = 0.05
"""Scores below it are the noise of empty places."""
_FOUND = 0.5
_FEWEST_CELLS = 1024
_SMALLEST = 16
_UNDECIDED = 0.4
_MOST_UNDECIDED = 0.5
_MOST_KINDS = 256
_PICTURES = (3, 4)

Outputs = Mapping[str, np.ndarray]
Measure = Callable[[Outputs], float]


class Doubt:
    """The doubt of one model's answers, of the first kind that its outputs have.

    Attributes:
        kind: ``classes``, ``boxes`` or ``map``; empty while no answer has told.
    """

    def __init__(self) -> None:
        self.kind = ""
        self._measure: Optional[Measure] = None

    def of(self, outputs: Outputs) -> Optional[float]:
        """From 0 to 1; None where nothing in an answer tells it.

        Args:
            outputs: Of one request. What is no number counts as the most doubtful.
        """
        if self._measure is None:
            numbers = {name: a for name, a in outputs.items() if a.dtype.kind in "fiub"}
            floats = [array for array in numbers.values() if array.dtype.kind == "f"]
            if any(np.isnan(array).any() for array in floats):
                return 1.0  # worth a look, and no model to learn the kind from
            if any(not array.size for array in outputs.values()):
                return 0.0 if floats else None  # an empty list: nothing was found
            found = _kind_of(numbers)
            if found is None:
                return None
            kind, measure, sure = found
            if not sure:
                return _measured(measure, outputs)
            self.kind, self._measure = kind, measure
        return _measured(self._measure, outputs)


def _measured(measure: Measure, outputs: Outputs) -> float:
    with np.errstate(all="ignore"):
        doubt = measure(outputs)
    return min(max(doubt, 0.0), 1.0) if np.isfinite(doubt) else 1.0


def doubt_of_scores(scores: np.ndarray) -> float:
    """The mean of 1 - |2p - 1| over places, each of which counts by the square of its score p.

    Each place is a decision between two classes, whose margin is |2p - 1|. The largest doubt of all
    is always near 1, for every thing has an edge, and their sum tells how many things there are
    (Brust, Kaeding and Denzler 2019 compare both and the mean). By the square the neighbours that
    tell of one thing count as its peak does, and thousands of faint places for nothing.

    Args:
        scores: From 0 to 1; what is no number makes the doubt none.
    """
    seen = scores[~(scores < FLOOR)].astype(np.float64)
    if not seen.size:
        return float(2.0 * scores.max()) if scores.size else 0.0
    weights = seen * seen
    return float((weights * (1.0 - np.abs(2.0 * seen - 1.0))).sum() / weights.sum())


def doubt_of_classes(rows: np.ndarray) -> float:
    """One less the margin between the two likeliest classes, in the mean over rows of likelihoods.

    The margin is the signal that the drift watch has as well (Scheffer, Decomain and Wrobel 2001).
    """
    ordered = np.partition(rows, -2, axis=1)
    return float(1.0 - (ordered[:, -1] - ordered[:, -2]).mean())


def _kind_of(numbers: Outputs) -> Optional[Tuple[str, Measure, bool]]:
    """What an answer is, how to measure the doubt of one like it, and whether that is sure."""
    scores = scores_of(numbers)
    if scores is not None:
        read = scores.read
        return BOXES, lambda outputs: doubt_of_scores(read(outputs)), scores.sure
    for name, array in numbers.items():
        if array.dtype.kind != "f":
            continue
        found = _of_classes(name, array) or _of_map(name, array)
        if found is not None:
            return (*found, True)
    return None


def _of_classes(name: str, array: np.ndarray) -> Optional[Tuple[str, Measure]]:
    """Rows of classes: one, or those of a text."""
    if array.ndim not in (2, 3) or array.shape[-1] < 2:
        return None
    shares = sums_to_one(array.reshape(-1, array.shape[-1]))
    if array.ndim == 3 and not shares:
        return None  # numbers of another kind

    def measure(outputs: Outputs) -> float:
        rows = _some(outputs[name].reshape(-1, outputs[name].shape[-1]), MOST_ROWS)
        return doubt_of_classes(rows.astype(np.float32) if shares else softmax(rows))

    return CLASSES, measure


def _of_map(name: str, array: np.ndarray) -> Optional[Tuple[str, Measure]]:
    """A likelihood for each cell, or one for each cell and class."""
    if array.ndim not in (3, 4) or array.shape[0] != 1:
        return None
    axis = _axis_of_kinds(array)
    kinds = array.shape[axis] if axis else 1
    table = _cells(array, axis) if kinds > 1 else array.reshape(-1, 1)
    if sorted(array.shape)[-2] < _SMALLEST or kinds > _MOST_KINDS:
        return None
    shares = kinds > 1 and sums_to_one(table)
    if shares or (_are_logits(table) and kinds > 1):
        return MAP, _measure_of_cells(name, axis, shares)
    # A picture, or a depth, has values of all sizes; a likelihood is seldom undecided.
    undecided = (np.abs(table - _FOUND) < _UNDECIDED).mean()
    if kinds in _PICTURES or not unit(table) or undecided > _MOST_UNDECIDED:
        return None
    return MAP, lambda outputs: doubt_of_scores(_some(outputs[name].reshape(-1), MOST_CELLS))


def _are_logits(table: np.ndarray) -> bool:
    """Whether cells x kinds are those of a last layer, and not a picture or what comes before."""
    return table.shape[1] not in _PICTURES and bool(table.min() < 0.0) and not unit(table)


def _measure_of_cells(name: str, axis: int, shares: bool) -> Measure:
    """Of two kinds the rarer one is what is looked for; of more each cell is one of a class."""
    rarer: List[int] = []

    def measure(outputs: Outputs) -> float:
        cells = _cells(outputs[name], axis)
        cells = cells.astype(np.float32) if shares else softmax(cells)
        if cells.shape[1] > 2:
            return doubt_of_classes(cells)
        if not rarer:
            rarer.append(int(cells[:, 1].mean() <= 0.5))
        return doubt_of_scores(cells[:, rarer[0]])

    return measure


def _axis_of_kinds(array: np.ndarray) -> int:
    """The axis of classes: along which likelihoods sum to one, else the shorter; 0: none."""
    if array.ndim == 3:
        return 0
    for axis in (1, 3):
        if array.shape[axis] > 1 and sums_to_one(_cells(array, axis)):
            return axis
    return 1 if array.shape[1] <= array.shape[3] else 3


def _cells(array: np.ndarray, axis: int) -> np.ndarray:
    """Some cells x classes of a map; fewer where there are many classes."""
    kinds = array.shape[axis]
    table = array[0].reshape(kinds, -1).T if axis == 1 else array.reshape(-1, kinds)
    return _some(table, max(_FEWEST_CELLS, 2 * MOST_CELLS // kinds))


def _some(rows: np.ndarray, most: int) -> np.ndarray:
    """At most so many, spread evenly."""
    found: np.ndarray = rows[:: -(-len(rows) // most)] if len(rows) > most else rows
    return found
