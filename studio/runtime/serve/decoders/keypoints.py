"""Decoders of key points, such as those of a person's pose, by the form of their head.

Sources of the forms: Ultralytics' exports for YOLOv8-pose and its successors, and the model card
of MoveNet. Heatmaps are those of Xiao et al., "Simple Baselines for Human Pose Estimation", 2018.
SimCC is of Li et al. 2022, as in RTMPose. Landmarks are as of MediaPipe's models.
"""

from __future__ import annotations

from typing import Callable, List, Mapping, NamedTuple, Sequence, Tuple

import numpy as np

from ..outputs.detections import sigmoid, unit
from .detections import Detections, unique
from .detectors import MOST_CANDIDATES, UnknownForm, around, in_pixels, table_of, with_best_class
from .settings import OutputSettings

Outputs = Mapping[str, np.ndarray]
Size = Tuple[int, int]

COCO = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder",
    "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip",
    "left_knee", "right_knee", "left_ankle", "right_ankle",
)  # fmt: skip
"""Names of COCO's 17 key points of a person, in their order."""

_FEWEST_LANDMARKS = 3
_QUARTER = 0.25


class Poses(NamedTuple):
    """Objects with key points, in pixels of the model's input.

    Attributes:
        boxes: A box of each; around its points where the model gives none.
        points: Column, row and score of each point, objects x points x 3.
    """

    boxes: Detections
    points: np.ndarray

    def chosen(self, index: np.ndarray) -> Poses:
        """Return some of them, by their numbers."""
        return Poses(self.boxes.chosen(index), self.points[index])


def poses(outputs: Outputs, settings: OutputSettings, size: Size) -> Poses:
    """Return the poses of one picture in pixels of the model's input, the likeliest first.

    Args:
        outputs: Arrays by name, with a batch of one.
        size: Height and width of the input.

    Raises:
        UnknownForm: when the outputs do not have the form of the head.
    """
    found = _HEADS[settings.head](outputs, settings, size)
    found = found._replace(points=_finite(found.points))
    scores = np.nan_to_num(found.boxes.scores, nan=-1.0)
    finite = np.isfinite(found.boxes.corners).all(axis=1)
    kept = np.flatnonzero((scores >= settings.threshold) & finite)
    return found.chosen(kept[np.argsort(-scores[kept], kind="stable")][: settings.most])


def point_names(settings: OutputSettings, count: int) -> Sequence[str]:
    """Return the names of the points of a pose; their numbers where they have none."""
    known = settings.points or (COCO if count == len(COCO) else ())
    return [known[at] if at < len(known) else str(at) for at in range(count)]


def _finite(points: np.ndarray) -> np.ndarray:
    """Return points of which those that are no numbers have a score of 0."""
    whole = np.isfinite(points).all(axis=2, keepdims=True)
    found: np.ndarray = np.where(whole, points, 0.0)
    return found


def _yolo(outputs: Outputs, settings: OutputSettings, size: Size) -> Poses:
    """(Middle, sizes, classes, points) x places, before suppression."""
    table = table_of(outputs, settings, 5 + 3)
    count = len(settings.points) or (table.shape[1] - 5) // 3
    classes = table.shape[1] - 4 - 3 * count
    if classes < 1:
        sentence = "The output has {} numbers a place, too few for {} points."
        raise UnknownForm(sentence.format(table.shape[1], count))
    likely = table[:, 4 : 4 + classes].max(axis=1)
    kept = np.flatnonzero(likely >= settings.threshold)
    kept = kept[np.argsort(-likely[kept], kind="stable")][:MOST_CANDIDATES]
    table = table[kept]
    corners = in_pixels(around(table[:, :2], table[:, 2:4] / 2), size)
    boxes = with_best_class(corners, table[:, 4 : 4 + classes])
    found = Poses(boxes, table[:, 4 + classes :].reshape(-1, count, 3))
    return found.chosen(unique(boxes, settings.overlap, settings.most))


def _yolo_rows(outputs: Outputs, settings: OutputSettings, size: Size) -> Poses:
    """Rows of left, top, right, bottom, score, class and points, after suppression."""
    rows = _rows(outputs, settings)
    if rows.shape[1] < 9 or rows.shape[1] % 3:
        raise UnknownForm("The output has {} numbers a pose.".format(rows.shape[1]))
    boxes = Detections(in_pixels(rows[:, :4], size), rows[:, 4], _whole(rows[:, 5]))
    return Poses(boxes, rows[:, 6:].reshape(len(rows), rows.shape[1] // 3 - 2, 3))


def _rows(outputs: Outputs, settings: OutputSettings) -> np.ndarray:
    name = settings.output or next(iter(outputs), "")
    array = outputs.get(name)
    if array is None or array.ndim != 3 or array.shape[0] != 1:
        raise UnknownForm("The output {!r} is not one table of poses.".format(name))
    found: np.ndarray = array[0].astype(np.float64)
    return found


def _whole(classes: np.ndarray) -> np.ndarray:
    found: np.ndarray = np.nan_to_num(classes).astype(np.int64)
    return found


def _movenet(outputs: Outputs, settings: OutputSettings, size: Size) -> Poses:
    """Rows of row, column (shares of the input) and score, of one person."""
    name = settings.output or next(iter(outputs), "")
    array = outputs.get(name)
    if array is None or array.ndim < 2 or array.shape[-1] != 3 or array.size != _last_two(array):
        raise UnknownForm("The output {!r} is not one pose of MoveNet.".format(name))
    return _one_pose(_turned(array.reshape(1, -1, 3).astype(np.float64), size), settings)


def _last_two(array: np.ndarray) -> int:
    return int(array.shape[-2] * array.shape[-1])


def _turned(points: np.ndarray, size: Size) -> np.ndarray:
    """Return points of (row, column, score), as shares, as (column, row, score) in pixels."""
    found: np.ndarray = points[:, :, [1, 0, 2]] * np.array([size[1], size[0], 1.0])
    return found


def _movenet_multi(outputs: Outputs, settings: OutputSettings, size: Size) -> Poses:
    """Rows of the points as of MoveNet, then top, left, bottom, right and score of the person."""
    rows = _rows(outputs, settings)
    if rows.shape[1] < 5 + 3 or (rows.shape[1] - 5) % 3:
        raise UnknownForm("The output has {} numbers a pose.".format(rows.shape[1]))
    points = _turned(rows[:, :-5].reshape(len(rows), (rows.shape[1] - 5) // 3, 3), size)
    corners = rows[:, [-4, -5, -2, -3]] * np.array([size[1], size[0]] * 2, dtype=np.float64)
    kinds = np.zeros(len(rows), dtype=np.int64)
    return Poses(Detections(corners, rows[:, -1], kinds), points)


def _one_pose(points: np.ndarray, settings: OutputSettings, score: float = -1.0) -> Poses:
    """Return the pose of a model for one object, with a box around its likely points.

    Args:
        points: 1 x points x 3.
        score: Of the object; below 0: the mean of its points.
    """
    likely = points[0, points[0, :, 2] >= settings.point_score, :2]
    around_all = likely if len(likely) else points[0, :, :2]
    corners = np.concatenate([around_all.min(axis=0), around_all.max(axis=0)])[None]
    mean = score if score >= 0 else float(points[0, :, 2].mean())
    boxes = Detections(corners, np.array([mean]), np.zeros(1, dtype=np.int64))
    return Poses(boxes, points)


def _heatmaps(outputs: Outputs, settings: OutputSettings, size: Size) -> Poses:
    """A map of each point; the maximum is moved a quarter of a cell to its larger neighbour."""
    maps = _maps(outputs, settings)
    count, height, width = maps.shape
    best = maps.reshape(count, -1).argmax(axis=1)
    rows, columns = best // width, best % width
    every = np.arange(count)
    places = np.stack([columns, rows], axis=1).astype(np.float64)
    inside = (columns > 0) & (columns < width - 1) & (rows > 0) & (rows < height - 1)
    x, y = columns.clip(1, max(1, width - 2)), rows.clip(1, max(1, height - 2))
    if min(height, width) > 2:
        right = maps[every, rows, x + 1] - maps[every, rows, x - 1]
        down = maps[every, y + 1, columns] - maps[every, y - 1, columns]
        moved = np.stack([np.sign(right), np.sign(down)], axis=1) * _QUARTER
        places += np.where(inside[:, None], moved, 0.0)
    places *= [size[1] / width, size[0] / height]
    scores = maps.reshape(count, -1)[every, best]
    return _one_pose(np.column_stack([places, scores])[None], settings)


def _maps(outputs: Outputs, settings: OutputSettings) -> np.ndarray:
    """Return the heatmaps of one picture, points x height x width."""
    name = settings.output or next(iter(outputs), "")
    array = outputs.get(name)
    if array is None or array.ndim != 4 or array.shape[0] != 1 or not array.size:
        raise UnknownForm("The output {!r} is no heatmaps of one picture.".format(name))
    count = len(settings.points)
    first = array.shape[1] == count if count else array.shape[1] <= array.shape[3]
    maps = array[0] if first else array[0].transpose(2, 0, 1)
    if count and len(maps) != count:
        raise UnknownForm("The output has {} heatmaps, not {}.".format(len(maps), count))
    found: np.ndarray = np.nan_to_num(maps.astype(np.float64))
    return found


def _simcc(outputs: Outputs, settings: OutputSettings, size: Size) -> Poses:
    """Two rows of bins for each point: along the width, and along the height."""
    across, down = _axes(outputs, size)
    x, y = across.argmax(axis=1), down.argmax(axis=1)
    every = np.arange(len(across))
    scores = np.minimum(across[every, x], down[every, y])
    places = [x * size[1] / across.shape[1], y * size[0] / down.shape[1], scores]
    return _one_pose(np.column_stack(places)[None], settings)


def _axes(outputs: Outputs, size: Size) -> Tuple[np.ndarray, np.ndarray]:
    """Return the bins along the width and along the height: of one number of bins a pixel."""
    tables = [a[0] for a in outputs.values() if a.ndim == 3 and a.shape[0] == 1 and a.size]
    if len(tables) == 2 and len(tables[0]) == len(tables[1]):
        for one, two in (tables, tables[::-1]):
            if one.shape[1] * size[0] == two.shape[1] * size[1]:
                return np.nan_to_num(one.astype(np.float64)), np.nan_to_num(two.astype(np.float64))
    raise UnknownForm("The outputs are no bins of points along the width and the height.")


def _landmarks(outputs: Outputs, settings: OutputSettings, size: Size) -> Poses:
    """One row of points in pixels of the input: column, row, depth, and their scores, if any."""
    row = _row_of_landmarks(outputs, settings)
    count = len(settings.points)
    numbers = len(row) // count if count else (5 if len(row) % 5 == 0 else 3)
    if numbers not in (2, 3, 4, 5) or len(row) % numbers:
        raise UnknownForm("The output has {} numbers, no whole points.".format(len(row)))
    table = row.reshape(-1, numbers)
    present = _presence(outputs, settings)
    scores = np.full(len(table), present)
    if numbers > _FEWEST_LANDMARKS:
        scores = sigmoid(table[:, 3:]).min(axis=1).astype(np.float64)
    places = in_pixels(np.tile(table[:, :2], 2), size)[:, :2]
    return _one_pose(np.column_stack([places, scores])[None], settings, present)


def _row_of_landmarks(outputs: Outputs, settings: OutputSettings) -> np.ndarray:
    name = settings.output or next(iter(outputs), "")
    array = outputs.get(name)
    if array is None or array.size < 2 or array.size != max(array.shape, default=0):
        raise UnknownForm("The output {!r} is not one row of points.".format(name))
    found: np.ndarray = array.reshape(-1).astype(np.float64)
    return found


def _presence(outputs: Outputs, settings: OutputSettings) -> float:
    """Return how likely the object is there: the first output of one number; 1 without one."""
    singles: List[np.ndarray] = [one.reshape(1) for one in outputs.values() if one.size == 1]
    if not singles:
        return 1.0
    value = singles[0].astype(np.float64)
    likely = value if unit(value) and settings.activation != "sigmoid" else sigmoid(value)
    return float(np.nan_to_num(likely)[0])


_HEADS: Mapping[str, Callable[[Outputs, OutputSettings, Size], Poses]] = {
    "yolo-pose": _yolo,
    "yolo-pose-rows": _yolo_rows,
    "movenet": _movenet,
    "movenet-multi": _movenet_multi,
    "heatmaps": _heatmaps,
    "simcc": _simcc,
    "landmarks": _landmarks,
}
