"""Frame times of the graph canvas with 5,000 and 50,000 nodes beside those of QGraphicsView."""

from __future__ import annotations

import json
import os
import sys
import time

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from studio.api import Graph, GraphLayout, Node, TensorType, Value
from studio.gui.app import make_application
from studio.gui.graph.canvas import GraphCanvas
from studio.gui.graph.scene import Scene
from studio.gui.theme import Theming
from tests.benchmarks import graphics_view
from tests.benchmarks.frames import frames

OPERATORS = ("Conv", "BatchNormalization", "Relu", "Conv", "Add", "MaxPool", "MatMul", "Reshape")
COLUMNS = 3
WIDTH, HEIGHT, GAP_X, GAP_Y = 128.0, 44.0, 48.0, 32.0
SIZE = (1100, 720)


def make_scene(count: int) -> Scene:
    """Rows of three nodes, each read by the row below, with a long edge every tenth row."""
    nodes = tuple(
        Node(f"node_{i}", OPERATORS[i % len(OPERATORS)], (), (f"v{i}",)) for i in range(count)
    )
    kind = TensorType("float32", (1, 64, 56, 56))
    graph = Graph(
        "bench",
        (Value("image", kind),),
        (),
        nodes,
        values={f"v{i}": kind for i in range(count)},
    )
    x = [0.0] + [(i % COLUMNS) * (WIDTH + GAP_X) for i in range(count)]
    y = [0.0] + [(1 + i // COLUMNS) * (HEIGHT + GAP_Y) for i in range(count)]
    edges = [(0, 1, "image")]
    edges += [(i, i + COLUMNS, f"v{i - 1}") for i in range(1, count + 1 - COLUMNS)]
    edges += [(i, i + 1 + COLUMNS, f"v{i - 1}") for i in range(1, count - COLUMNS, COLUMNS)]
    layout = GraphLayout(
        tuple(x),
        tuple(y),
        (WIDTH,) * len(x),
        (HEIGHT,) * len(x),
        tuple(edges),
        ((),) * len(edges),
        (COLUMNS * (WIDTH + GAP_X), max(y) + HEIGHT),
    )
    return Scene(graph, layout)


ZOOMS = {"reading": 1.0, "half": 0.5, "far": 0.15, "tiny": 0.02}


def measure(count: int) -> dict[str, object]:
    """All zooms of one size, and those of QGraphicsView with the same boxes and lines."""
    began = time.process_time()
    scene = make_scene(count)
    build = 1000 * (time.process_time() - began)
    began = time.process_time()
    Scene(scene.graph, _layout_of(scene))
    index = 1000 * (time.process_time() - began)
    canvas = GraphCanvas(Theming("dark"))
    canvas.resize(*SIZE)
    canvas.show_scene(scene)
    found: dict[str, object] = {name: frames(canvas, zoom) for name, zoom in ZOOMS.items()}
    canvas.fit()
    found["fit"] = frames(canvas, canvas.zoom)
    view = graphics_view.make_view(scene, SIZE)
    zooms = {**ZOOMS, "fit": canvas.zoom}
    peer = {name: graphics_view.frames(view, scene, zoom) for name, zoom in zooms.items()}
    return {
        "nodes": count,
        "build_cpu_ms": round(build),
        "index_cpu_ms": round(index),
        **found,
        "QGraphicsView": peer,
    }


def _layout_of(scene: Scene) -> GraphLayout:
    return GraphLayout(
        scene.x,
        scene.y,
        scene.width,
        scene.height,
        scene.edges,
        ((),) * len(scene.edges),
        scene.size,
    )


def main() -> int:
    """Print the figures as JSON."""
    application = make_application()
    result = {"frame_ms": [measure(5_000), measure(50_000)]}
    application.quit()
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
