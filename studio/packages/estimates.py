"""The threshold of confidence above which as many reference data lie as were answered rightly."""

from __future__ import annotations

from collections.abc import Sequence

import numpy

from studio.packages.drift_reference import FEWEST, Frame, numbers_of
from studio.runtime.drift.reference import Estimate, Reference
from studio.runtime.drift.signals import names_of

_KINDS = ("logits", "probabilities")


def estimate_of(
    reference: Reference, frames: Sequence[Frame], labels: Sequence[object]
) -> Estimate | None:
    """What the labels of reference data tell for later, when there are none.

    None where they are no numbers of classes, too few, or all answers are right: then nothing
    tells what a wrong one looks like; or all are wrong.

    Args:
        frames: Inputs and outputs of runs with one row each.
        labels: Of each run; None where it has none.
    """
    taps = reference.taps
    tap = next((one for one in taps if one.kind in _KINDS and len(one.shape) == 1), None)
    pairs = [
        (frame, label)
        for frame, label in zip(frames, labels, strict=True)
        if isinstance(label, int | numpy.integer)
    ]
    if tap is None or len(pairs) < FEWEST or len(pairs) != len(frames):
        return None
    answers = [frame[1][tap.name] for frame, _ in pairs]
    if any(len(answer) != 1 for answer in answers):
        return None
    right = sum(
        int(answer.argmax()) == int(label)
        for answer, (_, label) in zip(answers, pairs, strict=True)
    )
    if not 0 < right < len(pairs):
        return None
    names = [name for one in taps for name in names_of(one)]
    column = names.index(f"{tap.name}.confidence")
    ordered = numpy.sort(numbers_of(frames, taps)[:, column])
    wrong = len(pairs) - right
    # Half-way between two values: another processor rounds otherwise.
    threshold = float(ordered[wrong - 1] + ordered[wrong]) / 2
    return Estimate(column, threshold, right, len(pairs))
