"""The first sample of a data set, written where the bench can read it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from studio.api import InvalidData, Value


def first_sample(data: Path, inputs: Sequence[Value], folder: Path) -> Path:
    """Write the first sample's arrays as an ``.npz`` file.

    Raises:
        InvalidData: when the data cannot be read, or does not fit the inputs.
    """
    from studio.datasets import open_dataset  # Pillow comes with it
    from studio.runtime.bench.arrays import save_arrays

    sample = next(iter(open_dataset(data, inputs, limit=1)), None)
    if sample is None:
        raise InvalidData(f"{data.name} holds no samples.")
    path = folder / "feeds.npz"
    save_arrays(str(path), sample.feeds)
    return path
