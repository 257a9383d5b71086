"""Decoders of objects with masks, by the form of their head.

Sources of the forms: prototypes with coefficients as of YOLACT, Bolya et al. 2019, in the layout
of Ultralytics' exports; Mask R-CNN, He et al. 2017; masks of queries as of Mask2Former, Cheng et
al. 2022, with or without the boxes of a DETR.
"""

from __future__ import annotations

from typing import Callable, List, Mapping, NamedTuple, Optional, Tuple

import numpy as np

from ..outputs.detections import listed_boxes, sigmoid, unit
from .detections import Detections, unique
from .detectors import (
    MOST_CANDIDATES,
    UnknownForm,
    activated,
    around,
    in_pixels,
    table_of,
    with_best_class,
    without_background,
)
from .settings import OutputSettings

Outputs = Mapping[str, np.ndarray]
Size = Tuple[int, int]
Area = Tuple[float, float, float, float]
"""Left, top, right and bottom of the picture in the input."""

_USUAL_MAPS = 32
"""Prototypes of YOLACT and of every YOLO."""

MOST_SIDE = 256
"""Most cells of a mask along a side: it spans its box, whatever the size of the picture."""


class Instances(NamedTuple):
    """Objects with masks, in pixels of the model's input.

    Attributes:
        boxes: Cut at the edges of the picture.
        masks: Of each object the cells that belong to it, bool; they span its box evenly.
    """

    boxes: Detections
    masks: List[np.ndarray]


class _LazyMasks(NamedTuple):
    """Objects whose masks are not computed yet.

    Attributes:
        level: Gives the map of one object by its number, height x width, and the value from which
            a cell belongs to it.
        place: Gives the part of the input that this map covers.
    """

    boxes: Detections
    level: Callable[[int], Tuple[np.ndarray, float]]
    place: Callable[[int], Area]


def instances(
    outputs: Outputs, settings: OutputSettings, size: Size, area: Optional[Area] = None
) -> Instances:
    """Return the objects of one picture with their masks, the likeliest first.

    Args:
        outputs: Arrays by name, with a batch of one.
        size: Height and width of the input.
        area: Where the picture is in the input; None: everywhere.

    Raises:
        UnknownForm: when the outputs do not have the form of the head.
    """
    found = _HEADS[settings.head](outputs, settings, size)
    finite = np.isfinite(found.boxes.corners).all(axis=1)
    kept = np.flatnonzero((found.boxes.scores >= settings.threshold) & finite)
    order = kept[np.argsort(-found.boxes.scores[kept], kind="stable")]
    if settings.head in ("yolov5-seg", "yolo-seg"):
        candidates = found.boxes.chosen(order[:MOST_CANDIDATES])
        order = order[unique(candidates, settings.overlap, settings.most)]
    order = order[: settings.most]
    left, top, right, bottom = area or (0.0, 0.0, float(size[1]), float(size[0]))
    boxes = found.boxes.chosen(order)
    low, high = [left, top, left, top], [right, bottom, right, bottom]
    boxes = boxes._replace(corners=boxes.corners.clip(low, high))
    masks = []
    for number, corners in zip(order.tolist(), boxes.corners):
        level, least = found.level(number)
        masks.append(_resampled(level, found.place(number), corners) >= least)
    return Instances(boxes, masks)


def _resampled(level: np.ndarray, place: Area, corners: np.ndarray) -> np.ndarray:
    """Return a map at the cells of a box, between neighbours in proportion (bilinear).

    Args:
        level: Height x width.
        place: Left, top, right and bottom of the whole map.
        corners: Of the box.
    """
    left, top, right, bottom = place
    rows, columns = (_cells(corners[at], corners[at + 2]) for at in (1, 0))
    y = (rows - top) * level.shape[0] / max(bottom - top, 1e-9) - 0.5
    x = (columns - left) * level.shape[1] / max(right - left, 1e-9) - 0.5
    return _between(_between(level, y).T, x).T


def _cells(begin: float, end: float) -> np.ndarray:
    """Return the middles of the cells of a side: as many as it has pixels, within bounds."""
    count = int(np.clip(round(end - begin), 1, MOST_SIDE))
    found: np.ndarray = begin + (np.arange(count) + 0.5) * (end - begin) / count
    return found


def _between(table: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Return rows of a table at places between its rows; beyond its edges the last ones."""
    places = places.clip(0, len(table) - 1)
    low = np.floor(places).astype(np.intp)
    high = np.minimum(low + 1, len(table) - 1)
    share = (places - low)[:, None]
    found: np.ndarray = table[low] * (1 - share) + table[high] * share
    return found


def _prototypes(outputs: Outputs) -> Tuple[Outputs, np.ndarray]:
    """Return the tables, and the prototypes as maps x height x width."""
    maps = [array[0] for array in outputs.values() if array.ndim == 4 and array.shape[0] == 1]
    if len(maps) != 1 or not maps[0].size:
        raise UnknownForm("The outputs have no prototypes of masks.")
    count, _, last = maps[0].shape
    first = count == _USUAL_MAPS or (last != _USUAL_MAPS and count <= last)
    found = maps[0] if first else maps[0].transpose(2, 0, 1)
    return {name: array for name, array in outputs.items() if array.ndim == 3}, found


def _yolo(outputs: Outputs, settings: OutputSettings, size: Size) -> _LazyMasks:
    """(Middle, sizes, classes, coefficients) x places, and prototypes."""
    tables, maps = _prototypes(outputs)
    table = table_of(tables, settings, 5 + len(maps))
    boxes = in_pixels(around(table[:, :2], table[:, 2:4] / 2), size)
    found = with_best_class(boxes, table[:, 4 : -len(maps)])
    return _with_coefficients(found, table[:, -len(maps) :], maps, settings, size)


def _yolov5(outputs: Outputs, settings: OutputSettings, size: Size) -> _LazyMasks:
    """Places x (middle, sizes, any, classes, coefficients), and prototypes."""
    tables, maps = _prototypes(outputs)
    table = table_of(tables, settings, 6 + len(maps))
    boxes = in_pixels(around(table[:, :2], table[:, 2:4] / 2), size)
    found = with_best_class(boxes, table[:, 5 : -len(maps)] * table[:, 4:5])
    return _with_coefficients(found, table[:, -len(maps) :], maps, settings, size)


def _yolo_rows(outputs: Outputs, settings: OutputSettings, size: Size) -> _LazyMasks:
    """Rows of left, top, right, bottom, score, class and coefficients, and prototypes."""
    tables, maps = _prototypes(outputs)
    array = tables.get(settings.output or next(iter(tables), ""))
    if array is None or array.shape[0] != 1 or array.shape[2] != 6 + len(maps):
        raise UnknownForm("No output has rows of a box and {} coefficients.".format(len(maps)))
    rows = array[0].astype(np.float64)
    kinds = np.nan_to_num(rows[:, 5]).astype(np.int64)
    boxes = Detections(in_pixels(rows[:, :4], size), rows[:, 4], kinds)
    return _with_coefficients(boxes, rows[:, 6:], maps, settings, size)


def _with_coefficients(
    boxes: Detections,
    shares: np.ndarray,
    maps: np.ndarray,
    settings: OutputSettings,
    size: Size,
) -> _LazyMasks:
    flat = maps.reshape(len(maps), -1).astype(np.float64)
    least = _logit(settings.mask_score)

    def level(number: int) -> Tuple[np.ndarray, float]:
        return (shares[number] @ flat).reshape(maps.shape[1:]), least

    return _LazyMasks(boxes, level, _everywhere(size))


def _logit(likely: float) -> float:
    bounded = min(max(likely, 1e-6), 1 - 1e-6)
    return float(np.log(bounded / (1 - bounded)))


def _everywhere(size: Size) -> Callable[[int], Area]:
    return lambda _number: (0.0, 0.0, float(size[1]), float(size[0]))


def _maskrcnn(outputs: Outputs, settings: OutputSettings, size: Size) -> _LazyMasks:
    """Boxes after suppression, each with a small mask in it, or with one of the whole picture."""
    masks, rest = _masks_of_boxes(outputs)
    if any(array.size == 0 for array in rest.values()):
        return _LazyMasks(with_best_class(np.zeros((0, 4)), np.zeros((0, 1))), _no_level, _no_place)
    rows = listed_boxes(rest)
    if rows is None or len(rows) != len(masks):
        raise UnknownForm("No outputs are boxes with scores, one for each mask.")
    corners = in_pixels(rows[:, :4].astype(np.float64), size)
    boxes = Detections(corners, rows[:, 4].astype(np.float64), rows[:, 5].astype(np.int64))
    likely = masks if masks.size == 0 or unit(masks) else sigmoid(masks)
    whole = masks.shape[1:] == size

    def place(number: int) -> Area:
        left, top, right, bottom = corners[number].tolist()
        return left, top, right, bottom

    return _LazyMasks(
        boxes,
        lambda number: (likely[number].astype(np.float64), settings.mask_score),
        _everywhere(size) if whole else place,
    )


def _no_level(_number: int) -> Tuple[np.ndarray, float]:
    return np.zeros((1, 1)), 1.0


def _no_place(_number: int) -> Area:
    return 0.0, 0.0, 1.0, 1.0


def _masks_of_boxes(outputs: Outputs) -> Tuple[np.ndarray, Outputs]:
    """Return one mask for each box, boxes x height x width, and the other outputs."""
    name = next((n for n, a in outputs.items() if a.ndim == 4 and a.dtype.kind in "fu"), "")
    if not name:
        raise UnknownForm("The outputs have no masks of boxes.")
    array = outputs[name]
    axis = 1 if array.shape[1] == 1 else 0
    if array.shape[axis] != 1:
        raise UnknownForm("The output {!r} has several masks for a box.".format(name))
    masks = array[:, 0] if axis == 1 else array[0]
    return masks, {one: a for one, a in outputs.items() if one != name}


def _queries(outputs: Outputs, settings: OutputSettings, size: Size) -> _LazyMasks:
    """Logits and masks of queries; a box of a DETR, or one around the mask."""
    levels, scores, corners = _of_queries(outputs, size)
    likely = without_background(activated(scores, settings), settings.background)
    shares = unit(levels)
    least = settings.mask_score if shares else _logit(settings.mask_score)
    found = with_best_class(np.zeros((len(likely), 4)), likely)
    if corners is not None:
        found = found._replace(corners=corners)
    else:
        likely_of = _same if shares else sigmoid
        found = _around_masks(found, levels, least, likely_of, settings.threshold)
        scale = [size[1] / levels.shape[2], size[0] / levels.shape[1]]
        found = found._replace(corners=found.corners * (scale * 2))
    return _LazyMasks(found, lambda number: (levels[number], least), _everywhere(size))


def _of_queries(
    outputs: Outputs, size: Size
) -> Tuple[np.ndarray, np.ndarray, Optional[np.ndarray]]:
    """Return maps (queries x height x width), scores, and boxes where the model gives some."""
    maps = [a[0] for a in outputs.values() if a.ndim == 4 and a.shape[0] == 1 and a.size]
    if len(maps) != 1:
        raise UnknownForm("The outputs have no masks of queries.")
    tables = {
        name: array[0].astype(np.float64)
        for name, array in outputs.items()
        if array.ndim == 3 and array.shape[:2] == (1, len(maps[0]))
    }
    four = [name for name, table in tables.items() if table.shape[1] == 4 and unit(table)]
    name = min(four, key=lambda one: "box" not in one.lower(), default="")
    if len(tables) == 1:
        name = ""  # four classes, and no boxes
    scores = [table for one, table in tables.items() if one != name]
    if len(scores) != 1:
        raise UnknownForm("The outputs have no table of scores of the queries.")
    boxes = tables.get(name)
    if boxes is not None:
        boxes = in_pixels(around(boxes[:, :2], boxes[:, 2:] / 2), size)
    return np.nan_to_num(maps[0].astype(np.float64)), scores[0], boxes


def _same(shares: np.ndarray) -> np.ndarray:
    return shares


def _around_masks(
    found: Detections,
    levels: np.ndarray,
    least: float,
    likely_of: Callable[[np.ndarray], np.ndarray],
    threshold: float,
) -> Detections:
    """Return likely queries with boxes around their masks, in cells of the maps.

    The score is multiplied by the mean likelihood of the mask, as of MaskFormer, Cheng et al. 2021.
    """
    corners, scores = found.corners.copy(), np.zeros(len(found.scores))
    for number in np.flatnonzero(found.scores >= threshold).tolist():
        inside = levels[number] >= least
        if not inside.any():
            continue
        rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
        corners[number] = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
        scores[number] = found.scores[number] * float(likely_of(levels[number][inside]).mean())
    return found._replace(corners=corners, scores=scores)


_HEADS: Mapping[str, Callable[[Outputs, OutputSettings, Size], _LazyMasks]] = {
    "yolov5-seg": _yolov5,
    "yolo-seg": _yolo,
    "yolo-seg-rows": _yolo_rows,
    "maskrcnn": _maskrcnn,
    "queries": _queries,
}
