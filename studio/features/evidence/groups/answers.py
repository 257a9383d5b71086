"""Answers and confidences of a model, read from its outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field

import numpy
from numpy.typing import NDArray

from studio.api import Array
from studio.lazy_dataclass import dataclass
from studio.models.answers import OutputReader

Floats = NDArray[numpy.float64]

PROBABILITIES = "probabilities"
SOFTMAX = "softmax"
SCORES = "scores"
BINARY = "binary"
TEXTS = "texts"

MOST_CLASSES = 100
"""With more classes, only the confidence of the answer is kept."""

_HALF = 0.5
_SUM_SLACK = 1e-3


@dataclass(frozen=True, slots=True)
class SampleAnswer:
    """The answer to one sample.

    Attributes:
        scores: Scores of the classes as the model gives them; None for another kind of answer.
    """

    answer: str = ""
    confidence: float | None = None
    scores: Floats | None = None
    probabilities: tuple[float, ...] = ()


@dataclass(slots=True)
class AnswerReader:
    """Reads the outputs of one model for one metric.

    Attributes:
        dictionary: Characters of a text recogniser; empty for other models.
        by_class: Whether the labels are class numbers.
    """

    dictionary: Sequence[str] = ()
    by_class: bool = True
    _reader: OutputReader = field(default_factory=OutputReader)

    def __post_init__(self) -> None:
        self._reader = OutputReader(dictionary=self.dictionary)

    def read(self, outputs: Mapping[str, Array]) -> SampleAnswer:
        """Return the answer; an empty one where the outputs are of no known kind."""
        if self.by_class:
            return _class_reading(outputs)
        if self.dictionary:
            answer = self._reader.read(outputs)
            if answer.kind == "text":
                return SampleAnswer(answer.text, min(1.0, max(0.0, answer.score)))
        return SampleAnswer()


def settled(readings: Sequence[SampleAnswer]) -> tuple[list[SampleAnswer], str]:
    """Return the readings with confidences, and what these are.

    Scores are probabilities if those of each sample are between 0 and 1 and add up to 1. Between 0
    and 1 with another sum, the score of the answer is its confidence. Other scores pass a softmax.
    A single score is the probability of class 1 if it is between 0 and 1 for each sample.
    """
    scores = [one.scores for one in readings if one.scores is not None]
    if len(scores) < len(readings) or not scores:
        known = bool(readings) and all(one.confidence is not None for one in readings)
        return list(readings), TEXTS if known else ""
    kind = _kind(scores)
    if not kind:
        return [SampleAnswer(one.answer) for one in readings], ""
    return [
        _confident(one.answer, row, kind) for one, row in zip(readings, scores, strict=True)
    ], kind


def _kind(scores: Sequence[Floats]) -> str:
    """Return what scores are; empty where no confidence follows from them."""
    if not all(numpy.isfinite(row).all() for row in scores):
        return ""
    within = all(row.min() >= 0 and row.max() <= 1 + 1e-6 for row in scores)
    if scores[0].size == 1:
        return BINARY if within else ""
    if not within:
        return SOFTMAX
    sums = all(abs(float(row.sum()) - 1) <= _SUM_SLACK for row in scores)
    return PROBABILITIES if sums else SCORES


def _confident(answer: str, row: Floats, kind: str) -> SampleAnswer:
    if kind == BINARY:
        second = min(1.0, float(row[0]))
        return SampleAnswer(answer, max(second, 1 - second), None, (1 - second, second))
    if kind == SOFTMAX:
        powers = numpy.exp(row - row.max())
        row = powers / powers.sum()
    confidence = min(1.0, float(row[int(answer)]))
    kept = kind != SCORES and row.size <= MOST_CLASSES
    return SampleAnswer(answer, confidence, None, tuple(row.tolist()) if kept else ())


def _class_reading(outputs: Mapping[str, Array]) -> SampleAnswer:
    """Return the class with the highest score, or the class that the model gives itself."""
    array = next(iter(outputs.values()))
    if array.dtype.kind in "iu" and array.size == 1:
        return SampleAnswer(str(int(array.reshape(-1)[0])), None, _beside(outputs))
    row = _row(array)
    if row is None:
        return SampleAnswer()
    best = int(row[0] > _HALF) if row.size == 1 else int(row.argmax())
    return SampleAnswer(str(best), None, row)


def _beside(outputs: Mapping[str, Array]) -> Floats | None:
    """Return the scores next to a class number, as classifiers of scikit-learn have them."""
    rows = [row for row in map(_row, outputs.values()) if row is not None and row.size > 1]
    chosen = int(next(iter(outputs.values())).reshape(-1)[0])
    return rows[0] if len(rows) == 1 and rows[0].argmax() == chosen else None


def _row(array: Array) -> Floats | None:
    """Return a row of float scores; None for an output of another kind."""
    flat = array.size == max(array.shape, default=1) and array.size > 0
    return array.reshape(-1).astype(numpy.float64) if flat and array.dtype.kind == "f" else None
