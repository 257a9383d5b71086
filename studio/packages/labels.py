"""The check that a file of labels is one of this model: as many names as it has classes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from studio.api import InvalidData
from studio.packages.golden import GoldenSample

_FLAT, _DEEP = (0, 1), (0, 1, 2, 4, 5)
"""What an axis of scores may hold beside the classes: nothing, or a background. Where there are
scores for many places: also a blank and a space (text), the four sides of a box, or those and its
score."""


def check_labels(labels: Path | None, samples: Sequence[GoldenSample]) -> None:
    """Compare the number of labels with what the model gave for its golden samples.

    A model that answers with numbers of classes, or with no axis of scores at all, cannot be held
    against them.

    Raises:
        InvalidData: when no output has room for so many classes.
    """
    if labels is None or not samples:
        return
    try:
        text = labels.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise InvalidData(f"{labels.name} is no text in UTF-8.") from None
    count = len(text.splitlines())
    outputs = samples[0].outputs.values()
    if any(array.dtype.kind != "f" for array in outputs):
        return
    axes = [(size, array.ndim) for array in outputs for size in array.shape[1:] if size > 1]
    if axes and not any(size - count in (_FLAT if rank == 2 else _DEEP) for size, rank in axes):
        sizes = " or ".join(str(size) for size in sorted({size for size, _ in axes}))
        raise InvalidData(
            f"{labels.name} has {count} labels, and the model's outputs have {sizes} values.",
            hint="Give the labels that the model was trained with, one a line, in their order.",
        )
