"""A graph as a PNG picture, drawn with Pillow."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from studio.api import Graph, GraphLayout
from studio.models.drawing.boxes import DrawnBox, Point, drawn_boxes, edge_points, frame_title
from studio.models.drawing.colours import EDGE, FILLS, GROUND, INK, PAPER
from studio.models.drawing.overlay import Overlay, legend, on_nodes
from studio.models.layout import Frame

_LONGEST_SIDE = 30_000
_MOST_PIXELS = 60_000_000
LEAST_SCALE = 0.2
"""Scale below which a picture shows nothing but the outline of a graph."""

_ROW_LEFT = 10.0

_READABLE = 0.4
"""Scale below which texts are left out."""


def scale_of(layout: GraphLayout) -> float:
    """Return the scale at which a layout fits into a picture; below 1 for a large one."""
    width, height = layout.size
    scale = min(1.0, _LONGEST_SIDE / max(width, height))
    return min(scale, math.sqrt(_MOST_PIXELS / (width * height)))


def png(
    graph: Graph,
    layout: GraphLayout,
    path: Path,
    overlay: Overlay | None = None,
    frames: Sequence[Frame] = (),
    *,
    across: bool = False,
) -> float:
    """Draw and save; returns the scale.

    Args:
        frames: Around blocks that are unfolded, the outer before the inner.
        across: The layout is from left to right.
    """
    width, height = layout.size
    scale = scale_of(layout)
    painted = None if overlay is None else on_nodes(overlay, graph)
    image = Image.new("RGB", (max(int(width * scale), 1), max(int(height * scale), 1)), PAPER)
    canvas = _Canvas(ImageDraw.Draw(image), scale)
    for frame in frames:
        canvas.frame(frame)
    for points in edge_points(layout, across=across):
        canvas.edge(_curved(points, across=across))
    for box in drawn_boxes(graph, layout, painted):
        canvas.box(box)
    if painted is not None:
        canvas.legend(legend(painted))
    image.save(path, optimize=False, compress_level=4)
    return scale


class _Canvas:
    """Pillow's drawing in the layout's units."""

    def __init__(self, draw: ImageDraw.ImageDraw, scale: float) -> None:
        self._draw = draw
        self._scale = scale
        self._title = _font(13 * scale)
        self._text = _font(11 * scale)

    def frame(self, frame: Frame) -> None:
        corners = (frame.x, frame.y, frame.x + frame.width, frame.y + frame.height)
        place = [value * self._scale for value in corners]
        self._draw.rounded_rectangle(place, 8 * self._scale, GROUND, EDGE)
        if self._scale >= _READABLE:
            at = (place[0] + 10 * self._scale, place[1] + 16 * self._scale)
            self._draw.text(at, _printable(frame_title(frame)), INK, self._title, anchor="lm")

    def edge(self, points: Sequence[Point]) -> None:
        scaled = [(x * self._scale, y * self._scale) for x, y in points]
        self._draw.line(scaled, fill=EDGE, width=1, joint="curve")

    def box(self, box: DrawnBox) -> None:
        scale = self._scale
        fill, ink = box.colours or (FILLS[box.kind], INK if box.kind == "terminal" else "#ffffff")
        corners = (box.x, box.y, box.x + box.width, box.y + box.height)
        self._draw.rounded_rectangle([value * scale for value in corners], 6 * scale, fill)
        if scale < _READABLE:
            return
        middle = (box.x + box.width / 2) * scale
        for text, font, y in ((box.title, self._title, 15), (box.text, self._text, 31)):
            at = (middle, (box.y + y) * scale)
            self._draw.text(at, _printable(text), ink, font, anchor="mm")
        for text, row in box.placed_rows():
            at = ((box.x + _ROW_LEFT) * scale, row * scale)
            self._draw.text(at, _printable(text), ink, self._text, anchor="lm")

    def legend(self, text: str) -> None:
        self._draw.text((8, 8), _printable(text), INK, _font(12))


def _curved(points: Sequence[Point], *, across: bool) -> list[Point]:
    """Return points along the curves that run in the direction of the layout."""
    if not across:
        return list(_curve(points))
    return [(x, y) for y, x in _curve([(y, x) for x, y in points])]


def _curve(points: Sequence[Point]) -> Iterator[Point]:
    """Yield points along the curves that leave and reach their boxes vertically."""
    yield points[0]
    for (x, y), (next_x, next_y) in pairwise(points):
        if next_x != x:
            for step in range(1, 8):
                t = step / 8
                ease = t * t * (3 - 2 * t)
                yield x + (next_x - x) * ease, y + (next_y - y) * t
        yield next_x, next_y


def _font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return DejaVu where it is installed, otherwise Pillow's own small font."""
    size = max(size, 1.0)  # of a picture without texts; no font is smaller
    try:
        return ImageFont.truetype("DejaVuSans.ttf", size)
    except OSError:
        return ImageFont.load_default(size)


def _printable(text: str) -> str:
    """Return one line that every font can draw."""
    return "".join(c if c.isprintable() else " " for c in text.replace("×", "x"))
