"""Heads with key points or masks, recognised where the shapes of the outputs allow no other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy

from studio.api import Array
from studio.runtime.serve.outputs.detections import listed_boxes, unit

Choice = Mapping[str, object]
Size = tuple[int, int]

STRIDES = (8, 16, 32)
_PERSON = 17
"""COCO's key points."""

_FEWEST_POINTS = 4
_MOST_PERSONS = 20
_PIXELS = 2.0
"""Scores are smaller than this, columns and rows in pixels larger."""

_QUARTER = 4
_EMPTY = 0.05
"""Mean of heatmaps, at most: a point covers few of their cells."""


def object_heads(outputs: Mapping[str, Array], size: Size) -> Iterator[Choice]:
    """Return settings for key points or masks, the surest first.

    Args:
        outputs: Arrays of one sample by name, with a batch of one.
        size: Height and width of the input.
    """
    for head in _point_heads(outputs, size):
        yield {"task": "keypoints", "head": head, "threshold": 0.3, "point_score": 0.3}
    for head, more in _mask_heads(outputs, size):
        limits = {"threshold": 0.4, "mask_score": 0.5}
        yield {"task": "instances", "head": head, **more, **limits}


def cells_of(size: Size) -> int:
    """Return the number of places of a YOLO with the usual strides."""
    return sum(-(-size[0] // one) * -(-size[1] // one) for one in STRIDES)


def _point_heads(outputs: Mapping[str, Array], size: Size) -> Iterator[str]:
    floats = [array for array in outputs.values() if array.dtype.kind == "f" and array.size]
    if len(outputs) == 1 and floats:
        yield from _of_one(*outputs.items(), size=size)
    if len(floats) == 2 and all(one.ndim == 3 and len(one) == 1 for one in floats):
        (points, across), (others, down) = (one.shape[1:] for one in floats)
        bins = {(across, down), (down, across)}
        if points == others and any((n * size[1], n * size[0]) in bins for n in (2, 3, 4)):
            yield "simcc"


def _of_one(named: tuple[str, Array], *, size: Size) -> Iterator[str]:
    name, array = named
    shape, last = array.shape, array.shape[-1]
    if shape == (1, 1, _PERSON, 3) and unit(array):
        yield "movenet"
    if array.ndim == 3 and shape[0] == 1:
        if last == 5 + 3 * _PERSON and shape[1] <= _MOST_PERSONS and unit(array[..., -1]):
            yield "movenet-multi"
        if last == 6 + 3 * _PERSON and shape[1] != cells_of(size) and _are_pixels(array[0, :, 6:]):
            yield "yolo-pose-rows"
        if _is_yolo_pose(array, size):
            yield "yolo-pose"
    if array.ndim == 4 and shape[0] == 1 and _are_heatmaps(name, array, size):
        yield "heatmaps"


def _are_pixels(points: Array) -> bool:
    """Return whether columns hold x, y and a score by turns."""
    return bool(points[:, 0::3].max() > _PIXELS) and unit(points[:, 2::3])


def _is_yolo_pose(array: Array, size: Size) -> bool:
    """Return whether a table of all places has points in pixels after its one score."""
    rows, columns = array.shape[1:]
    if columns != cells_of(size) or rows < 5 + 3 * _FEWEST_POINTS or (rows - 5) % 3:
        return False
    return unit(array[0, 4]) and _are_pixels(array[0, 5:].T)


def _are_heatmaps(name: str, array: Array, size: Size) -> bool:
    """Return whether there is a map of a quarter of the input for each of COCO's points."""
    channels_last = array.shape[3] == _PERSON
    tall, wide = array.shape[1:3] if channels_last else array.shape[2:]
    if array.shape[3 if channels_last else 1] != _PERSON or tall * _QUARTER != size[0]:
        return False
    empty = float(numpy.abs(array).mean()) <= _EMPTY
    return wide * _QUARTER == size[1] and (empty or "heatmap" in name.lower())


def _mask_heads(
    outputs: Mapping[str, Array], size: Size
) -> Iterator[tuple[str, Mapping[str, object]]]:
    floats = {name: a for name, a in outputs.items() if a.dtype.kind == "f" and a.size}
    maps = [one for one in floats.values() if one.ndim == 4]
    tables = [one for one in floats.values() if one.ndim == 3 and len(one) == 1]
    if len(maps) != 1:
        return
    if len(outputs) == 2 and len(tables) == 1 and len(maps[0]) == 1:
        yield from _of_prototypes(tables[0], maps[0].shape, size)
    rest = {name: array for name, array in outputs.items() if array is not maps[0]}
    rows = listed_boxes(rest) if rest else None
    if rows is not None and len(rows) == max(maps[0].shape[:2]) and min(maps[0].shape[:2]) == 1:
        yield "maskrcnn", {}
    queries = maps[0].shape[1]
    if tables and len(maps[0]) == 1 and all(one.shape[1] == queries for one in tables):
        yield "queries", {"background": "last" if len(tables) == 1 else "none"}


def _of_prototypes(
    table: Array, maps: tuple[int, ...], size: Size
) -> Iterator[tuple[str, Mapping[str, object]]]:
    rows, columns = table.shape[1:]
    count = 32 if 32 in (maps[1], maps[3]) else min(maps[1], maps[3])
    cells = cells_of(size)
    if columns == cells and rows > 4 + count:
        yield "yolo-seg", {"overlap": 0.5}
    elif rows == 3 * cells and columns > 5 + count:
        yield "yolov5-seg", {"overlap": 0.5}
    elif columns == 6 + count:
        yield "yolo-seg-rows", {}
