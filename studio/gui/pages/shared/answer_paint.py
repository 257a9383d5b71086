"""Masks, key points and maps of an answer, painted on its picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QPolygonF

BONES = (
    ("nose", "left_eye"), ("nose", "right_eye"), ("left_eye", "left_ear"),
    ("right_eye", "right_ear"), ("left_shoulder", "right_shoulder"),
    ("left_shoulder", "left_elbow"), ("left_elbow", "left_wrist"),
    ("right_shoulder", "right_elbow"), ("right_elbow", "right_wrist"),
    ("left_shoulder", "left_hip"), ("right_shoulder", "right_hip"), ("left_hip", "right_hip"),
    ("left_hip", "left_knee"), ("left_knee", "left_ankle"),
    ("right_hip", "right_knee"), ("right_knee", "right_ankle"),
)  # fmt: skip
"""Key points of COCO that are joined."""

COLORS = ("#0969da", "#cf222e", "#1a7f37", "#9a6700", "#8250df", "#bf3989", "#007980", "#bc4c00")
"""By the number of a class; those of the server's drawings, and dark enough for white text."""

_OPACITY = 115
_RADIUS = 3.0
_MOST_CELLS = 4096 * 4096


def color_of(index: int, first: QColor) -> QColor:
    """Return the colour of a class.

    Args:
        first: Of the class 0.
    """
    return QColor(COLORS[index % len(COLORS)]) if index else first


def place_of(box: Sequence[float], area: QRectF) -> QRectF:
    """Return a box of fractions in the area of the picture."""
    x0, y0, x1, y1 = box
    return QRectF(
        area.left() + x0 * area.width(),
        area.top() + y0 * area.height(),
        (x1 - x0) * area.width(),
        (y1 - y0) * area.height(),
    )


def paint_mask(painter: QPainter, area: QRectF, box: Mapping[str, Any], color: QColor) -> None:
    """Tint the mask of an object, where it has one."""
    mask = box.get("mask")
    if not mask:
        return
    runs = numpy.array(mask["runs"], dtype=numpy.int64)
    cells = _cells(numpy.arange(len(runs)) % 2, runs, mask)
    if cells is not None:
        painter.drawImage(place_of(box["box"], area), _tint(cells == 1, color))


def paint_map(painter: QPainter, area: QRectF, found: Mapping[str, Any]) -> None:
    """Tint the classes of a map but the first, which is usually the background."""
    pairs = numpy.array(found["runs"], dtype=numpy.int64).reshape(-1, 2)
    cells = _cells(pairs[:, 0], pairs[:, 1], found)
    if cells is None:
        return
    painter.save()
    painter.setClipRect(area)  # the padding of the input is beside the picture
    for index in numpy.unique(cells).tolist():
        if index:
            image = _tint(cells == index, QColor(COLORS[index % len(COLORS)]))
            painter.drawImage(place_of(found["box"], area), image)
    painter.restore()


def paint_points(painter: QPainter, area: QRectF, box: Mapping[str, Any], color: QColor) -> None:
    """Draw the key points of an object, and the bones between COCO's."""
    places = {
        one["name"]: QPointF(
            area.left() + one["x"] * area.width(), area.top() + one["y"] * area.height()
        )
        for one in box.get("points") or ()
    }
    painter.setPen(QPen(color, 2))
    for begin, end in BONES:
        if begin in places and end in places:
            painter.drawLine(places[begin], places[end])
    painter.setBrush(color)
    for place in places.values():
        painter.drawEllipse(place, _RADIUS, _RADIUS)


def paint_corners(painter: QPainter, area: QRectF, corners: Sequence[float]) -> None:
    """Draw the edges of a tilted box."""
    points = [
        QPointF(area.left() + x * area.width(), area.top() + y * area.height())
        for x, y in zip(corners[::2], corners[1::2], strict=True)
    ]
    painter.drawPolygon(QPolygonF(points))


def _cells(
    values: numpy.ndarray, lengths: numpy.ndarray, shape: Mapping[str, Any]
) -> numpy.ndarray | None:
    """Return cells of run lengths, height x width; None where these do not fill them."""
    height, width = int(shape["height"]), int(shape["width"])
    fits = len(lengths) and lengths.min() >= 0 and lengths.sum() == height * width
    if not fits or height * width > _MOST_CELLS:
        return None
    return numpy.repeat(values, lengths).reshape(height, width)


def _tint(inside: numpy.ndarray, color: QColor) -> QImage:
    """Return a picture of one colour that is seen inside of a mask."""
    pixels = numpy.zeros((*inside.shape, 4), numpy.uint8)
    pixels[inside] = (color.red(), color.green(), color.blue(), _OPACITY)
    height, width = inside.shape
    image = QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_RGBA8888)
    return image.copy()  # the array goes
