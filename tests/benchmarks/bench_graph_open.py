"""A model of 50,000 nodes in the window: time to the first frame and to all nodes, stalls, frames.

``all_nodes`` is when every node stands on the canvas, ``complete`` when the types, costs and the
registry's entry are there as well.

The peer is what any program in Python does before it can show a graph: ``onnx.load`` and shape
inference, in the same run. Processor time is that of all processes on the way (the window and its
worker), so that a busy machine does not hide what changed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEvent, QObject, QTimer

from tests.benchmarks.frames import frames
from tests.benchmarks.proctree import Tree, own_peak_mb
from tests.benchmarks.stalls import StallMeter

NODES = 50_000
ZOOMS = (1.0, 0.7, 0.5, 0.3, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002)

WRITE = """
import sys, pathlib
from tests.benchmarks.generated import KINDS, write_onnx
write_onnx(KINDS[sys.argv[1]](int(sys.argv[2])), pathlib.Path(sys.argv[3]))
"""
PEER = """
import sys, time, onnx
began = time.process_time()
onnx.shape_inference.infer_shapes(onnx.load(sys.argv[1]), data_prop=True)
print(time.process_time() - began)
"""


class FirstFrames(QObject):
    """Notes when a canvas has painted a graph of at least so many boxes for the first time."""

    def __init__(self) -> None:
        super().__init__()
        self.least = 1
        self.at: float | None = None
        self.boxes = 0
        self.cpu = 0.0

    def wait_for(self, boxes: int) -> None:
        """Begin to wait anew."""
        self.least, self.at = boxes, None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Paint and self.at is None:
            scene = getattr(watched, "scene", None)
            if scene is not None and len(scene) >= self.least:
                QTimer.singleShot(0, lambda: self._note(len(scene)))  # when it is painted
        return False

    def _note(self, boxes: int) -> None:
        if self.at is None:
            self.at, self.boxes, self.cpu = time.monotonic(), boxes, time.process_time()


def graph_shown(window: Any) -> bool:
    """Whether the Model page is shown; once the project of a small model is, it is gone to."""
    page = window.page()
    if page is not None and page.stage == "project":
        window.go("model")
    return window.page() is not None and window.page().stage == "model"


def page_parts() -> tuple[type, Sequence[object]]:
    """Return the class of the Model page and the stages whose pages are made ahead.

    Of this commit, and of older ones with their modules of that time.
    """
    try:
        stages = import_module("studio.gui.window.stages")
    except ImportError:
        return import_module("studio.gui.pages.model").ModelPage, import_module(
            "studio.gui.stages"
        ).STAGES
    page = import_module("studio.gui.pages.model.page").ModelPage
    return page, getattr(stages, "AHEAD", stages.STAGES)


def measure(kind: str, count: int, folder: Path) -> dict[str, Any]:
    """One window and one model."""
    from studio.gui.app import SWITCH_S, attach, make_application, make_window
    from studio.settings import Paths
    from studio.workspace import Workspace

    path = folder / "model.onnx"
    # In a process of its own, as numpy and onnx would count as the window's.
    subprocess.run([sys.executable, "-c", WRITE, kind, str(count), str(path)], check=True)
    sys.setswitchinterval(SWITCH_S)
    model_page, ahead = page_parts()
    application = make_application()
    meter, first = StallMeter(), FirstFrames()
    window = make_window(Paths.of(home=folder / "home"))
    meter.during(window.show)
    workspace = Workspace.open(folder / "home")
    # Until all pages were made ahead, which is no part of opening a model.
    pages = len(ahead)
    meter.during(lambda: attach(window, workspace), lambda: len(window.pages()) >= pages)
    meter.during(lambda: None, settle=2.0)
    page = next(page for page in window.pages() if isinstance(page, model_page))
    page.pane.canvas.installEventFilter(first)
    result: dict[str, Any] = {"kind": kind, "nodes": count, "load": os.getloadavg()[0]}
    with Tree() as tree:
        time.sleep(0.1)
        began, own = time.monotonic(), time.process_time()
        opening = meter.during(
            lambda: window.open_model(path),
            lambda: graph_shown(window) and page.view is not None,
            limit=120,
        )
        drawn, drawn_cpu = time.monotonic(), time.process_time()
        assert first.at is not None
        at, at_cpu, folded = first.at, first.cpu, first.boxes
        computed = meter.longest_computed
        first.wait_for(count)
        unfolding = meter.during(
            page.toggle_detail, lambda: first.at is not None, settle=0.05, limit=120
        )
        end, end_cpu = first.at, first.cpu
        unfolded = meter.longest_computed

        def is_complete() -> bool:
            scene = page.pane.canvas.scene
            return page.variant is not None and scene is not None and bool(scene.graph.values)

        completing = meter.during(lambda: None, is_complete, settle=0.05, limit=120)
        ready, ready_cpu = time.monotonic(), time.process_time()
    result |= {
        "boxes_folded": folded,
        "first_frame_s": round(at - began, 2),
        "first_frame_cpu_s": round(tree.cpu_between(began, at) + at_cpu - own, 2),
        "first_frame_cpu_window_s": round(at_cpu - own, 2),
        "drawn_s": round(drawn - began, 2),
        "all_nodes_s": round(end - began, 2),
        "all_nodes_cpu_s": round(tree.cpu_between(began, end) + end_cpu - own, 2),
        "all_nodes_cpu_window_s": round(end_cpu - own, 2),
        "unfolding_s": round(end - drawn, 2),
        "unfolding_cpu_s": round(end_cpu - drawn_cpu, 2),
        "complete_s": round(ready - began, 2),
        "complete_cpu_s": round(tree.cpu_between(began, ready) + ready_cpu - own, 2),
        "stall_opening": opening.to_json(),
        "stall_opening_computed": computed.to_json(),
        "stall_unfolding": unfolding.to_json(),
        "stall_unfolding_computed": unfolded.to_json(),
        "stall_completing": completing.to_json(),
        "worker_peak_mb": round(tree.peak_mb()),
        "window_peak_mb": round(own_peak_mb()),
    }  # fmt: skip
    canvas = page.pane.canvas
    found = {f"{zoom:g}": frames(canvas, zoom) for zoom in ZOOMS}
    canvas.fit()
    found["fit"] = frames(canvas, canvas.zoom)
    result["frame_ms"] = found
    result["worst_p95_ms"] = max(one["p95"] for one in found.values())
    result["worst_p95_cpu_ms"] = max(one["p95_cpu"] for one in found.values())
    result["onnx_load_and_infer_cpu_s"] = _peer(path)
    window.close()
    workspace.close()
    for place in folder.rglob("*"):  # the registry's store is read-only
        place.chmod(0o700)
    application.quit()
    return result


def _peer(path: Path) -> float:
    done = subprocess.run(
        [sys.executable, "-c", PEER, str(path)],
        stdout=subprocess.PIPE, text=True, timeout=300, check=True,
    )  # fmt: skip
    return round(float(done.stdout), 2)


def main() -> None:
    """Print the figures as JSON; arguments: number of nodes, kind of graph."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else NODES
    kind = sys.argv[2] if len(sys.argv) > 2 else "transformer"
    with tempfile.TemporaryDirectory(prefix="edgewright-graph-") as name:
        print(json.dumps(measure(kind, count, Path(name)), indent=1))


if __name__ == "__main__":
    main()
