"""Weights of a safetensors file, by their names."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy
from numpy.typing import NDArray

from studio.api import InvalidData

Floats = NDArray[numpy.float32]

_MOST_HEADER = 1 << 20
_LENGTH = 8


class SafetensorsWeights:
    """The arrays of a file, which is mapped and read where one is wanted."""

    def __init__(self, path: Path) -> None:
        """Read the header.

        Raises:
            InvalidData: when the file is damaged.
        """
        self._path = path
        try:
            with path.open("rb") as file:
                (length,) = struct.unpack("<Q", file.read(_LENGTH))
                if length > _MOST_HEADER:
                    raise ValueError("the header is too long")
                self._rows = json.loads(file.read(length))
            self._content = numpy.memmap(path, numpy.uint8, "r", _LENGTH + length)
        except (OSError, ValueError, struct.error) as error:
            raise InvalidData(f"{path.name} is no file of weights: {error}.") from None

    def array(self, name: str) -> Floats:
        """Return an array of float32.

        Raises:
            InvalidData: when the file has no such array.
        """
        try:
            row = self._rows[name]
            begin, end = row["data_offsets"]
            if row["dtype"] != "F32":
                raise ValueError(f"it is {row['dtype']}")
            values = self._content[begin:end].view("<f4")
            found: Floats = values.reshape(row["shape"]).astype(numpy.float32)
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidData(f"{self._path.name} has no weights {name!r}: {error}.") from None
        return found
