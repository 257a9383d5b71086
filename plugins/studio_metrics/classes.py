"""Metrics of classifiers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from studio.api import Array, InvalidData, Option, validate
from studio_metrics.outputs import OUTPUT, labelled


class Top1:
    """The share of samples whose highest score is that of the right class (0 to 1)."""

    id = "top1"
    title = "Top-1 accuracy"
    unit = ""
    higher_is_better = True
    options: Sequence[Option] = (OUTPUT,)

    def score(
        self,
        outputs: Iterable[Mapping[str, Array]],
        labels: Iterable[int | str],
        options: Mapping[str, Any],
    ) -> float:
        name = validate(self.options, options)["output"]
        right = [
            _class(scores) == _number(label, scores.size)
            for scores, label in labelled(outputs, labels, name)
        ]
        return sum(right) / len(right)


def _class(scores: Array) -> int:
    """The class with the highest score, or the class itself where the model gives that."""
    flat = scores.reshape(-1)
    if flat.size == 1 and flat.dtype.kind in "iu":
        return int(flat[0])
    if sum(size > 1 for size in scores.shape) > 1 or flat.dtype.kind not in "iuf" or not flat.size:
        shape = "×".join(map(str, scores.shape))
        raise InvalidData(
            f"Top-1 needs one score for each class, but the output's shape is {shape}.",
            hint="Choose another output or another metric.",
        )
    return int(flat.argmax())


def _number(label: int | str, classes: int) -> int:
    if not isinstance(label, int):
        raise InvalidData(f"Top-1 needs class numbers as labels, but {label!r} is a text.")
    if classes > 1 and not 0 <= label < classes:
        raise InvalidData(f"The label {label} is outside the model's {classes} classes.")
    return label
