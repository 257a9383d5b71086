"""Answers of a model by its ``outputs.toml``, or by the form of its outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from studio.api import Array
from studio.documents.dataclass_json import from_json
from studio.lazy_dataclass import dataclass
from studio.models.answers import OutputReader, output_line
from studio.models.outputs.draft import AnsweredSample, recognised_outputs
from studio.monitoring.stream.frames import PreparedFrame
from studio.monitoring.stream.results import (
    ClassScore,
    FoundBox,
    FoundCells,
    FoundPoint,
    FrameAnswer,
)
from studio.runtime.serve.decoders.decoder import Decoder, PictureInInput
from studio.runtime.serve.decoders.settings import OutputSettings


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


_MOST_DRAWN = 100
_MOST_LINES = 12
_MOST_CLASSES = 5


class MeaningReader:
    """Reads the answers of one served model; the same way from its first frame on."""

    def __init__(self, reader: OutputReader, settings: OutputSettings | None) -> None:
        """Take what is known.

        Args:
            reader: For outputs without a known meaning.
            settings: Of an ``outputs.toml``; None: they are recognised with the first frame.
        """
        self._reader = reader
        self._settings = settings
        self._recognised = settings is None
        self._is_looked_at = settings is not None

    def read(self, outputs: Mapping[str, Array], shot: PreparedFrame) -> FrameAnswer:
        """Return the answer for one frame."""
        raw = tuple(output_line(*one) for one in outputs.items())
        if self._recognised:
            guess = self._reader.read(outputs, shot.placement)
            if guess.kind != "values":
                return replace(from_json(FrameAnswer, guess.to_json()), raw=raw)
            self._recognise(outputs, shot)
        if self._settings is None:
            return FrameAnswer("values", values=raw)
        settings = self._settings
        try:
            decoded = self._decoder(settings).decode(outputs, _size(shot), _place(shot))
        except ValueError as error:
            return FrameAnswer("values", values=(str(error), *raw))
        answer = _answer(from_json(Prediction, decoded), settings, shot)
        return replace(answer, task=settings.task, recognised=self._recognised, raw=raw)

    def _recognise(self, outputs: Mapping[str, Array], shot: PreparedFrame) -> None:
        if self._is_looked_at:
            return
        self._is_looked_at = True
        known = tuple(self._reader.labels), tuple(self._reader.dictionary)
        self._settings = recognised_outputs(AnsweredSample(outputs, _size(shot), *known))

    def _decoder(self, settings: OutputSettings) -> Decoder:
        return Decoder(settings, tuple(self._reader.labels), tuple(self._reader.dictionary))


def _size(shot: PreparedFrame) -> tuple[int, int] | None:
    return (shot.placement.height, shot.placement.width) if shot.placement else None


def _place(shot: PreparedFrame) -> PictureInInput | None:
    if shot.picture is None or shot.placement is None:
        return None
    height, width = shot.picture.shape[:2]
    return PictureInInput(height, width, shot.placement)


def _answer(found: Prediction, settings: OutputSettings, shot: PreparedFrame) -> FrameAnswer:
    """Return what the decoder has found, with places in fractions of the picture."""
    size = shot.picture.shape[:2] if shot.picture is not None else (1, 1)
    if found.objects is not None:
        boxes = [_box(one, size, settings) for one in found.objects[:_MOST_DRAWN]]
        return FrameAnswer("boxes", boxes=tuple(boxes))
    if found.regions is not None:
        boxes = [_region(one, size) for one in found.regions[:_MOST_DRAWN]]
        return FrameAnswer("boxes", boxes=tuple(boxes))
    classes = _classes(found.classes or ())
    if found.map is not None:
        return FrameAnswer("map", classes=classes, map=_map(found, shot))
    if found.classes is not None:
        return FrameAnswer("classes", classes=classes)
    if found.text is not None:
        return FrameAnswer("text", text=found.text, score=found.score)
    return FrameAnswer("values", values=tuple(_lines(found)))


def _classes(rows: tuple[DecodedClass, ...]) -> tuple[ClassScore, ...]:
    ranked = sorted(rows, key=lambda one: -(one.score + one.share))[:_MOST_CLASSES]
    return tuple(ClassScore(one.label, one.index, one.score + one.share) for one in ranked)


def _box(one: DecodedObject, size: tuple[int, ...], settings: OutputSettings) -> FoundBox:
    height, width = size
    left, top, right, bottom = one.box
    likely = [point for point in one.points if point.score >= settings.point_score]
    mask = one.mask
    return FoundBox(
        (_part(left, width), _part(top, height), _part(right, width), _part(bottom, height)),
        one.label,
        one.score,
        one.index,
        tuple(_point(point, width, height) for point in likely) or None,
        None if mask is None else FoundCells(mask.width, mask.height, mask.runs),
    )


def _point(one: DecodedPoint, width: int, height: int) -> FoundPoint:
    return FoundPoint(_part(one.x, width), _part(one.y, height), one.score, one.name)


def _region(one: DecodedRegion, size: tuple[int, ...]) -> FoundBox:
    height, width = size
    corners = [(_part(x, width), _part(y, height)) for x, y in one.corners]
    across, down = zip(*corners, strict=True)
    flat = tuple(side for corner in corners for side in corner)
    box = (min(across), min(down), max(across), max(down))
    return FoundBox(box, "text", one.score, corners=flat)


def _part(value: float, whole: int) -> float:
    return round(value / whole, 4)


def _map(found: Prediction, shot: PreparedFrame) -> FoundCells | None:
    """Return a map with the area of the whole input on the picture."""
    cells, at = found.map, shot.placement
    if cells is None:
        return None
    box = (0.0, 0.0, 1.0, 1.0)
    if at is not None:
        left, top = -at.left / at.columns, -at.top / at.rows
        box = (left, top, left + at.width / at.columns, top + at.height / at.rows)
    flat = tuple(number for run in cells.runs for number in run)
    return FoundCells(cells.width, cells.height, flat, box)


def _lines(found: Prediction) -> list[str]:
    """Return a probability, values or an embedding in lines for people."""
    if found.probability is not None:
        name = found.label or "Probability"
        return [f"{name} {100 * found.probability:.1f} %", found.decision]
    if found.vector is not None:
        return [f"{len(found.vector):,} numbers, norm {found.norm:.4g}"]
    lines = []
    for one in (found.values or ())[:_MOST_LINES]:
        value = "-" if one.value is None else f"{one.value:.4g}"
        lines.append(" ".join(filter(None, (one.name, value, one.unit))))
    return lines
