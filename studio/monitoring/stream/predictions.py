"""One prediction of the runtime's decoder, as ``/predict`` answers with it."""

from __future__ import annotations

from studio.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class DecodedPoint:
    """A key point in pixels of the picture."""

    name: str
    x: float
    y: float
    score: float


@dataclass(frozen=True, slots=True)
class DecodedMask:
    """A mask that spans its box: cells outside, inside, and so on."""

    width: int
    height: int
    runs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class DecodedObject:
    """An object with its box in pixels of the picture."""

    label: str
    index: int
    score: float
    box: tuple[float, ...]
    points: tuple[DecodedPoint, ...] = ()
    mask: DecodedMask | None = None


@dataclass(frozen=True, slots=True)
class DecodedRegion:
    """A line of text by its four corners."""

    score: float
    corners: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class DecodedClass:
    """A class with its score, or with its share of a map."""

    label: str
    index: int
    score: float = 0.0
    share: float = 0.0


@dataclass(frozen=True, slots=True)
class DecodedMap:
    """A map of classes: class and length of each run."""

    width: int
    height: int
    runs: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class DecodedValue:
    """A value of a regression; None where it is no number."""

    value: float | None
    name: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Prediction:
    """The meaning of one sample's outputs; only the fields of its task are set."""

    objects: tuple[DecodedObject, ...] | None = None
    regions: tuple[DecodedRegion, ...] | None = None
    map: DecodedMap | None = None
    classes: tuple[DecodedClass, ...] | None = None
    text: str | None = None
    score: float = 0.0
    probability: float | None = None
    decision: str = ""
    label: str = ""
    vector: tuple[float, ...] | None = None
    norm: float = 0.0
    values: tuple[DecodedValue, ...] | None = None
