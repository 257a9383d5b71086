"""Inputs of a metric: one output of each sample, and its label."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest

from studio.api import Array, InvalidData, Option, Truth

OUTPUT = Option(
    "output",
    help="Output to evaluate (default: the first).",
    advanced=True,
)


def chosen(outputs: Mapping[str, Array], name: str | None) -> Array:
    """Return the named output, or the first.

    Raises:
        InvalidData: when no output has this name.
    """
    if name is None:
        return next(iter(outputs.values()))
    if name not in outputs:
        raise InvalidData(
            f"The model has no output {name!r} to be scored; it has {', '.join(outputs)}."
        )
    return outputs[name]


def paired(
    outputs: Iterable[Mapping[str, Array]], labels: Iterable[Truth]
) -> Iterator[tuple[Mapping[str, Array], Truth]]:
    """Yield the outputs of each sample with its label.

    Raises:
        InvalidData: when there are not as many of the one as of the other, or none at all.
    """
    count = 0
    for output, label in zip_longest(outputs, labels):
        if output is None or label is None:
            raise InvalidData("There are not as many labels as there are samples.")
        count += 1
        yield output, label
    if not count:
        raise InvalidData("There are no labelled samples to score.")


def labelled(
    outputs: Iterable[Mapping[str, Array]], labels: Iterable[Truth], name: str | None
) -> Iterator[tuple[Array, Truth]]:
    """Return the chosen output of each sample with its label.

    Raises:
        InvalidData: as `paired` and `chosen` do.
    """
    return ((chosen(output, name), label) for output, label in paired(outputs, labels))


def class_scores(scores: Array) -> Array:
    """Return one score for each class as a row, or the single value of the class itself.

    Raises:
        InvalidData: for an output of another shape or type.
    """
    flat = scores.reshape(-1)
    if sum(size > 1 for size in scores.shape) > 1 or flat.dtype.kind not in "iuf" or not flat.size:
        shape = "×".join(map(str, scores.shape))
        raise InvalidData(
            f"This metric needs one score for each class, but the output's shape is {shape}.",
            hint="Choose another output or another metric.",
        )
    return flat


def class_number(label: Truth, classes: int) -> int:
    """Return the label as a class below the number of classes.

    Raises:
        InvalidData: when it is a text, or outside them.
    """
    if not isinstance(label, int):
        raise InvalidData(f"This metric needs class numbers as labels, but {label!r} is a text.")
    if classes > 1 and not 0 <= label < classes:
        raise InvalidData(
            f"The label {label} is outside the model's {classes} classes.",
            hint="Give --label-map FILE with the model's class of each label.",
        )
    return label
