"""Decoders of detectors' outputs by the form of their head.

Sources of the forms: YOLOv5 and v8 as Ultralytics exports them, with the boxes decoded; YOLOX,
Ge et al. 2021; the distribution of distances of NanoDet and PicoDet, "Generalized Focal Loss",
Li et al. 2020; DETR, Carion et al. 2020, and RT-DETR, Zhao et al. 2023.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Callable, Dict, List, Mapping, Sequence, Tuple

import numpy as np

from ..outputs.detections import listed_boxes, sigmoid, softmax, sums_to_one, unit
from .detections import Detections, suppressed
from .settings import OutputSettings

Outputs = Mapping[str, np.ndarray]
Size = Tuple[int, int]

_RELATIVE = 1.5
"""Boxes whose largest coordinate is below this are fractions of the input, not pixels."""

_USUAL_SIDES = (32, 44, 68)
"""Columns of the distances: four sides of 8, 11 or 17 bins."""

MOST_CANDIDATES = 3000
"""Likeliest places that suppression looks at."""


class UnknownForm(ValueError):
    """Outputs that do not have the form of the head; its text is a sentence."""


def detect(outputs: Outputs, settings: OutputSettings, size: Size) -> Detections:
    """Return the objects of one picture in pixels of the model's input, the likeliest first.

    Args:
        outputs: Arrays by name, with a batch of one.
        size: Height and width of the input.

    Raises:
        UnknownForm: when the outputs do not have the form of the head.
    """
    found = _HEADS[settings.head](outputs, settings, size).likely(settings.threshold)
    if settings.head in ("boxes", "detr"):
        return found.chosen(np.arange(min(len(found.scores), settings.most)))
    candidates = found.chosen(np.arange(min(len(found.scores), MOST_CANDIDATES)))
    return suppressed(candidates, settings.overlap, settings.most)


def _listed(outputs: Outputs, settings: OutputSettings, size: Size) -> Detections:
    if any(array.size == 0 for array in outputs.values()) or _is_padding(outputs):
        return with_best_class(np.zeros((0, 4)), np.zeros((0, 1)))
    rows = listed_boxes(outputs)
    if rows is None:
        raise UnknownForm("No output is a list of boxes with scores.")
    corners = in_pixels(rows[:, :4].astype(np.float64), size)
    return Detections(corners, rows[:, 4].astype(np.float64), rows[:, 5].astype(np.int64))


def _is_padding(outputs: Outputs) -> bool:
    """Return whether a detector with a fixed number of rows has filled them all with 0 or -1."""
    floats = [array for array in outputs.values() if array.dtype.kind == "f"]
    return bool(floats) and all(bool(((one == 0) | (one == -1)).all()) for one in floats)


def in_pixels(corners: np.ndarray, size: Size) -> np.ndarray:
    """Return corners in pixels of the input, also where they were shares of it."""
    if len(corners) and np.abs(corners).max() <= _RELATIVE:
        height, width = size
        return corners * np.array([width, height, width, height], dtype=np.float64)
    return corners


def table_of(outputs: Outputs, settings: OutputSettings, fewest: int) -> np.ndarray:
    """Return the one table of places and numbers, places x numbers.

    Args:
        fewest: Least numbers of a place.

    Raises:
        UnknownForm: when the output is no such table.
    """
    name = settings.output or next(iter(outputs), "")
    array = outputs.get(name)
    if array is None or array.ndim != 3 or array.shape[0] != 1:
        raise UnknownForm("The output {!r} is not one table of boxes.".format(name))
    table = array[0] if array.shape[1] >= array.shape[2] else array[0].T
    if table.shape[1] < fewest:
        raise UnknownForm("The output {!r} has only {} numbers a box.".format(name, table.shape[1]))
    found: np.ndarray = table.astype(np.float64)
    return found


def _yolov5(outputs: Outputs, settings: OutputSettings, size: Size) -> Detections:
    table = table_of(outputs, settings, 6)
    corners = around(table[:, :2], table[:, 2:4] / 2)
    return with_best_class(in_pixels(corners, size), table[:, 5:] * table[:, 4:5])


def _yolov8(outputs: Outputs, settings: OutputSettings, size: Size) -> Detections:
    table = table_of(outputs, settings, 5)
    return with_best_class(in_pixels(around(table[:, :2], table[:, 2:4] / 2), size), table[:, 4:])


def _yolox(outputs: Outputs, settings: OutputSettings, size: Size) -> Detections:
    table = table_of(outputs, settings, 6)
    cells, strides = _cells(size, settings.strides, 0.0)
    if len(cells) != len(table):
        sentence = "The output has {:,} places, and the strides make {:,} of this input."
        raise UnknownForm(sentence.format(len(table), len(cells)))
    half = np.exp(np.minimum(table[:, 2:4], 20.0)) * strides / 2
    return with_best_class(
        around((table[:, :2] + cells) * strides, half), table[:, 5:] * table[:, 4:5]
    )


@lru_cache(maxsize=8)
def _cells(size: Size, strides: Sequence[int], offset: float) -> Tuple[np.ndarray, np.ndarray]:
    """Return column and row of each cell of all levels, and its stride."""
    cells, sides = [], []
    for stride in strides:
        rows, columns = -(-size[0] // stride), -(-size[1] // stride)
        down, across = np.indices((rows, columns))
        cells.append(np.stack([across.ravel(), down.ravel()], axis=1) + offset)
        sides.append(np.full((rows * columns, 1), stride))
    return np.concatenate(cells), np.concatenate(sides)


def _gfl(outputs: Outputs, settings: OutputSettings, size: Size) -> Detections:
    """Scores, and for each side of a box the distribution of its distance from the cell."""
    cells, strides = _cells(size, settings.strides, settings.offset)
    scores, sides = _levels(outputs, len(cells), settings)
    likely = scores if unit(scores) else sigmoid(scores)
    kept = np.flatnonzero(
        likely.max(axis=1) >= settings.threshold
    )  # the rest costs most of a frame
    bins = sides.shape[1] // 4
    shares = softmax(sides[kept].reshape(-1, 4, bins))
    distances = (shares @ np.arange(bins, dtype=np.float64)) * strides[kept]
    middle = cells[kept] * strides[kept]
    corners = np.hstack([middle - distances[:, :2], middle + distances[:, 2:]])
    return with_best_class(corners, likely[kept])


def _levels(
    outputs: Outputs, places: int, settings: OutputSettings
) -> Tuple[np.ndarray, np.ndarray]:
    """Return the tables of scores and of distances of all levels, in the order of the strides."""
    tables = [array[0] for array in outputs.values() if array.ndim == 3 and array.shape[0] == 1]
    if len(tables) == 1 and tables[0].shape[0] == places:  # NanoDet has both in one table
        sides = _sides_of(tables[0].shape[1])
        return tables[0][:, :-sides], tables[0][:, -sides:]
    groups: Dict[int, List[np.ndarray]] = {}
    for table in tables:
        groups.setdefault(table.shape[1], []).append(table)
    joined = {
        columns: np.concatenate(sorted(parts, key=len, reverse=True))
        for columns, parts in groups.items()
    }
    whole_groups = {columns: one for columns, one in joined.items() if len(one) == places}
    # A table of 80 classes could be one of four sides, too.
    usual = [one for one in whole_groups if one in _USUAL_SIDES]
    sides = max(usual or [one for one in whole_groups if one % 4 == 0], default=0)
    rest = [one for one in whole_groups if one != sides]
    if not sides or len(rest) != 1:
        sentence = "The outputs are no scores and distances of {:,} places ({} strides)."
        raise UnknownForm(sentence.format(places, len(settings.strides)))
    return whole_groups[rest[0]], whole_groups[sides]


def _sides_of(columns: int) -> int:
    """Return how many columns are distances: 4 sides of 8 bins, as both models have."""
    if columns <= 32:
        raise UnknownForm("The output has only {} numbers a place.".format(columns))
    return 32


def _detr(outputs: Outputs, settings: OutputSettings, size: Size) -> Detections:
    """Return the likeliest class of each query; DETR's class for nothing counts as none."""
    boxes, scores = _pair(outputs, settings)
    likely = without_background(activated(scores, settings), settings.background)
    corners = around(boxes[:, :2], boxes[:, 2:] / 2)
    return with_best_class(in_pixels(corners, size), likely)


def _tables(outputs: Outputs, settings: OutputSettings, size: Size) -> Detections:
    """Whole boxes of all places as corners, and their scores (SSD)."""
    boxes, scores = _pair(outputs, settings)
    likely = without_background(activated(scores, settings), settings.background)
    return with_best_class(in_pixels(boxes, size), likely)


def _pair(outputs: Outputs, settings: OutputSettings) -> Tuple[np.ndarray, np.ndarray]:
    tables = {n: a[0] for n, a in outputs.items() if a.ndim == 3 and a.shape[0] == 1}
    scores = tables.get(settings.output)
    four = [n for n, a in tables.items() if a.shape[1] == 4 and n != settings.output]
    # A model of four classes has two such tables.
    name = min(four, key=lambda n: ("box" not in n.lower(), not unit(tables[n])), default="")
    if scores is None:
        scores = next((table for n, table in tables.items() if n != name), None)
    if scores is None or not name or len(tables[name]) != len(scores):
        raise UnknownForm("The outputs are no table of boxes with one of scores.")
    return tables[name].astype(np.float64), scores.astype(np.float64)


def activated(scores: np.ndarray, settings: OutputSettings) -> np.ndarray:
    """Return likelihoods of scores, places x classes, by the setting or by their values."""
    kind = settings.activation
    if kind == "softmax" or (kind == "auto" and not unit(scores) and settings.background != "none"):
        return softmax(scores)
    if kind == "none" or (kind == "auto" and (unit(scores) or sums_to_one(scores))):
        return scores
    return sigmoid(scores)


def without_background(scores: np.ndarray, background: str) -> np.ndarray:
    """Return the columns of scores without that of nothing."""
    if background == "none":
        return scores
    return scores[:, 1:] if background == "first" else scores[:, :-1]


def around(middle: np.ndarray, half: np.ndarray) -> np.ndarray:
    """Return the corners of boxes from their middles and half of their sizes."""
    return np.hstack([middle - half, middle + half])


def with_best_class(corners: np.ndarray, scores: np.ndarray) -> Detections:
    """Return boxes with their likeliest class."""
    if not len(corners):
        return Detections(np.zeros((0, 4)), np.zeros(0), np.zeros(0, dtype=np.int64))
    kinds = scores.argmax(axis=1)
    return Detections(corners, scores[np.arange(len(scores)), kinds].astype(np.float64), kinds)


_HEADS: Mapping[str, Callable[[Outputs, OutputSettings, Size], Detections]] = {
    "boxes": _listed,
    "tables": _tables,
    "yolov5": _yolov5,
    "yolov8": _yolov8,
    "yolox": _yolox,
    "gfl": _gfl,
    "detr": _detr,
}
