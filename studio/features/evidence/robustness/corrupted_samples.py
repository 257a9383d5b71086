"""Samples with a corruption: of decoded pictures, else of the model's input."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy
from numpy.random import Generator
from numpy.typing import NDArray

from studio.api import Array, Dataset, InvalidData, Sample, Value
from studio.datasets.images import ImageFolder, Picture
from studio.datasets.preprocess_draft import is_picture
from studio.features.evidence.robustness.families import (
    PICTURES,
    SIGNALS,
    TEXTS,
    TYPOS,
    corrupted_picture,
    random_for,
)
from studio.features.evidence.robustness.signals import ValueSpread
from studio.lazy_dataclass import dataclass

_SHARE = (0.02, 0.05, 0.1, 0.15, 0.25)


def typos(text: str, level: int, random: Generator) -> str:
    """Return a text in which some characters are swapped, left out or doubled."""
    found: list[str] = []
    for char in text:
        chance = random.random()
        if chance >= _SHARE[level]:
            found.append(char)
        elif chance < _SHARE[level] / 3 and found:
            found.insert(len(found) - 1, char)
        elif chance < 2 * _SHARE[level] / 3:
            found += [char, char]
    return "".join(found)


Floats = NDArray[numpy.float64]

FILES = "picture files"
PICTURE_INPUT = "pictures in the input"
SIGNAL_INPUT = "numbers in the input"
TEXT_INPUT = "texts in the input"

_TEXT_KINDS = "UO"
_WHOLE = 255.0


@dataclass(frozen=True, slots=True)
class InputScale:
    """What the values of the model's first input are, read from the clean samples.

    Attributes:
        kind: What corruptions are applied to.
        low, high: Smallest and largest number.
        spread: Mean and deviation of numbers; None for pictures and texts.
        channels_first: Whether a picture has its channels before its height.
    """

    name: str
    kind: str
    low: float = 0.0
    high: float = 1.0
    spread: ValueSpread | None = None
    channels_first: bool = True

    @classmethod
    def of(cls, dataset: Dataset, inputs: Sequence[Value]) -> InputScale:
        """Read the clean samples once.

        Raises:
            InvalidData: for inputs that no corruption is known for.
        """
        value = inputs[0]
        measured = _RunningScale()
        for sample in dataset:
            measured.add(sample.feeds[value.name])
        if measured.of_texts:
            return cls(value.name, TEXT_INPUT)
        low, high = measured.low, measured.high
        if isinstance(dataset, ImageFolder):
            return cls(value.name, FILES, low, high)
        if is_picture(value) and measured.axes == 4:
            return cls(value.name, PICTURE_INPUT, low, high, None, measured.channels_first)
        return cls(value.name, SIGNAL_INPUT, low, high, measured.spread())

    @property
    def families(self) -> Mapping[str, Sequence[str]]:
        """Corruptions by family."""
        if self.kind == TEXT_INPUT:
            return TEXTS
        known = SIGNALS if self.kind == SIGNAL_INPUT else PICTURES
        return {family: tuple(corruptions) for family, corruptions in known.items()}


class _RunningScale:
    """Running figures of arrays."""

    def __init__(self) -> None:
        self.low, self.high = numpy.inf, -numpy.inf
        self.of_texts, self.channels_first, self.axes = False, True, 0
        self._count, self._sum, self._square = 0, numpy.zeros(()), numpy.zeros(())
        self._lowest, self._highest = numpy.full((), numpy.inf), numpy.full((), -numpy.inf)

    def add(self, array: Array) -> None:
        """Add one sample.

        Raises:
            InvalidData: when it has no numbers or texts, or numbers that are not finite.
        """
        if array.dtype.kind in _TEXT_KINDS:
            self.of_texts = True
            return
        numbers = array.astype(numpy.float64) if array.dtype.kind in "fiu" else numpy.zeros(0)
        if not numbers.size or not numpy.isfinite(numbers).all():
            raise InvalidData("No corruption is known for the model's first input.")
        if array.dtype.kind == "u" and array.dtype.itemsize == 1:
            self.low, self.high = 0.0, _WHOLE
        self.low = min(self.low, float(numbers.min()))
        self.high = max(self.high, float(numbers.max()))
        self.axes = array.ndim
        self.channels_first = array.ndim == 4 and array.shape[1] in (1, 3)
        self._extend(numbers)

    def _extend(self, numbers: Floats) -> None:
        if self._count and self._sum.shape != numbers.shape:
            self._merge()  # samples of different shapes have one spread together
            numbers, square = numpy.asarray(numbers.mean()), numpy.asarray((numbers**2).mean())
        else:
            square = numbers**2
        self._sum, self._square = self._sum + numbers, self._square + square
        self._lowest = numpy.minimum(self._lowest, numbers)
        self._highest = numpy.maximum(self._highest, numbers)
        self._count += 1

    def _merge(self) -> None:
        self._sum, self._square = (numpy.asarray(one.mean()) for one in (self._sum, self._square))

    def spread(self) -> ValueSpread:
        """Return the figures; of each number where there are more samples than numbers."""
        mean, square = self._sum / self._count, self._square / self._count
        apart = mean.ndim > 0 and mean.size <= self._count
        if not apart:
            mean, square = numpy.asarray(mean.mean()), numpy.asarray(square.mean())
        deviation = numpy.sqrt(numpy.maximum(0, square - mean**2))
        if apart:
            return ValueSpread(mean, deviation, self._lowest, self._highest)
        return ValueSpread(mean, deviation, numpy.asarray(self.low), numpy.asarray(self.high))


class CorruptedSamples:
    """The same samples and labels, with one corruption at one severity."""

    def __init__(
        self, dataset: Dataset, scale: InputScale, corruption: str, severity: int, seed: int
    ) -> None:
        self._scale, self._corruption = scale, corruption
        self._severity, self._seed = severity, seed
        self._in_files = isinstance(dataset, ImageFolder)
        if isinstance(dataset, ImageFolder):
            dataset = dataset.changing(self._picture)
        self._dataset = dataset

    def __len__(self) -> int:
        return len(self._dataset)

    def __iter__(self) -> Iterator[Sample]:
        change = _CHANGES.get(self._scale.kind)
        for index, sample in enumerate(self._dataset):
            if change is None:
                yield sample
                continue
            name, key = sample.name or f"#{index}", self._scale.name
            array = change(self, sample.feeds[key], name)
            yield Sample({**sample.feeds, key: array}, sample.label, sample.name)

    def _picture(self, name: str, picture: Picture) -> Picture:
        pixels = picture.astype(numpy.float64) / _WHOLE
        found = self._corrupted(pixels, name)
        return numpy.asarray((found * _WHOLE).round(), numpy.uint8)

    def _corrupted(self, pixels: Floats, name: str) -> Floats:
        every = {key: one for family in PICTURES.values() for key, one in family.items()}
        random = random_for(self._seed, self._corruption, self._severity, name)
        return corrupted_picture(pixels, every[self._corruption], self._severity, random)

    def _input_picture(self, array: Array, name: str) -> Array:
        scale = self._scale
        span = max(scale.high - scale.low, 1e-9)
        pixels = (array.astype(numpy.float64) - scale.low) / span
        order = (0, 2, 3, 1) if scale.channels_first else (0, 1, 2, 3)
        back = (0, 3, 1, 2) if scale.channels_first else (0, 1, 2, 3)
        pixels = pixels.transpose(order)
        found = numpy.stack([self._corrupted(one, f"{name}/{k}") for k, one in enumerate(pixels)])
        return _like(found.transpose(back) * span + scale.low, array)

    def _signal(self, array: Array, name: str) -> Array:
        change = next(one[self._corruption] for one in SIGNALS.values() if self._corruption in one)
        random = random_for(self._seed, self._corruption, self._severity, name)
        assert self._scale.spread is not None  # numbers have one
        values = array.astype(numpy.float64)
        return _like(change(values, self._severity - 1, random, self._scale.spread), array)

    def _text(self, array: Array, name: str) -> Array:
        random = random_for(self._seed, TYPOS, self._severity, name)
        texts = [typos(str(one), self._severity - 1, random) for one in array.reshape(-1)]
        return numpy.array(texts, dtype=object).reshape(array.shape)


_CHANGES: Mapping[str, Callable[[CorruptedSamples, Array, str], Array]] = {
    PICTURE_INPUT: CorruptedSamples._input_picture,
    SIGNAL_INPUT: CorruptedSamples._signal,
    TEXT_INPUT: CorruptedSamples._text,
}


def _like(numbers: Floats, array: Array) -> Array:
    """Return numbers in the type of the clean array, rounded for whole ones."""
    if array.dtype.kind in "iu":
        bounds = numpy.iinfo(array.dtype.name)
        numbers = numbers.round().clip(bounds.min, bounds.max)
    return numpy.ascontiguousarray(numbers, array.dtype)
