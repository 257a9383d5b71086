"""Parts that both sides of the comparison have in common: boxes from a file, and a detector.

Stands alone, for the peer runs it with an interpreter of its own.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

SIZE = 416
STRIDES = (8, 16, 32)
PERSON = 0
MEAN = np.array([103.53, 116.28, 123.675], np.float32)
SCALE = np.array([57.375, 57.12, 58.395], np.float32)


class Boxes(NamedTuple):
    """Boxes of one frame.

    Attributes:
        time: Seconds in the film.
        corners: Left, top, right, bottom, n x 4.
        classes: Numbers of the classes, n.
    """

    time: float
    corners: np.ndarray
    scores: np.ndarray
    classes: np.ndarray


def save_boxes(path: Path, frames: list[Boxes]) -> None:
    """Write the boxes of a film to one file."""
    np.savez(
        path,
        times=np.array([frame.time for frame in frames]),
        counts=np.array([len(frame.scores) for frame in frames]),
        corners=np.concatenate([frame.corners.reshape(-1, 4) for frame in frames]),
        scores=np.concatenate([frame.scores for frame in frames]),
        classes=np.concatenate([frame.classes for frame in frames]),
    )


def load_boxes(path: str) -> list[Boxes]:
    """Read the boxes of a film."""
    with np.load(path) as file:
        ends = np.cumsum(file["counts"])[:-1]
        parts = [np.split(file[name], ends) for name in ("corners", "scores", "classes")]
        times = file["times"].tolist()
    return [Boxes(at, *arrays) for at, *arrays in zip(times, *parts, strict=True)]


class Detector:
    """NanoDet by onnxruntime on one thread.

    Attributes:
        inference_s: CPU seconds in the model alone.
    """

    def __init__(self, model: str, threshold: float, overlap: float = 0.5) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        providers = ["CPUExecutionProvider"]
        self._session = onnxruntime.InferenceSession(model, options, providers=providers)
        self._input = self._session.get_inputs()[0].name
        self._names = [f"{kind}_{stride}" for kind in ("cls", "dis") for stride in STRIDES]
        self._threshold, self._overlap = threshold, overlap
        self._cells, self._sides = _cells()
        self.inference_s = 0.0

    def boxes(self, pixels: np.ndarray, is_rgb: bool) -> Boxes:
        """Persons in a picture (height x width x 3)."""
        outputs = self._run(picture_input(pixels, is_rgb))
        scores = np.concatenate([one[0, :, PERSON] for one in outputs[:3]])
        rows = np.flatnonzero(scores >= self._threshold)
        sides = np.concatenate([one[0] for one in outputs[3:]])[rows].reshape(-1, 4, 11)
        shares = np.exp(sides - sides.max(axis=2, keepdims=True))
        shares /= shares.sum(axis=2, keepdims=True)
        far = (shares @ np.arange(11, dtype=np.float32)) * self._sides[rows]
        middle = self._cells[rows]
        corners = np.concatenate([middle - far[:, :2], middle + far[:, 2:]], axis=1)
        kept = _suppressed(corners, scores[rows], self._overlap)
        height, width = pixels.shape[:2]
        factors = np.array([width, height, width, height]) / SIZE
        found = scores[rows][kept]
        return Boxes(0.0, corners[kept] * factors, found, np.zeros(len(found), np.int64))

    def _run(self, array: np.ndarray) -> list[np.ndarray]:
        began = time.thread_time()
        outputs: list[np.ndarray] = self._session.run(self._names, {self._input: array})
        self.inference_s += time.thread_time() - began
        return outputs


def picture_input(pixels: np.ndarray, is_rgb: bool) -> np.ndarray:
    """Input of the detector for a picture (height x width x 3), 1 x 3 x SIZE x SIZE."""
    import cv2

    small = cv2.resize(pixels, (SIZE, SIZE))
    array = (small[:, :, ::-1] if is_rgb else small).astype(np.float32)
    return np.ascontiguousarray(((array - MEAN) / SCALE).transpose(2, 0, 1))[None]


def _cells() -> tuple[np.ndarray, np.ndarray]:
    """Middles of all cells in pixels of the input, and their strides."""
    middles, sides = [], []
    for stride in STRIDES:
        count = SIZE // stride
        down, across = np.indices((count, count))
        middles.append((np.stack([across.ravel(), down.ravel()], axis=1) + 0.5) * stride)
        sides.append(np.full((count * count, 1), stride))
    return np.concatenate(middles), np.concatenate(sides)


def _suppressed(corners: np.ndarray, scores: np.ndarray, overlap: float) -> np.ndarray:
    """Numbers of the boxes that no likelier one covers."""
    order = np.argsort(-scores, kind="stable")
    areas = (corners[:, 2:] - corners[:, :2]).prod(axis=1)
    kept = []
    while order.size:
        first, rest = order[0], order[1:]
        kept.append(first)
        begin = np.maximum(corners[first, :2], corners[rest, :2])
        end = np.minimum(corners[first, 2:], corners[rest, 2:])
        shared = np.maximum(end - begin, 0).prod(axis=1)
        order = rest[shared / (areas[first] + areas[rest] - shared) <= overlap]
    return np.array(kept, dtype=np.intp)


def serve(answer: Callable[[dict[str, object]], object]) -> None:
    """Answer requests, a line of JSON each, on one core."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)
