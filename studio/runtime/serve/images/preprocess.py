"""The steps from a picture to a model's input, as a bundle's manifest gives them.

The schema is the studio's ``preprocess.toml``. The arithmetic has the studio's order and types,
so that a board computes the very arrays on which the accuracy was measured.
"""

from __future__ import annotations

import math
from typing import Any, Dict, Mapping, NamedTuple, Sequence, Tuple, Type, TypeVar

import numpy as np

from .colors import grey
from .resize import Resizer
from .resize import resize as bilinear

_Steps = TypeVar("_Steps", bound="Preprocess")

_QUOTED = 60
"""Most characters of a refused value in a sentence."""

_LARGEST_NUMBER = 1 << 1000
"""Whole numbers from here on may be too large for a float."""

_LARGEST = 16384
"""Of a side after resizing and padding: a manifest must not ask for all memory."""


class PicturePlacement(NamedTuple):
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


class Preprocess(NamedTuple):
    """Steps applied to an RGB picture, in the order of the attributes.

    Attributes:
        resize: ``none``, ``stretch`` to height x width, ``fit`` (the largest that keeps the aspect
            and lies inside height x width, padded to it), ``cover`` (the smallest that keeps the
            aspect and covers height x width) or ``height`` (to the height, the width follows the
            aspect, never above max_width, and is padded to min_width).
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
    mean: Tuple[float, ...] = (0.0,)
    std: Tuple[float, ...] = (1.0,)
    layout: str = "NCHW"
    dtype: str = "float32"

    @property
    def channels(self) -> int:
        """Number of colour channels."""
        return 1 if self.color == "GRAY" else 3

    @classmethod
    def from_json(cls: Type[_Steps], content: object) -> _Steps:
        """Take the values from a manifest; those left out keep their defaults.

        Raises:
            ValueError: in one sentence, for a key or a value that is not known here.
        """
        if not isinstance(content, Mapping):
            raise ValueError("it is not an object.")
        defaults = cls()._asdict()
        unknown = sorted(set(content) - set(defaults))
        if unknown:
            raise ValueError("there is no setting {}.".format(_quoted(unknown[0])))
        given = {name: _typed(name, value, defaults[name]) for name, value in content.items()}
        found = cls(**given)
        found._check()
        return found

    def _check(self) -> None:
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                sentence = "{} cannot be {}; it is one of {}."
                value = _quoted(getattr(self, name))
                raise ValueError(sentence.format(name, value, ", ".join(allowed)))
        for name in _SIZES[self.resize]:
            if getattr(self, name) < 1:
                raise ValueError("resize = {!r} needs a {} above 0.".format(self.resize, name))
        for name in ("height", "width", "max_width", "min_width", "multiple"):
            if getattr(self, name) > _LARGEST:
                raise ValueError("{} is above {}.".format(name, _LARGEST))
        for name, numbers in (("mean", self.mean), ("std", self.std)):
            if len(numbers) not in (1, self.channels):
                sentence = "{} has {} numbers for {} channels."
                raise ValueError(sentence.format(name, len(numbers), self.channels))
        if 0 in self.std:
            raise ValueError("std may not be 0.")
        if self.multiple < 1:
            raise ValueError("multiple must be at least 1.")

    def apply(self, picture: np.ndarray, resizer: Resizer = bilinear) -> np.ndarray:
        """Turn a picture (height x width x 3, RGB, uint8) into an array with a batch axis of one.

        Raises:
            ValueError: when the result would be huge, as of a very long and thin picture.
        """
        resized = self._resized(self._grey(picture), resizer)
        array = self._normalized(self._cropped(self._padded(resized)))
        target = np.dtype(self.dtype)
        if target.kind in "iu":
            bounds = np.iinfo(target)
            array = array.round().clip(bounds.min, bounds.max)
        return np.ascontiguousarray(array[None], dtype=target)

    def _normalized(self, pixels: np.ndarray) -> np.ndarray:
        """Scale and shift each channel, float32, in the layout of the input."""
        channels = pixels.shape[2]
        first = self.layout == "NCHW"
        array = np.empty((channels, *pixels.shape[:2]) if first else pixels.shape, np.float32)
        settings = (np.array(one, np.float32) for one in (self.mean, self.std))
        means, stds = (np.resize(one, channels) for one in settings)
        # Channels change places last: resizing a reversed view would be twice as slow.
        order = range(channels)[::-1] if self.color == "BGR" else range(channels)
        for channel, taken in enumerate(order):  # one pass each, on memory that fits the cache
            part = array[channel] if first else array[:, :, channel]
            np.multiply(pixels[:, :, taken], np.float32(self.scale), out=part)
            part -= means[channel]
            part /= stds[channel]
        return array

    def _grey(self, pixels: np.ndarray) -> np.ndarray:
        return grey(pixels)[:, :, None] if self.color == "GRAY" else pixels

    def _resized(self, pixels: np.ndarray, resizer: Resizer) -> np.ndarray:
        """Return the pixels in their new size, float32."""
        if self.resize == "none":
            return pixels.astype(np.float32, copy=False)
        height, width = self._size(*pixels.shape[:2])
        if max(height, width) > _LARGEST:
            sentence = "A picture of {}x{} would become one of {}x{}, which is too large."
            raise ValueError(sentence.format(pixels.shape[1], pixels.shape[0], width, height))
        smooth, whole = self.antialias, self.whole_levels
        resized = resizer(pixels, height, width, antialias=smooth, whole=whole)
        return resized.astype(np.float32, copy=False)

    def _size(self, height: int, width: int) -> Tuple[int, int]:
        """Height and width after resizing, of a picture of this height and width."""
        if self.resize == "stretch":
            return self.height, self.width
        if self.resize == "height":
            # Rounded up, as text recognisers do, so that the last stroke is never cut off.
            follows = max(1, math.ceil(self.height * width / height))
            return self.height, min(follows, self.max_width) if self.max_width else follows
        pick = min if self.resize == "fit" else max
        ratio = pick(self.height / height, self.width / width)
        return max(1, round(height * ratio)), max(1, round(width * ratio))

    def together(self, sizes: Sequence[Tuple[int, int]]) -> Preprocess:
        """Return the steps for pictures that run together, which need one width.

        With ``resize = "height"`` it is that of the widest, rounded down, as PaddleOCR has it.

        Args:
            sizes: Height and width of each.
        """
        if self.resize != "height":
            return self
        widest = max(width / height for height, width in sizes)
        width = max(1, self.min_width, int(self.height * widest))
        width = min(width, self.max_width or _LARGEST)
        return self._replace(min_width=width, max_width=width)

    def placement(self, height: int, width: int) -> PicturePlacement:
        """Return the position of a picture of this height and width in the model's input."""
        rows, columns = (height, width) if self.resize == "none" else self._size(height, width)
        before, gaps = self._padding(rows, columns)
        whole = (rows + gaps[0], columns + gaps[1])
        inner = (
            min(self.crop_height or whole[0], whole[0]),
            min(self.crop_width or whole[1], whole[1]),
        )
        top = before[0] - (whole[0] - inner[0]) // 2
        left = before[1] - (whole[1] - inner[1]) // 2
        return PicturePlacement(top, left, rows, columns, *inner)

    def _padded(self, pixels: np.ndarray) -> np.ndarray:
        before, gaps = self._padding(*pixels.shape[:2])
        if not any(gaps):
            return pixels
        sides = [(first, gap - first) for first, gap in zip(before, gaps)]
        return np.pad(pixels, (*sides, (0, 0)), "constant", constant_values=self.pad_value)

    def _padding(self, height: int, width: int) -> Tuple[Tuple[int, int], Tuple[int, int]]:
        """Return rows above and columns left of a picture, and how many there are in all."""
        wanted = (height, max(width, self.min_width))
        if self.resize == "fit":
            wanted = (max(height, self.height), max(width, self.width))
        rows = 0 if self.resize == "height" else self._rounded(wanted[0]) - height
        gaps = (rows, self._rounded(wanted[1]) - width)
        is_centred = self.pad_align == "center"
        return (gaps[0] // 2, gaps[1] // 2) if is_centred else (0, 0), gaps

    def _rounded(self, size: int) -> int:
        return math.ceil(size / self.multiple) * self.multiple

    def _cropped(self, pixels: np.ndarray) -> np.ndarray:
        height = min(self.crop_height or pixels.shape[0], pixels.shape[0])
        width = min(self.crop_width or pixels.shape[1], pixels.shape[1])
        top, left = (pixels.shape[0] - height) // 2, (pixels.shape[1] - width) // 2
        return pixels[top : top + height, left : left + width]


_SIZES: Dict[str, Tuple[str, ...]] = {
    "none": (),
    "stretch": ("height", "width"),
    "fit": ("height", "width"),
    "cover": ("height", "width"),
    "height": ("height",),
}
"""The sizes that each way of resizing needs."""

CHOICES = {
    "resize": tuple(_SIZES),
    "pad_align": ("start", "center"),
    "color": ("RGB", "BGR", "GRAY"),
    "layout": ("NCHW", "NHWC"),
    "dtype": ("float32", "float16", "uint8", "int8", "int32"),
}
"""The values of the settings that have names for them."""

_KINDS = {bool: "yes or no", int: "a whole number", float: "a number", str: "a text"}


def _typed(name: str, value: object, default: object) -> Any:
    """Return the value in the type of the setting's default."""
    if isinstance(default, tuple):
        items = value if isinstance(value, (list, tuple)) else [value]
        return tuple(_typed(name, item, 0.0) for item in items)
    if isinstance(default, float) and type(value) is int and abs(value) < _LARGEST_NUMBER:
        value = float(value)
    finite = not isinstance(value, float) or math.isfinite(value)
    if type(value) is not type(default) or not finite:
        sentence = "{} must be {}, not {}."
        raise ValueError(sentence.format(name, _KINDS[type(default)], _quoted(value)))
    if type(value) is int and value < 0:
        raise ValueError("{} cannot be {}.".format(name, _quoted(value)))
    return value


def _quoted(value: object) -> str:
    """Return a value as a sentence can hold it, whatever a file has in its place."""
    text = repr(value)
    return text if len(text) <= _QUOTED else text[: _QUOTED - 3] + "..."
