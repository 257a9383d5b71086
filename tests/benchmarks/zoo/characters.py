"""A YOLOX that finds characters in pictures, and photographs with characters strewn over them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy
from PIL import Image, ImageDraw, ImageFont

from tests.benchmarks.zoo import arrays, pages, scenes
from tests.benchmarks.zoo.wheels import CHARACTERS

Array = numpy.ndarray[Any, Any]

LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_SEED = 41
_COUNTS = {"calibration": 60, "heldout": 100}
_SIDE, _STRIDES = 416, (8, 16, 32)
_SIZE, _CELL = (344, 384), 110
"""Of a picture, and of the square in which one character stands."""
_LEAST, _OVERLAP = 0.1, 0.45


def make(folder: Path) -> None:
    """Write the detector, the pictures, and the boxes of the characters on the held-out ones."""
    (folder / "model.onnx").write_bytes(CHARACTERS.read("ddddocr/common_det.onnx"))
    random = numpy.random.default_rng(_SEED)
    for name, count in _COUNTS.items():
        pairs = [_strewn(random) for _ in range(count)]
        arrays.write(folder / name, ({"images": _planes(picture)} for picture, _ in pairs))
        boxes = {f"picture{number}": numpy.array(rows) for number, (_, rows) in enumerate(pairs)}
        numpy.savez(folder / f"{name}.boxes.npz", **boxes)


def f1(folder: Path, outputs: Sequence[Mapping[str, Any]], _: object) -> float:
    """F1 of the characters, a box counting from an overlap of half."""
    with numpy.load(folder / "heldout.boxes.npz") as opened:
        wanted = [[tuple(box) for box in opened[f"picture{n}"]] for n in range(len(outputs))]
    return pages.f1([_boxes(next(iter(one.values()))[0]) for one in outputs], wanted)


def _strewn(random: numpy.random.Generator) -> tuple[Image.Image, list[pages.Box]]:
    """A cut of a photograph with three to eight characters, each in a cell of its own."""
    photograph = scenes.photograph(str(random.choice(scenes.PHOTOGRAPHS)))
    edge = float(random.uniform(150, min(photograph.size)))
    left, top = (float(random.uniform(0, side - edge)) for side in photograph.size)
    picture = photograph.resize(_SIZE, box=(left, top, left + edge, top + edge))
    cells = random.permutation(9)[: int(random.integers(3, 9))]
    places = [(int(cell) % 3 * _CELL, int(cell) // 3 * _CELL) for cell in cells]
    return picture, [_put(picture, place, random) for place in places]


def _put(picture: Image.Image, place: tuple[int, int], random: numpy.random.Generator) -> pages.Box:
    """Draw a turned character that stands out from what is behind it; its box."""
    shape = character(str(random.choice(list(LETTERS))), int(random.integers(50, 80)), random)
    edges = shape.getbbox() or (0, 0, _CELL, _CELL)
    behind = numpy.asarray(picture.crop((*place, place[0] + _CELL, place[1] + _CELL)))
    apart = random.uniform(60, 160, 3) * (1 if behind.mean() < 128 else -1)
    colour = numpy.clip(behind.mean(axis=(0, 1)) + apart, 0, 255).astype(int)
    picture.paste(Image.new("RGB", shape.size, tuple(colour.tolist())), place, shape)
    left, top = place
    return (left + edges[0], top + edges[1], left + edges[2], top + edges[3])


def character(text: str, size: int, random: numpy.random.Generator) -> Image.Image:
    """A character in the middle of a square, turned by up to 30 degrees."""
    shape = Image.new("L", (_CELL, _CELL))
    font, middle = ImageFont.load_default(size), _CELL / 2
    ImageDraw.Draw(shape).text(
        (middle, middle), text, fill=255, font=font, anchor="mm", stroke_width=2
    )
    return shape.rotate(float(random.uniform(-30, 30)), Image.Resampling.BILINEAR)


def _planes(picture: Image.Image) -> Array:
    """Blue, green and red in the upper left of a square, without any scaling of the values."""
    square = numpy.full((_SIDE, _SIDE, 3), 114, numpy.uint8)
    scale = min(_SIDE / side for side in picture.size)
    width, height = (int(side * scale) for side in picture.size)
    pixels = numpy.asarray(picture)[:, :, ::-1]
    square[:height, :width] = cv2.resize(pixels, (width, height))
    return numpy.ascontiguousarray(square.transpose(2, 0, 1)[None], numpy.float32)


def _boxes(rows: Array) -> list[pages.Box]:
    """Boxes in pixels of the picture, of which none covers half of another."""
    scale = min(_SIDE / side for side in _SIZE)
    grid, strides = _grid()
    middle = (rows[:, :2] + grid) * strides / scale
    half = numpy.exp(rows[:, 2:4]) * strides / scale / 2
    likely = rows[:, 4] * rows[:, 5]
    corners = numpy.concatenate([middle - half, middle + half], axis=1)
    sides = numpy.concatenate([middle - half, 2 * half], axis=1)
    kept = cv2.dnn.NMSBoxes(sides.tolist(), likely.tolist(), _LEAST, _OVERLAP)
    return [tuple(row) for row in corners[numpy.asarray(kept, int).ravel()].tolist()]


def _grid() -> tuple[Array, Array]:
    """Column and row of each cell, and how many pixels one is wide."""
    cells, strides = [], []
    for stride in _STRIDES:
        count = _SIDE // stride
        rows, columns = numpy.indices((count, count))
        cells.append(numpy.stack([columns.ravel(), rows.ravel()], axis=1))
        strides.append(numpy.full((count * count, 1), stride))
    return numpy.concatenate(cells), numpy.concatenate(strides)
