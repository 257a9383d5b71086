"""Metrics of classifiers: accuracy of the first and the first five classes, F1."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from studio.api import Array, InvalidData, Kind, Option, Truth, validate
from studio_metrics.outputs import OUTPUT, class_number, class_scores, labelled


class Top1:
    """The share of samples whose highest score is that of the right class (0 to 1)."""

    id = "top1"
    title = "Top-1 accuracy"
    unit = ""
    higher_is_better = True
    options: Sequence[Option] = (OUTPUT,)
    best = 1

    def each(
        self,
        outputs: Iterable[Mapping[str, Array]],
        labels: Iterable[Truth],
        options: Mapping[str, Any],
    ) -> Iterator[float]:
        name = validate(self.options, options)["output"]
        for scores, label in labelled(outputs, labels, name):
            found = _classes(scores, self.best)
            yield float(class_number(label, scores.size) in found)

    def score(
        self,
        outputs: Iterable[Mapping[str, Array]],
        labels: Iterable[Truth],
        options: Mapping[str, Any],
    ) -> float:
        right = list(self.each(outputs, labels, options))
        return sum(right) / len(right)


class Top5(Top1):
    """The share of samples whose right class is among the five with the highest scores."""

    id = "top5"
    title = "Top-5 accuracy"
    best = 5


class F1:
    """The harmonic mean of precision and recall over the classes (0 to 1).

    A class that is neither predicted nor right anywhere does not count; one without a single right
    prediction counts as 0.
    """

    id = "f1"
    title = "F1"
    unit = ""
    higher_is_better = True
    options: Sequence[Option] = (
        Option(
            "average",
            Kind.CHOICE,
            default="macro",
            choices=("macro", "weighted", "positive"),
            choice_titles=("macro average", "weighted average", "class 1 only"),
            help="Averaging of the classes.",
        ),
        OUTPUT,
    )

    def each(
        self,
        outputs: Iterable[Mapping[str, Array]],
        labels: Iterable[Truth],
        options: Mapping[str, Any],
    ) -> Iterator[float]:
        for found, label in self._pairs(outputs, labels, options):
            yield float(found == label)

    def score(
        self,
        outputs: Iterable[Mapping[str, Array]],
        labels: Iterable[Truth],
        options: Mapping[str, Any],
    ) -> float:
        right, found, wanted = Counter[int](), Counter[int](), Counter[int]()
        for one, label in self._pairs(outputs, labels, options):
            found[one] += 1
            wanted[label] += 1
            right[label] += one == label
        values = {k: 2 * right[k] / (found[k] + wanted[k]) for k in found | wanted}
        average = validate(self.options, options)["average"]
        if average == "positive":
            if 1 not in values:
                raise InvalidData("No sample is of class 1, and none was taken for it.")
            return values[1]
        if average == "weighted":
            return sum(values[k] * wanted[k] for k in values) / wanted.total()
        return sum(values.values()) / len(values)

    def _pairs(
        self,
        outputs: Iterable[Mapping[str, Array]],
        labels: Iterable[Truth],
        options: Mapping[str, Any],
    ) -> Iterator[tuple[int, int]]:
        name = validate(self.options, options)["output"]
        for scores, label in labelled(outputs, labels, name):
            yield _classes(scores, 1)[0], class_number(label, scores.size)


def _classes(scores: Array, count: int) -> list[int]:
    """Return the classes with the highest scores, or the model's class itself."""
    flat = class_scores(scores)
    if flat.size == 1 and flat.dtype.kind in "iu":
        return [int(flat[0])]
    if flat.size == 1:  # the probability of class 1 of two
        return [int(flat[0] > 0.5)]
    if count == 1:
        return [int(flat.argmax())]
    return [int(index) for index in (-flat.astype("float64")).argsort(kind="stable")[:count]]
