"""Answers of a model in a short form that people can read: classes, a text, boxes, or figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy
from numpy.typing import NDArray

from studio.api import Array
from studio.lazy_dataclass import dataclass
from studio.models.results import Answer, Box, ScoredClass
from studio.runtime.serve.images.preprocess import PicturePlacement

TOP = 5
MOST_BOXES = 100
LEAST_SCORE = 0.3

_RELATIVE = 1.5
"""Boxes whose largest coordinate is below this are fractions of the input, not pixels."""

Floats = NDArray[numpy.float64]


@dataclass(frozen=True, slots=True)
class OutputReader:
    """Finds out from shapes and types what kind of answer the outputs are.

    Attributes:
        labels: Names of the classes.
        dictionary: Characters of a text recogniser (CTC, class 0 is the blank), without the blank.
        least_score: Boxes with a lower one are left out.
    """

    labels: Sequence[str] = ()
    dictionary: Sequence[str] = ()
    least_score: float = LEAST_SCORE

    def read(
        self, outputs: Mapping[str, Array], placement: PicturePlacement | None = None
    ) -> Answer:
        """Return the short form of a model's outputs.

        Args:
            outputs: Arrays by name, batch axis included.
            placement: Where the picture lies in the model's input; without it no box is read.
        """
        return (
            self._text(outputs)
            or (self._boxes(outputs, placement) if placement is not None else None)
            or self._classes(outputs)
            or Answer("values", values=tuple(output_line(*output) for output in outputs.items()))
        )

    def _classes(self, outputs: Mapping[str, Array]) -> Answer | None:
        """Return the first output that is a single row of scores."""
        scores = next((array for array in outputs.values() if _is_row(array)), None)
        if scores is None:
            return None
        row = probabilities(scores.reshape(-1).astype(numpy.float64))
        order = numpy.argsort(-row, kind="stable")[:TOP]
        found = (ScoredClass(self._label(int(i)), int(i), _short(row[i])) for i in order)
        return Answer("classes", classes=tuple(found))

    def _text(self, outputs: Mapping[str, Array]) -> Answer | None:
        """Return the first output of one sample's steps × classes that the dictionary fits."""
        for array in outputs.values():
            characters = self._characters(array)
            if characters:
                steps = array.reshape(-1, array.shape[-1]).astype(numpy.float64)
                return _greedy(steps, characters)
        return None

    def _characters(self, array: Array) -> list[str]:
        """Return the character of each class, or none if the dictionary does not fit."""
        if not self.dictionary or array.ndim != 3 or 1 not in array.shape[:2]:
            return []
        # Dictionaries of one character a line seldom list the space.
        ends = {1: [], 2: [" "]}.get(array.shape[-1] - len(self.dictionary))
        return [] if ends is None else ["", *self.dictionary, *ends]

    def _boxes(self, outputs: Mapping[str, Array], placement: PicturePlacement) -> Answer | None:
        rows = _rows_of_six(outputs.values())
        if rows is None:
            rows = _rows_of_three(outputs)
        if rows is None:
            return None
        rows = rows[numpy.isfinite(rows).all(axis=1) & (rows[:, 4] >= self.least_score)]
        rows = rows[numpy.argsort(-rows[:, 4], kind="stable")][:MOST_BOXES]
        if len(rows) and numpy.abs(rows[:, :4]).max() <= _RELATIVE:
            rows[:, [0, 2]] *= placement.width
            rows[:, [1, 3]] *= placement.height
        return Answer("boxes", boxes=tuple(self._box(row, placement) for row in rows))

    def _box(self, row: Floats, placement: PicturePlacement) -> Box:
        x = numpy.clip((row[[0, 2]] - placement.left) / placement.columns, 0, 1)
        y = numpy.clip((row[[1, 3]] - placement.top) / placement.rows, 0, 1)
        box = (_short(x[0]), _short(y[0]), _short(x[1]), _short(y[1]))
        return Box(box, self._label(int(row[5])), _short(row[4]))

    def _label(self, index: int) -> str:
        return self.labels[index] if 0 <= index < len(self.labels) else str(index)


def probabilities(row: Floats) -> Floats:
    """Return probabilities: scores between 0 and 1 unchanged, logits through a softmax."""
    if row.min() >= 0 and row.max() <= 1 + 1e-6:
        return row
    powers = numpy.exp(row - row.max())
    return numpy.asarray(powers / powers.sum(), dtype=numpy.float64)


def _is_row(array: Array) -> bool:
    """Return whether it is one sample's scores: ``1 × classes``, more axes of size 1 allowed."""
    is_flat = array.ndim >= 1 and array.size == max(array.shape) > 1
    return array.dtype.kind == "f" and is_flat and bool(numpy.isfinite(array).all())


def _greedy(steps: Floats, characters: Sequence[str]) -> Answer:
    """Return the likeliest class of each step, without repetitions and blanks."""
    best = steps.argmax(axis=1)
    changed = numpy.concatenate(([True], best[1:] != best[:-1]))
    kept = numpy.flatnonzero(changed & (best != 0))
    text = "".join(characters[best[i]] for i in kept)
    sure = [probabilities(steps[i])[best[i]] for i in kept]
    return Answer("text", text=text, score=_short(float(numpy.mean(sure))) if sure else 0.0)


def _rows_of_six(outputs: Iterable[Array]) -> Floats | None:
    """Return the one output of boxes with (left, top, right, bottom, score, class) in each row."""
    for array in outputs:
        is_rows = array.ndim in (2, 3) and array.shape[-1] == 6 and array.dtype.kind == "f"
        if not is_rows or (array.ndim == 3 and array.shape[0] != 1):
            continue
        rows = array.reshape(-1, 6).astype(numpy.float64)
        # A row of six scores has no whole numbers at its end, nor boxes that open the right way.
        if not len(rows) or (_are_boxes(rows[:, :4]) and _are_classes(rows[:, 5])):
            return rows
    return None


def _rows_of_three(outputs: Mapping[str, Array]) -> Floats | None:
    """Return boxes, scores and labels of one picture, as outputs of their own."""
    boxes = next((a for a in outputs.values() if _is_list_of(a, 4)), None)
    if boxes is None:
        return None
    places = boxes.reshape(-1, 4).astype(numpy.float64)
    rest = {name: a for name, a in outputs.items() if a is not boxes and a.size == len(places)}
    labels = next((n for n, a in rest.items() if a.dtype.kind in "iu" or _says_label(n)), None)
    scores = next((n for n, a in rest.items() if n != labels and a.dtype.kind == "f"), None)
    if labels is None or scores is None or not _are_boxes(places):
        return None
    columns = [rest[name].reshape(-1, 1).astype(numpy.float64) for name in (scores, labels)]
    return numpy.concatenate([places, *columns], axis=1)


def _says_label(name: str) -> bool:
    return any(word in name.lower() for word in ("label", "class"))


def _is_list_of(array: Array, size: int) -> bool:
    is_list = array.ndim == 2 or (array.ndim == 3 and array.shape[0] == 1)
    return is_list and array.shape[-1] == size and array.dtype.kind in "fiu"


def _are_boxes(rows: Floats) -> bool:
    return bool(((rows[:, 2] >= rows[:, 0]) & (rows[:, 3] >= rows[:, 1])).all())


def _are_classes(column: Floats) -> bool:
    return bool((column == numpy.round(column)).all())


def output_line(name: str, array: Array) -> str:
    """Return an output in one line: its name, shape, and its range or first values."""
    shape = "×".join(map(str, array.shape)) or "single value"
    if array.dtype.kind not in "fiub" or not array.size:
        return f"{name}: {shape}"
    if array.size <= 4:
        return f"{name}: {', '.join(f'{float(value):.4g}' for value in array.reshape(-1))}"
    low, mean, high = (
        float(f(array.astype(numpy.float64))) for f in (numpy.min, numpy.mean, numpy.max)
    )
    return f"{name}: {shape}, {low:.4g} to {high:.4g}, mean {mean:.4g}"


def _short(value: float) -> float:
    return round(float(value), 4)
