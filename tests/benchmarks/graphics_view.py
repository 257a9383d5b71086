"""The named peer of the canvas: Qt's own QGraphicsView with one item a box and one a line."""

from __future__ import annotations

import statistics
import time

from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QImage, QPen
from PySide6.QtWidgets import QGraphicsScene, QGraphicsView

from studio.gui.graph.scene import Scene
from tests.benchmarks.frames import STEP

FRAMES = 12


def make_view(scene: Scene, size: tuple[int, int]) -> QGraphicsView:
    """The boxes and lines of a scene, without any text, which would cost more."""
    items = QGraphicsScene()
    pen, line = QPen(Qt.PenStyle.NoPen), QPen(QColor("#888888"), 0)
    brush = QBrush(QColor("#335577"))
    for box in range(len(scene)):
        if scene.width[box]:
            place = QRectF(scene.x[box], scene.y[box], scene.width[box], scene.height[box])
            items.addRect(place, pen, brush)
    for ends in scene.index.lines.ends.tolist():
        items.addLine(*ends, line)
    view = QGraphicsView(items)
    items.setParent(view)
    view.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.FullViewportUpdate)
    view.resize(*size)
    return view


def frames(view: QGraphicsView, scene: Scene, zoom: float) -> dict[str, float]:
    """Milliseconds of processor time a frame while one pans at a zoom."""
    view.resetTransform()
    view.scale(zoom, zoom)
    image = QImage(view.size(), QImage.Format.Format_ARGB32_Premultiplied)
    times = []
    for number in range(FRAMES):
        view.centerOn(scene.size[0] / 2, scene.size[1] / 3 + number * STEP / zoom)
        own = time.thread_time()
        view.viewport().render(image, QPoint())
        times.append(1000 * (time.thread_time() - own))
    return {
        "median_cpu": round(statistics.median(times), 2),
        "p95_cpu": round(sorted(times)[int(0.95 * FRAMES)], 2),
    }
