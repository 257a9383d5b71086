"""The archive of maps, a function of the maps alone."""

from __future__ import annotations

import re
from pathlib import Path

import numpy
from numpy.typing import NDArray

from studio.api import Array

_LONGEST = 100


PIXELS = "-pixels"
"""Suffix of the name of a map for the picture that it is about, height x width x 3."""


class MapFile:
    """Maps by name, to be written into one ``.npz`` file."""

    def __init__(self) -> None:
        self._maps: dict[str, Array] = {}

    def add(self, name: str, values: Array) -> str:
        """Add a map; returns the name that it has in the file."""
        key = re.sub(r"[^A-Za-z0-9._:-]", "_", name)[:_LONGEST]
        while key in self._maps:
            key += "_"
        self._maps[key] = values
        return key

    def get(self, name: str) -> Array | None:
        """Return a map; None for a name without one."""
        return self._maps.get(name)

    def pixels(self, name: str) -> NDArray[numpy.uint8]:
        """Return the picture of a map, height × width × 3."""
        found: NDArray[numpy.uint8] = self._maps[f"{name}{PIXELS}"].astype(numpy.uint8)
        return found

    def write(self, path: Path) -> None:
        """Write the file. The archive has no times, so its bytes follow from the maps alone."""
        with path.open("wb") as file:
            numpy.savez(file, allow_pickle=False, **self._maps)
