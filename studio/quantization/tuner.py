"""Interface of a transform that can leave single layers in float."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from studio.api import Dataset, Progress, Transform, Transformed, UsageError


class Cost(Protocol):
    """Error and time of one layer when it alone is quantized."""

    @property
    def sqnr_db(self) -> float: ...

    @property
    def float_us(self) -> float: ...

    @property
    def int8_us(self) -> float: ...

    @property
    def gain_us(self) -> float: ...


class Tuner(Protocol):
    """One calibration from which many variants are made.

    Attributes:
        layers: Names of the layers that can be left in float.
    """

    layers: Sequence[str]

    def costs(self, progress: Progress, *, timed: bool = True) -> Mapping[str, Cost]:
        """Measure each layer alone; without times where they are not wanted."""

    def write(self, output: Path, kept: Sequence[str]) -> Transformed:
        """Write the variant with some layers in float."""


MakeTuner = Callable[
    [Path, Path, Mapping[str, object], "Dataset | None", Progress],
    Tuner,
]
"""Calibrates: model, folder for intermediate files, options, samples, progress."""


def tuner_of(transform: Transform, hint: str = "") -> MakeTuner:
    """Return what makes a transform's tuner.

    Raises:
        UsageError: when it has none.
    """
    make: MakeTuner | None = getattr(transform, "tuner", None)
    if make is None:
        raise UsageError(f"The method {transform.id} offers no layers to choose from.", hint=hint)
    return make
