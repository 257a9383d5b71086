"""What a metric looks at: one output of each sample, and the sample's label."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest

from studio.api import Array, InvalidData, Option

OUTPUT = Option(
    "output",
    help="Name of the output that is scored; without one, the model's first.",
    advanced=True,
)


def chosen(outputs: Mapping[str, Array], name: str | None) -> Array:
    """The named output, or the first.

    Raises:
        InvalidData: when there is none of this name.
    """
    if name is None:
        return next(iter(outputs.values()))
    if name not in outputs:
        raise InvalidData(
            f"The model has no output {name!r} to be scored; it has {', '.join(outputs)}."
        )
    return outputs[name]


def labelled(
    outputs: Iterable[Mapping[str, Array]], labels: Iterable[int | str], name: str | None
) -> Iterator[tuple[Array, int | str]]:
    """The chosen output of each sample with its label.

    Raises:
        InvalidData: when there are not as many of the one as of the other, or none at all.
    """
    count = 0
    for output, label in zip_longest(outputs, labels):
        if output is None or label is None:
            raise InvalidData("There are not as many labels as there are samples.")
        count += 1
        yield chosen(output, name), label
    if not count:
        raise InvalidData("There are no labelled samples to score.")
