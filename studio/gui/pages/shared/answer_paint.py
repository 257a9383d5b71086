"""Masks, key points and maps of an answer, painted on its picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

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

_RADIUS = 3.0


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
    from studio.gui.pages.shared.mask_image import mask_image  # with numpy, for masks alone

    image = mask_image(mask, color)
    if image is not None:
        painter.drawImage(place_of(box["box"], area), image)


def paint_map(painter: QPainter, area: QRectF, found: Mapping[str, Any]) -> None:
    """Tint the classes of a map but the first, which is usually the background."""
    from studio.gui.pages.shared.mask_image import class_images  # with numpy, for maps alone

    painter.save()
    painter.setClipRect(area)  # the padding of the input is beside the picture
    for image in class_images(found, COLORS):
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
