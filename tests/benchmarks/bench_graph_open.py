"""A model of 50,000 nodes in the window: time to its first frame, stalls, frames at every zoom."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from tests.benchmarks.bench_canvas import frames
from tests.benchmarks.generated import transformer, write_onnx
from tests.benchmarks.stalls import Stall, StallMeter

NODES = 50_000
ZOOMS = (1.0, 0.7, 0.5, 0.3, 0.15, 0.05, 0.02, 0.005)


def main() -> None:
    """Print the figures as JSON; the first argument is another number of nodes."""
    from studio.gui.app import SWITCH_S, attach, make_application, make_window
    from studio.gui.pages.model import ModelPage
    from studio.settings import Paths
    from studio.workspace import Workspace

    count = int(sys.argv[1]) if len(sys.argv) > 1 else NODES
    with tempfile.TemporaryDirectory(prefix="edgewright-graph-") as name:
        folder = Path(name)
        path = folder / "model.onnx"
        write_onnx(transformer(count), path)
        sys.setswitchinterval(SWITCH_S)
        application = make_application()
        meter = StallMeter()
        window = make_window(Paths.of(home=folder / "home"))
        meter.during(window.show)
        workspace = Workspace.open(folder / "home")
        meter.during(lambda: attach(window, workspace), settle=2.0)

        def boxes() -> int:
            page = window.page()
            scene = page.pane.canvas.scene if isinstance(page, ModelPage) else None
            return len(scene) if scene is not None else 0

        began = time.perf_counter()
        opened = meter.during(lambda: window.open_model(path), lambda: boxes() > 0, settle=0.05)
        shown_s = time.perf_counter() - began
        folded = boxes()
        page = window.page()
        assert isinstance(page, ModelPage)
        began = time.perf_counter()
        unfolded = meter.during(page.toggle_detail, lambda: boxes() >= count, settle=0.05)
        all_s = time.perf_counter() - began
        canvas = page.pane.canvas
        found = {f"{zoom:g}": frames(canvas, zoom) for zoom in ZOOMS}
        canvas.fit()
        found["fit"] = frames(canvas, canvas.zoom)
        result = {
            "nodes": count,
            "boxes_folded": folded,
            "to_first_frame_s": round(shown_s, 2),
            "to_all_nodes_s": round(all_s, 2),
            "stall_opening": _text(opened),
            "stall_unfolding": _text(unfolded),
            "frame_ms": found,
            "load": os.getloadavg()[0],
        }
        window.close()
        workspace.close()
        for place in folder.rglob("*"):  # the registry's store is read-only
            place.chmod(0o700)
    application.quit()
    print(json.dumps(result))


def _text(stall: Stall) -> dict[str, float]:
    return {"wall_ms": round(1e3 * stall.wall, 1), "cpu_ms": round(1e3 * stall.processor, 1)}


if __name__ == "__main__":
    main()
