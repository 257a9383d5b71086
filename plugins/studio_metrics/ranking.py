"""The area under the curve of true against false positives (ROC AUC)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy
from numpy.typing import NDArray

from studio.api import Array, InvalidData, Option, Truth, validate
from studio_metrics.outputs import OUTPUT, class_number, class_scores, labelled

_HALF = 0.5


class Auc:
    """Probability that a sample of a class scores higher for it than another sample (0.5 to 1).

    With two classes the second one's score counts; with more, the mean over each class against
    all others. Ties count half, as in the Mann-Whitney statistic.
    """

    id = "auc"
    title = "ROC AUC"
    unit = ""
    higher_is_better = True
    options: Sequence[Option] = (OUTPUT,)

    def each(
        self,
        outputs: Iterable[Mapping[str, Array]],
        labels: Iterable[Truth],
        options: Mapping[str, Any],
    ) -> Iterator[float]:
        """Yield 1 where the right class has the highest score, else 0."""
        for scores, label in self._rows(outputs, labels, options):
            found = int(scores[0] > _HALF) if scores.size == 1 else int(scores.argmax())
            yield float(found == label)

    def score(
        self,
        outputs: Iterable[Mapping[str, Array]],
        labels: Iterable[Truth],
        options: Mapping[str, Any],
    ) -> float:
        rows = list(self._rows(outputs, labels, options))
        scores, wanted = numpy.stack([row for row, _ in rows]), numpy.array([k for _, k in rows])
        classes = scores.shape[1]
        ones = [1] if classes <= 2 else range(classes)
        return sum(_area(scores[:, min(k, classes - 1)], wanted == k) for k in ones) / len(ones)

    def _rows(
        self,
        outputs: Iterable[Mapping[str, Array]],
        labels: Iterable[Truth],
        options: Mapping[str, Any],
    ) -> Iterator[tuple[NDArray[numpy.float64], int]]:
        name = validate(self.options, options)["output"]
        for array, label in labelled(outputs, labels, name):
            scores = class_scores(array).astype(numpy.float64)
            yield scores, class_number(label, max(scores.size, 2))


def _area(scores: NDArray[numpy.float64], positive: NDArray[numpy.bool_]) -> float:
    count, others = int(positive.sum()), int((~positive).sum())
    if not count or not others:
        raise InvalidData(
            "ROC AUC needs samples of every class; one of them has none, or all.",
            hint="Give more labelled samples, or --metric top1.",
        )
    _, inverse, counts = numpy.unique(scores, return_inverse=True, return_counts=True)
    ranks = numpy.cumsum(counts) - (counts - 1) / 2  # the mean rank of equal scores
    total = float(ranks[inverse][positive].sum())
    return (total - count * (count + 1) / 2) / (count * others)
