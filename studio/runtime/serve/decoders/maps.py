"""Maps of classes over a picture."""

from __future__ import annotations

from typing import Dict, List, Mapping, Sequence

import numpy as np

from ..outputs.detections import sigmoid, unit
from .settings import OutputSettings
from .vectors import label, short

_CHANNELS_FIRST = 1
_CHANNELS_LAST = 3


def class_map(
    outputs: Mapping[str, np.ndarray], settings: OutputSettings, labels: Sequence[str]
) -> Dict[str, object]:
    """Return the share of each class, and the map as run lengths, row by row.

    ``runs`` has the class and the length of each run; the lengths sum to width x height.

    Raises:
        ValueError: when the output is no map of one picture.
    """
    name = settings.output or next(iter(outputs), "")
    array = outputs.get(name)
    if array is None or array.ndim not in (3, 4) or array.shape[0] != 1:
        raise ValueError("The output {!r} is not a map of one picture.".format(name))
    classes = _classes(array, settings)
    height, width = classes.shape
    flat = classes.reshape(-1)
    begins = np.flatnonzero(np.concatenate(([True], flat[1:] != flat[:-1])))
    lengths = np.diff(np.concatenate((begins, [flat.size])))
    runs: List[List[int]] = np.stack([flat[begins], lengths], axis=1).tolist()
    numbers, counts = np.unique(flat, return_counts=True)
    shares = [
        {"label": label(labels, int(one)), "index": int(one), "share": short(count / flat.size)}
        for one, count in zip(numbers, counts)
    ]
    return {"classes": shares, "map": {"width": width, "height": height, "runs": runs}}


def likelihoods(outputs: Mapping[str, np.ndarray], settings: OutputSettings) -> np.ndarray:
    """Return the map of one class, height x width, from 0 to 1.

    Raises:
        ValueError: when the output is no such map of one picture.
    """
    name = settings.output or next(iter(outputs), "")
    array = outputs.get(name)
    rank = 0 if array is None else array.ndim
    if array is None or rank not in (3, 4) or array.size != max(1, _area(array)) or not array.size:
        raise ValueError("The output {!r} is not a map of one class.".format(name))
    flat = np.nan_to_num(array.reshape([side for side in array.shape if side > 1]))
    if flat.ndim != 2:
        raise ValueError("The output {!r} is not a map of one class.".format(name))
    if settings.activation == "sigmoid" or (settings.activation == "auto" and not unit(flat)):
        return sigmoid(flat)
    return flat.astype(np.float64)


def _area(array: np.ndarray) -> int:
    return int(np.prod(sorted(array.shape)[-2:]))


def _classes(array: np.ndarray, settings: OutputSettings) -> np.ndarray:
    """Return the class of each cell, height x width."""
    if array.ndim == 3 and array.dtype.kind in "iu":
        whole: np.ndarray = array[0].astype(np.int64)
        return whole
    if array.ndim == 3:
        array = array[:, None]
    axis = _CHANNELS_FIRST if array.shape[1] <= array.shape[3] else _CHANNELS_LAST
    if array.shape[axis] == 1:
        likely = array.reshape([size for at, size in enumerate(array.shape[1:], 1) if at != axis])
        found: np.ndarray = (likely >= settings.threshold).astype(np.int64)
        return found
    best: np.ndarray = np.argmax(array, axis=axis)[0].astype(np.int64)
    return best
