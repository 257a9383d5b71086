"""Preprocessing of a picture into a model's input array, and the file that describes it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy
from numpy.typing import NDArray

from studio.api import Array, InvalidData
from studio.datasets.suffixes import PREPROCESS
from studio.documents.plain import shortened
from studio.documents.toml_text import loads, no_such
from studio.runtime.serve.images import preprocess as arithmetic
from studio.runtime.serve.images.preprocess import CHOICES as CHOICES
from studio.runtime.serve.images.resize import Resizer, resize

FILE = PREPROCESS
"""The name of the file next to the images, and in a bundle."""

_QUOTED = 60
"""Most characters of an unknown setting in a sentence."""


class Preprocess(arithmetic.Preprocess):
    """Preprocessing from an RGB picture to an array, as on a target.

    ``preprocess.toml`` (and the JSON of the same keys in a bundle) gives any of the attributes;
    those left out keep their defaults::

        resize = "height"
        height = 48
        min_width = 320
        color = "BGR"
        mean = [0.5]
        std = [0.5]
    """

    __slots__ = ()

    @classmethod
    def from_toml(cls, path: Path) -> Preprocess:
        """Read a ``preprocess.toml``.

        Raises:
            InvalidData: when it is not TOML, has an unknown key, or a value that does not fit.
        """
        try:
            content = loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise InvalidData(f"{path.name} cannot be read as TOML: {error}.") from None
        return cls.from_json(content)

    @classmethod
    def from_json(cls, content: object) -> Preprocess:
        """Take the values from parsed JSON or TOML.

        Raises:
            InvalidData: for an unknown key, or a value that does not fit.
        """
        if isinstance(content, Mapping) and (unknown := sorted(set(content) - set(cls._fields))):
            sentence, hint = no_such(shortened(unknown[0], _QUOTED), cls._fields, "setting")
            raise InvalidData(f"{FILE}: {sentence}", hint=hint)
        try:
            return super().from_json(content)
        except ValueError as error:
            raise InvalidData(f"{FILE}: {error}") from None

    def to_json(self) -> dict[str, Any]:
        """Return all values for a manifest, to be read again with `from_json`."""
        values = self._asdict().items()
        return {key: list(value) if isinstance(value, tuple) else value for key, value in values}

    def apply(self, picture: NDArray[numpy.uint8], resizer: Resizer = resize) -> Array:
        """Turn one picture into the model's array.

        Args:
            picture: Height × width × 3, RGB.

        Returns:
            The array with a batch axis of one.

        Raises:
            InvalidData: when the result would be huge, as of a very long and thin picture.
        """
        try:
            return super().apply(picture, resizer)
        except ValueError as error:
            raise InvalidData(str(error)) from None
