"""Prediction uncertainty from 0 (certain) to 1, for classification, detection and dense maps.

Of classes it is one less the margin between the two likeliest. A detector or a map of likelihoods
decides on very many places, nearly all of them empty, and reports one object many times. There it
is the mean of the same uncertainty over the places that may contain an object.
"""

from __future__ import annotations

from typing import Callable, Mapping, NamedTuple, Optional

import numpy as np

from .detections import Scores, scores_of, softmax, sums_to_one
from .segmentation import Cells, map_of, some

CLASSES, BOXES, MAP = "classes", "boxes", "map"
MOST_ROWS = 256
FLOOR = 0.05
"""Scores below it are the noise of empty places."""

Outputs = Mapping[str, np.ndarray]
Measure = Callable[[Outputs], float]


class OutputForm(NamedTuple):
    """Form of a model's answers, and the measure of their uncertainty.

    Attributes:
        kind: ``classes``, ``boxes`` or ``map``.
        sure: Another kind of model does not answer so.
        scores, cells: How boxes, or a map, are read.
    """

    kind: str
    measure: Measure
    sure: bool = True
    scores: Optional[Scores] = None
    cells: Optional[Cells] = None


class Uncertainty:
    """Uncertainty of one model's answers, of the first kind that its outputs have.

    Attributes:
        form: Form detected in an answer; None before.
    """

    def __init__(self) -> None:
        self.form: Optional[OutputForm] = None

    @property
    def kind(self) -> str:
        """``classes``, ``boxes`` or ``map``; empty before the first answer."""
        return self.form.kind if self.form is not None else ""

    def of(self, outputs: Outputs) -> Optional[float]:
        """Return the uncertainty from 0 to 1; None if the answer has no known form.

        Args:
            outputs: Of one request; NaN counts as the most uncertain.
        """
        if self.form is not None:
            return _measured(self.form.measure, outputs)
        numbers = {name: a for name, a in outputs.items() if a.dtype.kind in "fiub"}
        floats = [array for array in numbers.values() if array.dtype.kind == "f"]
        if any(np.isnan(array).any() for array in floats):
            return 1.0  # worth a look, and no model to learn the kind from
        if any(not array.size for array in outputs.values()):
            return 0.0 if floats else None  # an empty list: nothing was found
        found = _form_of(numbers)
        if found is None:
            return None
        if found.sure:
            self.form = found
        return _measured(found.measure, outputs)


def _measured(measure: Measure, outputs: Outputs) -> float:
    with np.errstate(all="ignore"):
        doubt = measure(outputs)
    return min(max(doubt, 0.0), 1.0) if np.isfinite(doubt) else 1.0


def doubt_of_scores(scores: np.ndarray) -> float:
    """Return the mean of 1 - |2p - 1| over places, each weighted by the square of its score p.

    Each place is a decision between two classes, whose margin is |2p - 1|. The maximum is always
    near 1, as every object has an edge, and the sum grows with the number of objects. Brust,
    Kaeding and Denzler 2019 compare both and the mean. With the square the neighbours of one
    object count as its peak does, and thousands of faint places for nothing.

    Args:
        scores: From 0 to 1; NaN gives no uncertainty.
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


def _form_of(numbers: Outputs) -> Optional[OutputForm]:
    """Return the form of an answer, and the measure of its uncertainty."""
    scores = scores_of(numbers)
    if scores is not None:
        read = scores.read
        return OutputForm(
            BOXES, lambda outputs: doubt_of_scores(read(outputs)), scores.sure, scores
        )
    for name, array in numbers.items():
        if array.dtype.kind != "f":
            continue
        found = _of_classes(name, array) or _of_map(name, array)
        if found is not None:
            return found
    return None


def _of_classes(name: str, array: np.ndarray) -> Optional[OutputForm]:
    """Rows of classes: one, or those of a text."""
    if array.ndim not in (2, 3) or array.shape[-1] < 2:
        return None
    shares = sums_to_one(array.reshape(-1, array.shape[-1]))
    if array.ndim == 3 and not shares:
        return None  # numbers of another kind

    def measure(outputs: Outputs) -> float:
        rows = some(outputs[name].reshape(-1, outputs[name].shape[-1]), MOST_ROWS)
        return doubt_of_classes(rows.astype(np.float32) if shares else softmax(rows))

    return OutputForm(CLASSES, measure)


def _of_map(name: str, array: np.ndarray) -> Optional[OutputForm]:
    cells = map_of(name, array)
    if cells is None:
        return None
    read = cells

    def measure(outputs: Outputs) -> float:
        found = read(outputs)
        return doubt_of_scores(found) if found.ndim == 1 else doubt_of_classes(found)

    return OutputForm(MAP, measure, cells=cells)
