"""Named arrays as files, without pickle."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any, Mapping

import numpy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]
else:  # boards may have a numpy without numpy.typing
    Array = numpy.ndarray


def load_arrays(path: str) -> dict[str, Array]:
    """Read an ``.npz`` file.

    Raises:
        ValueError: when it is damaged, holds no named arrays, or holds Python objects.
    """
    try:
        with numpy.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError, AttributeError, TypeError, KeyError) as error:
        raise ValueError(f"{path} cannot be read as an .npz file of arrays: {error}") from error


def save_arrays(path: str, values: Mapping[str, object]) -> list[str]:
    """Write what is an array; returns the names of what is not (sequences, maps).

    Member by member rather than with ``numpy.savez``, which reserves some names.
    """
    skipped = []
    with zipfile.ZipFile(path, "w") as archive:
        for name, value in values.items():
            if not isinstance(value, numpy.ndarray):
                skipped.append(name)
                continue
            plain = value.astype(str) if value.dtype == object else value  # strings
            with archive.open(name + ".npy", "w", force_zip64=True) as member:
                numpy.lib.format.write_array(member, plain, allow_pickle=False)
    return skipped
