"""How far two releases agree: the answers of both to the same requests, one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from studio.api import Array
from studio.runtime.serve.outputs.agreement import Likeness
from studio.runtime.serve.outputs.detections import listed_boxes

Answers = Sequence[Mapping[str, Array] | None]
"""The answer to each sample, by the outputs' names; None where none came."""


def agreement(before: Answers, now: Answers) -> float | None:
    """The share of requests to which both give the same answer; None where none can be compared.

    What is the same answer is the runtime's to say, as in a trial (``Likeness``): the same classes,
    boxes or marked places, or numbers that are close.
    """
    likeness = Likeness()
    said = [
        likeness.same(one, other)
        for one, other in zip(before, now, strict=False)
        if one is not None and other is not None and (_comparable(one, other) or _boxes(one, other))
    ]
    return sum(said) / len(said) if said else None


def _comparable(one: Mapping[str, Array], other: Mapping[str, Array]) -> bool:
    return set(one) == set(other) and all(one[name].shape == other[name].shape for name in one)


def _boxes(one: Mapping[str, Array], other: Mapping[str, Array]) -> bool:
    told = [listed_boxes(answer) is not None for answer in (one, other)]
    return set(one) == set(other) and any(told)
