"""Groups that follow from the samples: brightness, blur, size, length, script, label."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Mapping, Sequence

import numpy
from numpy.typing import NDArray

from studio.api import Feeds, InvalidData, UsageError, Value
from studio.features.evidence.groups.sample_table import CROSS
from studio.lazy_dataclass import dataclass

Pixels = NDArray[numpy.float64]
"""Height × width × channels."""

Label = int | str | None

BANDS = 3
_MOST_BANDS = 20
_BOX = 5
_PICTURE_AXES = 4


@dataclass(frozen=True, slots=True)
class Band:
    """A column that is cut into bands of equally many samples, such as ``brightness:3``.

    Attributes:
        bands: Number of bands; 0 keeps the values as they are, None leaves the choice open.
    """

    column: str
    bands: int | None

    @classmethod
    def parse(cls, text: str) -> tuple[Band, ...]:
        """Return the parts of ``brightness:3*script``.

        Raises:
            UsageError: for bands without a valid number.
        """
        return tuple(cls._one(part.strip()) for part in text.split(CROSS))

    @classmethod
    def _one(cls, text: str) -> Band:
        column, colon, bands = text.rpartition(":")
        if not colon:
            return cls(text, None)
        if not bands.isascii() or not bands.isdecimal() or not 2 <= int(bands[:4]) <= _MOST_BANDS:
            raise UsageError(
                f"{text!r} has no number of bands.",
                hint=f"Such as brightness:3, with 2 to {_MOST_BANDS} bands.",
            )
        return cls(column, int(bands))


def brightness(pixels: Pixels) -> float:
    """Return the mean brightness, in the unit of the pixels."""
    return float(_grey(pixels).mean())


def blur(pixels: Pixels) -> float:
    """Return the variance of the Laplacian: low for a blurred or an even picture.

    After Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy" (2000).
    """
    grey = _grey(pixels)
    if min(grey.shape) < 3:
        return 0.0
    middle = grey[1:-1, 1:-1]
    sides = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    return float((sides - 4 * middle).var())


def size(pixels: Pixels) -> float:
    """Return the number of pixels."""
    return float(pixels.shape[0] * pixels.shape[1])


def length(label: Label) -> float:
    """Return the number of characters of a text.

    Raises:
        InvalidData: when the label is no text.
    """
    if not isinstance(label, str):
        raise InvalidData("Groups by length need texts as labels.")
    return float(len(label))


def script(label: Label) -> str:
    """Return the scripts of a text's letters by their names in Unicode, and digits where it has.

    Raises:
        InvalidData: when the label is no text.
    """
    if not isinstance(label, str):
        raise InvalidData("Groups by script need texts as labels.")
    letters = sorted({_script_of(one) for one in label if one.isalpha()})
    digits = ["digits"] if any(one.isdecimal() for one in label) else []
    return " and ".join([*letters, *digits]) or "signs"


def _script_of(letter: str) -> str:
    words = unicodedata.name(letter, "unnamed").split()
    first = words[1] if words[0] in ("FULLWIDTH", "HALFWIDTH") and len(words) > 1 else words[0]
    return "Han" if first.startswith(("CJK", "IDEOGRAPHIC")) else first.capitalize()


def object_size(label: Label) -> float:
    """Return the median side of the boxes of a label, in pixels; 0 without a box.

    A side is the root of the area.

    Raises:
        InvalidData: when the label is no list of boxes.
    """
    parts = [part.split() for part in label.split(";")] if isinstance(label, str) else [["?"]]
    try:
        boxes = [[float(one) for one in part] for part in parts if part]
        if any(len(box) != _BOX or not all(map(math.isfinite, box)) for box in boxes):
            raise ValueError
    except ValueError:
        raise InvalidData("Groups by object-size need boxes as labels.") from None
    areas = [max(0.0, b[3] - b[1]) * max(0.0, b[4] - b[2]) for b in boxes]
    return float(numpy.median(numpy.sqrt(areas))) if areas else 0.0


OF_PICTURES: Mapping[str, Callable[[Pixels], float]] = {
    "brightness": brightness,
    "blur": blur,
    "size": size,
}
OF_LABELS: Mapping[str, Callable[[Label], float]] = {"length": length, "object-size": object_size}
NUMBERS = (*OF_PICTURES, *OF_LABELS)
LABEL, SCRIPT = "label", "script"
COMPUTED = (*NUMBERS, LABEL, SCRIPT)


def picture_of(feeds: Feeds, value: Value) -> Pixels:
    """Return the picture in a model's input: height × width × channels.

    Raises:
        InvalidData: when the input is no picture.
    """
    array = feeds[value.name]
    if array.ndim != _PICTURE_AXES or array.shape[0] != 1 or array.dtype.kind not in "fiu":
        raise InvalidData(f"The input {value.name!r} is no picture.")
    pixels: Pixels = array[0].astype(numpy.float64)
    return pixels.transpose(1, 2, 0) if pixels.shape[0] in (1, 3) else pixels


def banded(values: Sequence[float | None], bands: int) -> list[str | None]:
    """Return the band of each number, named by its smallest and largest one.

    Equal numbers are in one band, so there can be fewer bands.
    """
    known = numpy.array([one for one in values if one is not None], numpy.float64)
    if not len(known):
        return [None for _ in values]
    edges = numpy.unique(numpy.quantile(known, numpy.linspace(0, 1, bands + 1)[1:-1]))
    places = numpy.searchsorted(edges, known, side="left")
    names = {
        int(place): _range(known[places == place].min(), known[places == place].max())
        for place in numpy.unique(places)
    }
    if len(set(names.values())) < len(names):  # too close for four digits
        names = {place: f"{place + 1} of {len(names)}" for place in names}
    found = iter(places.tolist())
    return [None if one is None else names[next(found)] for one in values]


def _range(low: float, high: float) -> str:
    return _shown(low) if low == high else f"{_shown(low)} to {_shown(high)}"


def _shown(number: float) -> str:
    return f"{number:.0f}" if abs(number) >= 1000 else f"{number:.4g}"


def _grey(pixels: Pixels) -> Pixels:
    """Return the luma of RGB (ITU-R BT.601), or the mean of other channels."""
    if pixels.shape[-1] == 3:
        luma: Pixels = pixels @ numpy.array([0.299, 0.587, 0.114])
        return luma
    return numpy.asarray(pixels.mean(axis=-1), numpy.float64)
