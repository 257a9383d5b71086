"""Metrics of detectors: mean average precision as COCO counts it, and F1 of the boxes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy
from numpy.typing import NDArray

from studio.api import Array, Kind, Option, Truth, validate
from studio_metrics.boxes import ORDERS, Boxes, labelled_boxes, matched, predicted_boxes
from studio_metrics.outputs import paired

OVERLAPS = tuple(0.5 + 0.05 * step for step in range(10))
_RECALLS = numpy.linspace(0, 1, 101)
_MOST = 100

_COLUMNS: tuple[Option, ...] = (
    Option(
        "order",
        Kind.CHOICE,
        default="box-score-class",
        choices=tuple(ORDERS),
        advanced=True,
        help="Order of the six numbers of a detected box.",
    ),
    Option(
        "output",
        advanced=True,
        help="Output with the boxes (default: the first that fits).",
    ),
)
_LEAST_SCORE = Option(
    "least_score",
    Kind.NUMBER,
    default=0.3,
    minimum=0,
    maximum=1,
    help="Minimum score of a detected box.",
)
_OVERLAP = Option(
    "overlap",
    Kind.NUMBER,
    default=0.5,
    minimum=0,
    maximum=1,
    advanced=True,
    help="Minimum intersection over union (IoU) of matching boxes.",
)


class _Detection:
    """Base of both detection metrics: the boxes of each sample, and its own F1."""

    unit = ""
    higher_is_better = True
    options: Sequence[Option] = (_LEAST_SCORE, _OVERLAP, *_COLUMNS)

    def each(
        self,
        outputs: Iterable[Mapping[str, Array]],
        labels: Iterable[Truth],
        options: Mapping[str, Any],
    ) -> Iterator[float]:
        """Yield the F1 of each sample; 1 if it has no boxes and none was predicted."""
        for hits, count, total in self._counts(outputs, labels, options):
            yield 2 * hits / (count + total) if count + total else 1.0

    def _counts(
        self,
        outputs: Iterable[Mapping[str, Array]],
        labels: Iterable[Truth],
        options: Mapping[str, Any],
    ) -> Iterator[tuple[int, int, int]]:
        """Yield matches, predicted boxes and labelled boxes of each sample."""
        values = validate(self.options, options)
        for one, label in self._pairs(outputs, labels, options):
            sure = one.only(one.scores >= values["least_score"])
            hits = matched(sure, label, values["overlap"])
            yield int(hits.sum()), len(hits), len(label.classes)

    def _pairs(
        self,
        outputs: Iterable[Mapping[str, Array]],
        labels: Iterable[Truth],
        options: Mapping[str, Any],
    ) -> Iterator[tuple[Boxes, Boxes]]:
        values = validate(self.options, options)
        for output, label in paired(outputs, labels):
            yield predicted_boxes(output, values["output"], values["order"]), labelled_boxes(label)


class BoxF1(_Detection):
    """The harmonic mean of precision and recall over all boxes (0 to 1)."""

    id = "box-f1"
    title = "F1 of boxes"

    def score(
        self,
        outputs: Iterable[Mapping[str, Array]],
        labels: Iterable[Truth],
        options: Mapping[str, Any],
    ) -> float:
        hits, count, total = (
            sum(column) for column in zip(*self._counts(outputs, labels, options), strict=True)
        )
        return 2 * hits / (count + total) if count + total else 1.0


class MeanAveragePrecision(_Detection):
    """Mean average precision over classes and overlaps from .5 to .95 (0 to 1).

    As COCO defines it for boxes of all sizes: at most 100 boxes a picture, precision at 101
    recalls, made monotonous. Lin et al., "Microsoft COCO: Common Objects in Context" (2014).
    """

    id = "map"
    title = "mAP"

    def score(
        self,
        outputs: Iterable[Mapping[str, Array]],
        labels: Iterable[Truth],
        options: Mapping[str, Any],
    ) -> float:
        scores: dict[int, list[NDArray[numpy.float64]]] = defaultdict(list)
        hits: dict[int, list[NDArray[numpy.bool_]]] = defaultdict(list)
        totals: dict[int, int] = defaultdict(int)
        for one, label in self._pairs(outputs, labels, options):
            for kind in {*one.classes.tolist(), *label.classes.tolist()}:
                mine = one.only(one.classes == kind)
                mine = mine.only(numpy.arange(len(mine.scores)) < _MOST)
                right = label.only(label.classes == kind)
                totals[kind] += len(right.classes)
                scores[kind].append(mine.scores)
                hits[kind].append(numpy.stack([matched(mine, right, least) for least in OVERLAPS]))
        values = [
            _average(numpy.concatenate(scores[kind]), numpy.concatenate(hits[kind], axis=1), total)
            for kind, total in totals.items()
            if total
        ]
        return float(numpy.mean(values)) if values else 1.0


def _average(
    scores: NDArray[numpy.float64], hits: NDArray[numpy.bool_], total: int
) -> NDArray[numpy.float64]:
    """Return the average precision of one class at each overlap."""
    hits = hits[:, numpy.argsort(-scores, kind="mergesort")]
    true, false = hits.cumsum(axis=1), (~hits).cumsum(axis=1)
    recall = true / total
    precision = true / numpy.maximum(true + false, 1)
    # From the right, so that precision never rises with recall.
    precision = numpy.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    averages = []
    for line, heights in zip(recall, precision, strict=True):
        index = numpy.searchsorted(line, _RECALLS, side="left")
        reached = index < len(line)
        averages.append(float(heights[index[reached]].sum()) / len(_RECALLS))
    return numpy.array(averages)
