"""Outputs of each form of head, made from boxes that are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy

Array = numpy.ndarray
STRIDES = (8, 16, 32)
SIZE = (96, 128)
CLASSES = 4
BINS = 8


class Truth(NamedTuple):
    """A box in pixels of the input (left, top, right, bottom) with its class and its score."""

    box: tuple[float, float, float, float]
    kind: int
    score: float


def cells(offset: float) -> tuple[Array, Array]:
    """Column and row of the cells of all levels, and their strides."""
    found, sides = [], []
    for stride in STRIDES:
        for row in range(SIZE[0] // stride):
            for column in range(SIZE[1] // stride):
                found.append((column + offset, row + offset))
                sides.append(stride)
    return numpy.array(found, float), numpy.array(sides, float)[:, None]


def _places(truths: Sequence[Truth], offset: float) -> list[int]:
    """A cell of its own for each box: the one nearest to its middle on the last free level."""
    middles, strides = cells(offset)
    taken: list[int] = []
    for truth in truths:
        middle = [(truth.box[0] + truth.box[2]) / 2, (truth.box[1] + truth.box[3]) / 2]
        order = numpy.argsort(numpy.abs(middles * strides - middle).sum(axis=1))
        taken.append(next(int(at) for at in order if int(at) not in taken))
    return taken


def _scores(truths: Sequence[Truth], rows: Sequence[int], count: int) -> Array:
    scores = numpy.full((count, CLASSES), 0.01)
    for truth, row in zip(truths, rows, strict=True):
        scores[row, truth.kind] = truth.score
    return scores


def _middles(truths: Sequence[Truth]) -> Array:
    """Middle and sizes of each box."""
    boxes = numpy.array([one.box for one in truths], float).reshape(-1, 4)
    return numpy.hstack([(boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]])


def logits(shares: Array) -> Array:
    """What a sigmoid makes these shares of."""
    return numpy.log(shares / (1 - shares))


def boxes(truths: Sequence[Truth]) -> dict[str, Array]:
    """After suppression: rows of box, score and class."""
    rows = [[*one.box, one.score, one.kind] for one in truths]
    return {"dets": numpy.array(rows, numpy.float32).reshape(1, -1, 6)}


def yolov5(truths: Sequence[Truth]) -> dict[str, Array]:
    """Places x (middle, sizes, any, classes), three anchors a cell."""
    count = 3 * len(cells(0)[0])
    rows = [7 * at for at in range(len(truths))]
    table = numpy.full((count, 5 + CLASSES), 0.02)
    table[:, :4] = [10, 10, 4, 4]
    for truth, row, middle in zip(truths, rows, _middles(truths), strict=True):
        table[row] = [*middle, truth.score, *numpy.eye(CLASSES)[truth.kind]]
    return {"output0": table[None].astype(numpy.float32)}


def yolov8(truths: Sequence[Truth]) -> dict[str, Array]:
    """(Middle, sizes, classes) x places."""
    count = len(cells(0)[0])
    rows = [3 * at for at in range(len(truths))]
    table = numpy.hstack([numpy.tile([10.0, 10, 4, 4], (count, 1)), _scores(truths, rows, count)])
    table[rows, :4] = _middles(truths)
    return {"output0": table.T[None].astype(numpy.float32)}


def yolox(truths: Sequence[Truth]) -> dict[str, Array]:
    """Offsets from the cells in strides, and logarithms of the sizes."""
    grid, strides = cells(0)
    rows = _places(truths, 0)
    table = numpy.full((len(grid), 5 + CLASSES), 0.02)
    for truth, row, middle in zip(truths, rows, _middles(truths), strict=True):
        table[row, :2] = middle[:2] / strides[row] - grid[row]
        table[row, 2:4] = numpy.log(middle[2:] / strides[row])
        table[row, 4:] = [truth.score, *numpy.eye(CLASSES)[truth.kind]]
    return {"output": table[None].astype(numpy.float32)}


def gfl(truths: Sequence[Truth], offset: float = 0.5, *, raw: bool = False) -> dict[str, Array]:
    """Scores and distributions of the distances, a table of each for each level."""
    grid, strides = cells(offset)
    rows = _places(truths, offset)
    scores = _scores(truths, rows, len(grid))
    sides = numpy.zeros((len(grid), 4, BINS))
    for truth, row in zip(truths, rows, strict=True):
        x, y = grid[row] * strides[row]
        left, top, right, bottom = truth.box
        away = numpy.array([x - left, y - top, right - x, bottom - y]) / strides[row]
        sides[row] = _distributions(away)
    found, begin = {}, 0
    for stride in STRIDES:
        end = begin + (SIZE[0] // stride) * (SIZE[1] // stride)
        level = scores[begin:end]
        found[f"scores_{stride}"] = (logits(level) if raw else level)[None].astype(numpy.float32)
        distances = sides[begin:end].reshape(-1, 4 * BINS)
        found[f"sides_{stride}"] = distances[None].astype(numpy.float32)
        begin = end
    return found


def _distributions(distances: Array) -> Array:
    """Logits of which the mean of a softmax is the distance, in bins."""
    found = numpy.full((4, BINS), -30.0)
    for side, distance in enumerate(distances):
        low = min(int(distance), BINS - 2)
        found[side, low] = numpy.log(max(low + 1 - distance, 1e-9))
        found[side, low + 1] = numpy.log(max(distance - low, 1e-9))
    return found


def detr(truths: Sequence[Truth]) -> dict[str, Array]:
    """Queries with logits (for a sigmoid) and boxes as shares of the picture."""
    count = 20
    rows = list(range(len(truths)))
    places = numpy.tile([0.5, 0.5, 0.1, 0.1], (count, 1))
    places[rows] = _middles(truths) / [SIZE[1], SIZE[0], SIZE[1], SIZE[0]]
    scores = logits(_scores(truths, rows, count))
    return {
        "logits": scores[None].astype(numpy.float32),
        "boxes": places[None].astype(numpy.float32),
    }


def tables(truths: Sequence[Truth]) -> dict[str, Array]:
    """Whole boxes as shares of the picture, and scores with nothing as the first class."""
    count = 40
    rows = list(range(len(truths)))
    places = numpy.tile([0.1, 0.1, 0.2, 0.2], (count, 1))
    corners = numpy.array([one.box for one in truths], float).reshape(-1, 4)
    places[rows] = corners / [SIZE[1], SIZE[0], SIZE[1], SIZE[0]]
    likely = numpy.hstack([numpy.full((count, 1), 0.5), _scores(truths, rows, count)])
    return {
        "scores": likely[None].astype(numpy.float32),
        "boxes": places[None].astype(numpy.float32),
    }


HEADS: dict[str, tuple[Callable[[Sequence[Truth]], dict[str, Array]], dict[str, object]]] = {
    "boxes": (boxes, {}),
    "yolov5": (yolov5, {}),
    "yolov8": (yolov8, {}),
    "yolox": (yolox, {}),
    "gfl": (gfl, {}),
    "detr": (detr, {}),
    "tables": (tables, {"background": "first", "activation": "none"}),
}
"""By head what makes its outputs, and the settings that differ from the defaults."""
