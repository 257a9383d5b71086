"""Preprocessing of a picture into a model's input array, as data."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy
from numpy.typing import NDArray

from studio.api import Array, InvalidData
from studio.datasets.suffixes import PREPROCESS
from studio.documents.toml_text import loads
from studio.lazy_dataclass import dataclass
from studio.runtime.serve.images.colors import grey
from studio.runtime.serve.images.resize import resize

FILE = PREPROCESS
"""The name of the file next to the images, and in a bundle."""

Pixels = NDArray[numpy.float32]
"""Height × width × channels."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Position of a picture in its input array.

    Attributes:
        top, left: Where the picture's corner lies; negative where it was cut off.
        rows, columns: Size of the picture there.
        height, width: Of the array.
    """

    top: int
    left: int
    rows: int
    columns: int
    height: int
    width: int


@dataclass(frozen=True, slots=True)
class Preprocess:
    """Preprocessing from an RGB picture to an array, in the order of the attributes.

    ``preprocess.toml`` (and the JSON of the same keys in a bundle) gives any of the attributes;
    those left out keep their defaults::

        resize = "height"        # see below
        height = 48
        min_width = 320
        color = "BGR"
        mean = [0.5]
        std = [0.5]

    Attributes:
        resize: ``none``; ``stretch`` to height × width; ``fit``: the largest that keeps the aspect
            and lies inside height × width, padded to it; ``cover``: the smallest that keeps the
            aspect and covers height × width; ``height``: to the height, the width follows the
            aspect (never above max_width) and is padded to min_width.
        antialias: Average when reducing (Pillow's bilinear) or not (OpenCV's INTER_LINEAR).
        whole_levels: Resized pixels are whole levels, with OpenCV's arithmetic for bytes: for
            models that were trained on pictures of ``cv2.resize``, such as PaddleOCR's.
        max_width: Of ``height``; 0 is no bound.
        min_width: Of ``height``; narrower pictures are padded to it.
        multiple: The width, and the height unless ``resize`` is ``height``, are padded up to a
            multiple of this.
        pad_value: Brightness of the padding in pixel units (127.5 becomes 0 under a mean and a
            deviation of 0.5).
        pad_align: ``start``: the picture lies top left; ``center``.
        crop_height, crop_width: Cut out of the middle; 0 does not cut.
        color: ``RGB``, ``BGR`` or ``GRAY``.
        scale: Multiplies the pixels (0 to 255).
        mean, std: Subtracted and divided by after scaling; one number, or one for each channel.
        layout: ``NCHW`` or ``NHWC``.
        dtype: Element type of the array; for whole numbers the values are rounded.
    """

    resize: str = "none"
    height: int = 0
    width: int = 0
    antialias: bool = False
    whole_levels: bool = False
    max_width: int = 0
    min_width: int = 0
    multiple: int = 1
    pad_value: float = 0.0
    pad_align: str = "start"
    crop_height: int = 0
    crop_width: int = 0
    color: str = "RGB"
    scale: float = 1 / 255
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    layout: str = "NCHW"
    dtype: str = "float32"

    def __post_init__(self) -> None:
        """Check that the values make sense together.

        Raises:
            InvalidData: naming the first that does not.
        """
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                raise InvalidData(
                    f"{FILE}: {name} cannot be {getattr(self, name)!r}; "
                    f"it is one of {', '.join(allowed)}."
                )
        for name in _SIZES[self.resize]:
            if getattr(self, name) <= 0:
                raise InvalidData(f"{FILE}: resize = {self.resize!r} needs a {name} above 0.")
        for name in ("mean", "std"):
            if len(getattr(self, name)) not in (1, self.channels):
                raise InvalidData(
                    f"{FILE}: {name} has {len(getattr(self, name))} numbers for "
                    f"{self.channels} channels."
                )
        if 0 in self.std:
            raise InvalidData(f"{FILE}: std may not be 0.")
        if self.multiple < 1:
            raise InvalidData(f"{FILE}: multiple must be at least 1.")

    @property
    def channels(self) -> int:
        """Number of colour channels."""
        return 1 if self.color == "GRAY" else 3

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
    def from_json(cls, content: Mapping[str, Any]) -> Preprocess:
        """Take the values from parsed JSON or TOML.

        Raises:
            InvalidData: for an unknown key, or a value that does not fit.
        """
        defaults = cls()
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(content) - known)
        if unknown:
            raise InvalidData(
                f"{FILE}: there is no setting {unknown[0]!r}.",
                hint=f"Known: {', '.join(sorted(known))}.",
            )
        return cls(
            **{
                name: _typed(name, value, getattr(defaults, name))
                for name, value in content.items()
            }
        )

    def to_json(self) -> dict[str, Any]:
        """Return all values for a manifest, to be read again with `from_json`."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in values.items()
        }

    def apply(self, picture: NDArray[numpy.uint8]) -> Array:
        """Turn one picture into the model's array.

        Args:
            picture: Height × width × 3, RGB.

        Returns:
            The array with a batch axis of one.
        """
        pixels = self._padded(self._resized(self._grey(picture.astype(numpy.float32))))
        # Channels change places last, as on a target: a matrix product rounds by the place.
        pixels = self._ordered(self._cropped(pixels))
        mean, std = (numpy.array(v, dtype=numpy.float32) for v in (self.mean, self.std))
        array = (pixels * numpy.float32(self.scale) - mean) / std
        if self.layout == "NCHW":
            array = array.transpose(2, 0, 1)
        target = numpy.dtype(self.dtype)
        if target.kind in "iu":
            bounds = numpy.iinfo(target)
            array = array.round().clip(bounds.min, bounds.max)
        return numpy.ascontiguousarray(array[None], dtype=target)

    def _grey(self, pixels: Pixels) -> Pixels:
        return grey(pixels)[:, :, None] if self.color == "GRAY" else pixels

    def _ordered(self, pixels: Pixels) -> Pixels:
        return pixels[:, :, ::-1] if self.color == "BGR" else pixels

    def _resized(self, pixels: Pixels) -> Pixels:
        if self.resize == "none":
            return pixels
        height, width = self._size(*pixels.shape[:2])
        smooth, whole = self.antialias, self.whole_levels
        found = resize(pixels, height, width, antialias=smooth, whole=whole)
        return found.astype(numpy.float32, copy=False)

    def _size(self, height: int, width: int) -> tuple[int, int]:
        """Return height and width after resizing a picture of this height and width."""
        if self.resize == "stretch":
            return self.height, self.width
        if self.resize == "height":
            # Rounded up, as text recognisers do, so that the last stroke is never cut off.
            follows = max(1, math.ceil(self.height * width / height))
            return self.height, min(follows, self.max_width) if self.max_width else follows
        pick = min if self.resize == "fit" else max
        ratio = pick(self.height / height, self.width / width)
        return max(1, round(height * ratio)), max(1, round(width * ratio))

    def placement(self, height: int, width: int) -> Placement:
        """Return the position of a picture of this height and width in the model's input."""
        rows, columns = (height, width) if self.resize == "none" else self._size(height, width)
        above, gaps = self._padding(rows, columns)
        whole = (rows + gaps[0], columns + gaps[1])
        inner = (
            min(self.crop_height or whole[0], whole[0]),
            min(self.crop_width or whole[1], whole[1]),
        )
        top = above[0] - (whole[0] - inner[0]) // 2
        left = above[1] - (whole[1] - inner[1]) // 2
        return Placement(top, left, rows, columns, *inner)

    def _padded(self, pixels: Pixels) -> Pixels:
        before, gaps = self._padding(*pixels.shape[:2])
        if not any(gaps):
            return pixels
        sides = [(b, gap - b) for b, gap in zip(before, gaps, strict=True)]
        return numpy.pad(pixels, (*sides, (0, 0)), constant_values=self.pad_value)

    def _padding(self, height: int, width: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return rows and columns of padding: those before the picture, and all of them."""
        wanted = (height, max(width, self.min_width))
        if self.resize == "fit":
            wanted = (max(height, self.height), max(width, self.width))
        rows = 0 if self.resize == "height" else self._rounded(wanted[0]) - height
        columns = self._rounded(wanted[1]) - width
        if self.pad_align == "center":
            return (rows // 2, columns // 2), (rows, columns)
        return (0, 0), (rows, columns)

    def _rounded(self, size: int) -> int:
        return math.ceil(size / self.multiple) * self.multiple

    def _cropped(self, pixels: Pixels) -> Pixels:
        height = min(self.crop_height or pixels.shape[0], pixels.shape[0])
        width = min(self.crop_width or pixels.shape[1], pixels.shape[1])
        top, left = (pixels.shape[0] - height) // 2, (pixels.shape[1] - width) // 2
        return pixels[top : top + height, left : left + width]


_SIZES: dict[str, tuple[str, ...]] = {
    "none": (),
    "stretch": ("height", "width"),
    "fit": ("height", "width"),
    "cover": ("height", "width"),
    "height": ("height",),
}
"""The sizes that each way of resizing needs."""

CHOICES = {
    "resize": ("none", "stretch", "fit", "cover", "height"),
    "pad_align": ("start", "center"),
    "color": ("RGB", "BGR", "GRAY"),
    "layout": ("NCHW", "NHWC"),
    "dtype": ("float32", "float16", "uint8", "int8", "int32"),
}


def _typed(name: str, value: Any, default: Any) -> Any:
    """Return the value in the type of the setting's default."""
    wanted = {bool: "yes or no", int: "a whole number", float: "a number", str: "a text"}
    if isinstance(default, tuple):
        items = value if isinstance(value, list | tuple) else [value]
        return tuple(_typed(name, item, 0.0) for item in items)
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not type(default) or (isinstance(value, float) and not math.isfinite(value)):
        raise InvalidData(f"{FILE}: {name} must be {wanted[type(default)]}, not {value!r}.")
    return value
