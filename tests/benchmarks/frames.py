"""Times of the frames that a canvas paints while one pans."""

from __future__ import annotations

import statistics
import time

from PySide6.QtCore import QPoint
from PySide6.QtGui import QImage

from studio.gui.graph.canvas import GraphCanvas

FRAMES = 60
STEP = 40
"""Pixels that one pans between two frames: 2,400 a second at 60 frames."""


def frames(canvas: GraphCanvas, zoom: float) -> dict[str, float]:
    """Milliseconds a frame while one pans at a zoom, from the first one on, which knows nothing.

    ``cpu`` is the processor time of the thread alone; ``exact`` is the share of the frames in
    which all that is in sight was painted, the others show a part of it rough.
    """
    assert canvas.scene is not None
    canvas.zoom_to(zoom)
    canvas._settle.stop()
    canvas.centre_on(canvas.scene.size[0] / 2, canvas.scene.size[1] / 3)
    canvas._redress()
    image = QImage(canvas.size(), QImage.Format.Format_ARGB32_Premultiplied)
    walls, computed, exact = [], [], 0
    for _ in range(FRAMES):
        canvas.pan(0, STEP)
        began, own = time.perf_counter(), time.thread_time()
        canvas.render(image, QPoint())
        computed.append(1000 * (time.thread_time() - own))
        walls.append(1000 * (time.perf_counter() - began))
        exact += not canvas._more.isActive()
        canvas._more.stop()
    return {
        "first_cpu": round(computed[0], 2),
        "median": round(statistics.median(walls), 2),
        "p95": round(_p95(walls), 2),
        "p95_cpu": round(_p95(computed), 2),
        "worst_cpu": round(max(computed), 2),
        "exact": round(exact / FRAMES, 2),
    }


def _p95(times: list[float]) -> float:
    return sorted(times)[int(0.95 * len(times))]
