"""Boxes of a detector, read from its raw outputs in pixels of the picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from pathlib import Path

import numpy

from studio.api import Array, Dataset, InvalidData, InvalidModel, Sample
from studio.datasets.images import ImageFolder
from studio.datasets.output_settings import read_outputs
from studio.datasets.text_lines import text_lines
from studio.lazy_dataclass import dataclass
from studio.runtime.serve.decoders.decoder import Decoder, PictureInInput
from studio.runtime.serve.decoders.settings import DETECTION, OutputSettings

BOXES = "boxes"
"""Name of the only output that is left: left, top, right, bottom, score and class in a row."""

_OF_PRECISION = 0.01
"""Least score of a box for mean average precision, which also counts unlikely boxes."""

_CHANNELS = (1, 3)

NAMES = "labels.txt"
"""File of the names of a model's classes next to its ``outputs.toml``."""

_QUOTED = 40
"""Most characters of a name in a message."""


@dataclass(frozen=True, slots=True)
class BoxReader:
    """Decodes the outputs of one sample by an ``outputs.toml``.

    Boxes are in pixels of the picture where the samples are picture files, else of the input. Only
    classes that occur in the labels are kept: data that labels persons alone cannot show whether
    a car is right.

    Attributes:
        settings: With the least score that is needed.
        least_score: Score from which the model's answer has a box.
        pictures: The data; None where samples are no picture files.
        classes: Classes of the labels; empty for all.
        numbers: Of the model's classes by their names, for labels that have names.
    """

    settings: OutputSettings
    least_score: float
    pictures: ImageFolder | None = None
    classes: frozenset[int] = frozenset()
    numbers: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path | None, dataset: Dataset) -> BoxReader | None:
        """Return the reader for labelled data; None without the settings of a detector.

        Raises:
            InvalidData: when the file is damaged.
        """
        settings = read_outputs(path) if path is not None else None
        if path is None or settings is None or settings.task != DETECTION:
            return None
        names = list(enumerate(text_lines(path.with_name(NAMES))))
        numbers = {name: number for number, name in reversed(names)}  # the first of equal names
        return cls(settings, settings.threshold, numbers=numbers).on(dataset)

    def on(self, dataset: Dataset) -> BoxReader:
        """Return the reader for other data; the same for some of its own samples."""
        if not isinstance(dataset, ImageFolder):
            return self
        labels = (label for label in dataset.labels if isinstance(label, str))
        classes = frozenset(self._class(name) for label in labels for name, _ in _boxes(label))
        return replace(self, pictures=dataset, classes=classes)

    def numbered(self, label: str) -> str:
        """Return a label with numbers for the names of its classes.

        Raises:
            InvalidData: for a name that the model does not have.
        """
        return "; ".join(f"{self._class(name)} {corners}" for name, corners in _boxes(label))

    def _class(self, name: str) -> int:
        if (number := _number(name)) is not None:
            return number
        if name in self.numbers:
            return self.numbers[name]
        raise InvalidData(
            f"The labels name the class {name[:_QUOTED]!r}, and the model has no such class.",
            hint=f"Put {NAMES} next to outputs.toml: one name a line, in the model's order.",
        )

    def with_unlikely(self) -> BoxReader:
        """Return the reader of more boxes, as mean average precision needs them."""
        low = min(self.settings.threshold, _OF_PRECISION)
        return replace(self, settings=self.settings._replace(threshold=low))

    def __call__(self, sample: Sample, outputs: Mapping[str, Array]) -> Mapping[str, Array]:
        """Return the boxes as the only output.

        Raises:
            InvalidModel: when the outputs do not have the form of the settings.
        """
        shape = next(iter(sample.feeds.values())).shape
        size = shape[2:4] if len(shape) == 4 and shape[1] in _CHANNELS else shape[1:3]
        try:
            found = Decoder(self.settings).objects(outputs, (size[0], size[1]), self._place(sample))
        except (ValueError, IndexError) as error:
            raise InvalidModel(f"The outputs do not fit the outputs.toml: {error}") from None
        columns = (found.boxes.scores[:, None], found.boxes.classes[:, None])
        rows = numpy.concatenate([found.boxes.corners, *columns], axis=1, dtype=numpy.float64)
        if self.classes:
            rows = rows[numpy.isin(rows[:, 5], list(self.classes))]
        return {BOXES: rows}

    def answer(self, boxes: Mapping[str, Array]) -> str:
        """Return the boxes of the answer in the form of a label, each with its score."""
        rows = [row for row in boxes[BOXES].tolist() if row[4] >= self.least_score]
        return "; ".join(
            f"{int(kind)} {left:.1f} {top:.1f} {right:.1f} {bottom:.1f} {score:.3f}"
            for left, top, right, bottom, score, kind in rows
        )

    def _place(self, sample: Sample) -> PictureInInput | None:
        if self.pictures is None:
            return None
        height, width, placement = self.pictures.placed(sample.name)
        return PictureInInput(height, width, placement)


def is_box_list(label: object, *, named: bool = False) -> bool:
    """Return whether a label is ``class left top right bottom``, several between semicolons.

    Args:
        named: Names of classes are allowed. A text of a recogniser may look the same.
    """
    try:
        boxes = _boxes(label) if isinstance(label, str) else []
    except InvalidData:
        return False
    return bool(boxes) and (named or all(_number(name) is not None for name, _ in boxes))


def _boxes(label: str) -> list[tuple[str, str]]:
    """Return number or name of the class, and the corners, of a label's boxes.

    Raises:
        InvalidData: when it is no list of boxes.
    """
    rows = [part.rsplit(maxsplit=4) for part in label.split(";") if part.strip()]
    try:
        if all(len(row) == 5 and numpy.isfinite([*map(float, row[1:])]).all() for row in rows):
            return [(row[0].strip(), " ".join(row[1:])) for row in rows]
    except ValueError:
        pass
    raise InvalidData(f"The label {label[:60]!r} is no list of boxes.")


def _number(name: str) -> int | None:
    try:
        return int(float(name))
    except (ValueError, OverflowError):
        return None
