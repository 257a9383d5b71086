"""A picture to draw on with numpy: lines, boxes, discs, tints and text, cut at its edges."""

from __future__ import annotations

from typing import Sequence, Tuple

import numpy as np

from .font import ROWS, bitmap

Color = Tuple[int, int, int]
Corners = Tuple[float, float, float, float]
"""Left, top, right and bottom, in pixels."""

COLORS: Tuple[Color, ...] = (
    (9, 105, 218), (207, 34, 46), (26, 127, 55), (154, 103, 0), (130, 80, 223),
    (191, 57, 137), (0, 121, 128), (188, 76, 0),
)  # fmt: skip
"""Dark enough for white text on them."""

_WHITE = (255, 255, 255)
_TINT, _WHOLE = 7, 16
"""Parts of the colour in a tinted pixel."""

_MOST_LETTERS = 60


class Canvas:
    """Pixels that are drawn on in place."""

    def __init__(self, pixels: np.ndarray) -> None:
        """Take a picture.

        Args:
            pixels: Height x width x 3, RGB, uint8, writable.
        """
        self.pixels = pixels
        self.height, self.width = pixels.shape[:2]
        self.thick = 2 if max(self.height, self.width) >= 480 else 1
        """Pixels of a line, and of a dot of a letter."""

    def fill(self, corners: Corners, color: Color) -> None:
        """Fill a box."""
        left, top, right, bottom = self._inside(corners)
        self.pixels[top:bottom, left:right] = color

    def box(self, corners: Corners, color: Color) -> None:
        """Draw the edges of a box."""
        left, top, right, bottom = corners
        points = ((left, top), (right, top), (right, bottom), (left, bottom))
        self.polygon(points, color)

    def polygon(self, points: Sequence[Tuple[float, float]], color: Color) -> None:
        """Draw the edges of a polygon."""
        for begin, end in zip(points, [*points[1:], points[0]]):
            self.line(begin, end, color)

    def line(self, begin: Tuple[float, float], end: Tuple[float, float], color: Color) -> None:
        """Draw a straight line."""
        ends = np.array([self._near(begin), self._near(end)])
        count = int(np.abs(ends[1] - ends[0]).max()) + 1
        places = np.rint(np.linspace(ends[0], ends[1], count)).astype(np.intp)
        for down in range(self.thick):
            for across in range(self.thick):
                self._dot(places + np.array([across, down]), color)

    def disc(self, middle: Tuple[float, float], radius: int, color: Color) -> None:
        """Fill a disc."""
        side = np.arange(-radius, radius + 1)
        across, down = np.meshgrid(side, side)
        around = np.stack([across, down], axis=2)[across**2 + down**2 <= radius**2]
        self._dot(around + np.rint(self._near(middle)).astype(np.intp), color)

    def tint(self, mask: np.ndarray, corners: Corners, color: Color) -> None:
        """Mix a colour into a mask that spans a box.

        Args:
            mask: Of bool, of any size.
        """
        corners = self._cut(corners)
        left, top, right, bottom = self._inside(corners)
        if right <= left or bottom <= top or not mask.size:
            return
        rows = _cells(corners[1], corners[3], np.arange(top, bottom), mask.shape[0])
        columns = _cells(corners[0], corners[2], np.arange(left, right), mask.shape[1])
        part = self.pixels[top:bottom, left:right]
        chosen = mask[rows][:, columns]
        mixed = part[chosen].astype(np.uint16) * (_WHOLE - _TINT)
        mixed += np.array(color, dtype=np.uint16) * np.uint16(_TINT)
        part[chosen] = (mixed // _WHOLE).astype(np.uint8)

    def text(self, place: Tuple[float, float], text: str, color: Color) -> float:
        """Draw a line of white text on a strip of a colour, moved to be inside.

        Returns:
            The first row below it.
        """
        mask = bitmap(text[:_MOST_LETTERS], self.thick)
        gap = self.thick
        tall, wide = mask.shape[0] + 2 * gap, mask.shape[1] + gap
        near = self._near(place)
        left = int(np.clip(near[0], 0, max(0, self.width - wide)))
        top = int(np.clip(near[1], 0, max(0, self.height - tall)))
        self.fill((left, top, left + wide, top + tall), color)
        rows, columns = np.nonzero(mask)
        self._dot(np.stack([columns + left + gap, rows + top + gap], axis=1), _WHITE)
        return float(top + tall)

    @property
    def line_height(self) -> int:
        """Rows of a line of text with its strip."""
        return (ROWS + 2) * self.thick

    def _near(self, point: Tuple[float, float]) -> np.ndarray:
        """Return a point moved to at most one picture beyond the edges, so that loops are short."""
        low, high = (-self.width, -self.height), (2 * self.width, 2 * self.height)
        found: np.ndarray = np.clip(np.nan_to_num(np.array(point, dtype=np.float64)), low, high)
        return found

    def _cut(self, corners: Corners) -> Corners:
        left, top = self._near(corners[:2]).tolist()
        right, bottom = self._near(corners[2:]).tolist()
        return left, top, right, bottom

    def _inside(self, corners: Corners) -> Tuple[int, int, int, int]:
        """Return the pixels of a box that are in the picture."""
        left, top, right, bottom = self._cut(corners)
        columns = np.clip(np.rint([left, right]), 0, self.width).astype(int)
        rows = np.clip(np.rint([top, bottom]), 0, self.height).astype(int)
        return int(columns[0]), int(rows[0]), int(columns[1]), int(rows[1])

    def _dot(self, places: np.ndarray, color: Color) -> None:
        """Colour pixels (column, row) that are in the picture."""
        x, y = places[:, 0], places[:, 1]
        seen = (x >= 0) & (x < self.width) & (y >= 0) & (y < self.height)
        self.pixels[y[seen], x[seen]] = color


def _cells(begin: float, end: float, pixels: np.ndarray, count: int) -> np.ndarray:
    """Return the cell of a side that each pixel is in."""
    at = (pixels + 0.5 - begin) * count / max(end - begin, 1e-9)
    found: np.ndarray = np.clip(np.floor(at), 0, count - 1).astype(np.intp)
    return found
