"""Samples of a model with open sizes, for one whose sizes are fixed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from studio.api import Feeds, Sample, Value
from studio.datasets.opening import open_dataset
from studio.lazy_dataclass import dataclass

_WIDER = 20
"""Factor by which more samples are read where none of the first ones fits."""


@dataclass(frozen=True, slots=True)
class FittingSamples:
    """Samples with the sizes of a model.

    Attributes:
        read: Number of samples that were read.
    """

    samples: Sequence[Sample]
    read: int

    @property
    def feeds(self) -> Sequence[Feeds]:
        """Inputs of the samples."""
        return [one.feeds for one in self.samples]

    @property
    def left_out(self) -> int:
        """Number of samples that were not taken."""
        return self.read - len(self.samples)

    def problem(self, fixed: Sequence[Value]) -> str:
        """Return the sentence for no sample of the sizes of a model."""
        sizes = " ".join(f"{one.name}={one.type}" for one in fixed)
        return f"None of {self.read} samples has the sizes of the new model ({sizes})."


def fitting_samples(
    data: Path, inputs: Sequence[Value], fixed: Sequence[Value], most: int
) -> FittingSamples:
    """Return samples with the sizes of a model, evenly spread over the data.

    Args:
        inputs: Of the model that the data are for.
        fixed: The same with the sizes that are fixed.

    Raises:
        InvalidData: when the data do not fit the model.
    """
    found, read = list[Sample](), 0
    for limit in (most, most * _WIDER):
        found, read = list[Sample](), 0
        for sample in open_dataset(data, inputs, limit):
            read += 1
            # Only these are kept: pictures of other sizes may be thousands.
            if len(found) < most and all(_fits(sample.feeds, value) for value in fixed):
                found.append(sample)
        if found:
            break
    return FittingSamples(found, read)


def _fits(feeds: Feeds, value: Value) -> bool:
    shape = value.type.shape if value.type is not None else None
    if shape is None or value.name not in feeds:
        return True
    sizes = feeds[value.name].shape
    return len(sizes) == len(shape) and all(
        not isinstance(wanted, int) or size == wanted
        for size, wanted in zip(sizes, shape, strict=True)
    )
