"""The input image with the answer drawn on it and listed next to it."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from studio.gui.theme import Theming
from studio.gui.widgets.basics import GRID

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


_ROW = 34
_BAR = 8
_SMALL = 64


class PictureView(QWidget):
    """A picture, as large as fits, with boxes and their names."""

    def __init__(self, theming: Theming) -> None:
        super().__init__()
        self._theming = theming
        self.image = QImage()
        self.boxes: Sequence[Mapping[str, Any]] = ()
        self.map: Mapping[str, Any] | None = None
        self.setMinimumSize(QSize(30 * GRID, 30 * GRID))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Picture")
        theming.changed.connect(self.update)

    def show_frame(
        self,
        picture: str,
        boxes: Sequence[Mapping[str, Any]],
        cells: Mapping[str, Any] | None = None,
    ) -> None:
        """Show a picture with its answer.

        Args:
            picture: Base64 of a PNG or JPEG; empty for none.
            boxes: Objects with places in fractions of the picture, as ``FoundBox``.
            cells: A map of classes, as ``FoundCells``.
        """
        self.image = QImage.fromData(base64.b64decode(picture)) if picture else QImage()
        self.boxes, self.map = boxes, cells
        names = ", ".join(f"{one['label']} {percent(one['score'])}" for one in boxes)
        self.setAccessibleName(f"Picture: {names}" if names else "Picture")
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint it."""
        painter = QPainter(self)
        theme = self._theming.current
        painter.setPen(theme.color("dim"))
        if self.image.isNull():
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "No picture")
            return
        area = self._area()
        # Few pixels are shown as they are; many are smoothed.
        is_small = max(self.image.width(), self.image.height()) <= _SMALL
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, not is_small)
        painter.drawImage(area, self.image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.map is not None:
            paint_map(painter, area, self.map)
        for box in self.boxes:  # masks first, so that no name is under one
            paint_mask(painter, area, box, self._color(box))
        for box in self.boxes:
            self._paint_box(painter, area, box)

    def _area(self) -> QRectF:
        size = self.image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        left, top = (self.width() - size.width()) / 2, (self.height() - size.height()) / 2
        return QRectF(left, top, size.width(), size.height())

    def _color(self, box: Mapping[str, Any]) -> QColor:
        return color_of(box.get("index", 0), self._theming.current.color("accent"))

    def _paint_box(self, painter: QPainter, area: QRectF, box: Mapping[str, Any]) -> None:
        theme = self._theming.current
        place, color = place_of(box["box"], area), self._color(box)
        painter.setPen(QPen(color, 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if box.get("corners"):
            paint_corners(painter, area, box["corners"])
            return  # of many lines of text, names would hide what is read
        painter.drawRect(place)
        paint_points(painter, area, box, color)
        text = f"{box['label']} {percent(box['score'])}"
        metrics = painter.fontMetrics()
        height = metrics.height() + 4
        top = place.top() - height if place.top() - height >= area.top() else place.top()
        name = QRectF(place.left() - 1, top, metrics.horizontalAdvance(text) + 10, height)
        is_first = not box.get("index")
        painter.fillRect(name, theme.color("accent_fill") if is_first else color)
        painter.setPen(theme.color("on_fill") if is_first else QColor("white"))
        painter.drawText(name, Qt.AlignmentFlag.AlignCenter, text)


class ScoreBars(QWidget):
    """The likeliest classes, the best first, each with its score as a bar and a figure."""

    def __init__(self, theming: Theming) -> None:
        super().__init__()
        self._theming = theming
        self.classes: Sequence[Mapping[str, Any]] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theming.changed.connect(self.update)

    def show_classes(self, classes: Sequence[Mapping[str, Any]]) -> None:
        """Show other classes."""
        self.classes = classes
        self.setFixedHeight(max(1, len(classes)) * _ROW)
        said = ", ".join(f"{one['label']} {percent(one['score'])}" for one in classes)
        self.setAccessibleName(f"Classes: {said}")
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint them."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme = self._theming.current
        for position, one in enumerate(self.classes):
            top = position * _ROW
            text = QRectF(0, top, self.width(), _ROW - _BAR - 6)
            painter.setPen(theme.color("dim" if position else "text"))
            painter.drawText(text, Qt.AlignmentFlag.AlignLeft, str(one["label"]))
            painter.drawText(text, Qt.AlignmentFlag.AlignRight, percent(one["score"]))
            painter.setPen(Qt.PenStyle.NoPen)
            bar = QRectF(0, top + _ROW - _BAR - 6, self.width(), _BAR)
            painter.setBrush(theme.color("surface_3"))
            painter.drawRoundedRect(bar, 3, 3)
            bar.setWidth(max(float(one["score"]), 0.0) * self.width())
            painter.setBrush(theme.color("border_strong" if position else "accent"))
            painter.drawRoundedRect(bar, 3, 3)


def percent(score: float) -> str:
    """Return a score as people read it."""
    return f"{100 * float(score):.1f} %"
