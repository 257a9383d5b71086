"""Samples as files of arrays, one a sample, in the form that the studio reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy

Array = numpy.ndarray[Any, Any]


def write(folder: Path, samples: Iterable[Mapping[str, Array]]) -> None:
    """Write each sample as an ``.npz`` with the inputs' names as keys."""
    folder.mkdir(exist_ok=True)
    for number, feeds in enumerate(samples):
        numpy.savez(folder / f"{number:04d}.npz", **feeds)


def read(folder: Path) -> list[dict[str, Array]]:
    """The samples of a folder, in order."""
    return [dict(numpy.load(path)) for path in sorted(folder.glob("*.npz"))]
