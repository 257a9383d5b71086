"""A model with 3 GB of external data: seconds and memory to inspect, draw and open it.

Its data is a sparse file, so that nobody has to write 3 GB; it is read like any other. The peer, in
the same run, is ``onnx.load``, which is how a program gets at a model whose weights it wants.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import onnx
from onnx import TensorProto, helper

from tests.benchmarks.bench_graph_open import FirstFrames, graph_shown
from tests.benchmarks.proctree import Tree, own_peak_mb
from tests.benchmarks.stalls import StallMeter

LAYERS, HIDDEN = 24, 1664
DATA = "weights.bin"
PEER = "import sys, onnx; onnx.load(sys.argv[1])"


class Weights:
    """Places in the data file, one behind the other."""

    def __init__(self) -> None:
        self.tensors: list[onnx.TensorProto] = []
        self.end = 0

    def add(self, name: str, *shape: int) -> str:
        """A tensor whose values are wherever the file has got to."""
        size = 4
        for one in shape:
            size *= one
        tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=shape)
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in (("location", DATA), ("offset", self.end), ("length", size)):
            tensor.external_data.add(key=key, value=str(value))
        self.tensors.append(tensor)
        self.end += size
        return name


def write(folder: Path, layers: int = LAYERS, hidden: int = HIDDEN) -> Path:
    """Layers of attention and two products, as exporters name them."""
    weights, nodes, last = Weights(), [], "x"

    def node(operator: str, scope: str, *reads: str) -> str:
        name = f"/{scope}/{operator}_{len(nodes)}"
        nodes.append(helper.make_node(operator, reads, [f"{name}_output_0"], name))
        return f"{name}_output_0"

    for k in range(layers):
        scope = f"encoder/layer.{k}"
        parts = [
            node("MatMul", f"{scope}/attention/{one}", last, weights.add(
                f"{scope}.attention.{one}.weight", hidden, hidden))
            for one in ("query", "key", "value")
        ]  # fmt: skip
        turned = node("Transpose", f"{scope}/attention", parts[1])
        scores = node(
            "Softmax", f"{scope}/attention", node("MatMul", f"{scope}/attention", parts[0], turned)
        )
        mixed = node("MatMul", f"{scope}/attention", scores, parts[2])
        out = weights.add(f"{scope}.attention.output.weight", hidden, hidden)
        last = node("Add", scope, node("MatMul", f"{scope}/attention/output", mixed, out), last)
        up = weights.add(f"{scope}.intermediate.weight", hidden, 4 * hidden)
        down = weights.add(f"{scope}.output.weight", 4 * hidden, hidden)
        wide = node(
            "Relu", f"{scope}/intermediate", node("MatMul", f"{scope}/intermediate", last, up)
        )
        last = node("Add", scope, node("MatMul", f"{scope}/output", wide, down), last)
    terminal = [
        helper.make_tensor_value_info(n, TensorProto.FLOAT, (128, hidden)) for n in ("x", last)
    ]
    graph = helper.make_graph(nodes, "large", terminal[:1], terminal[1:], weights.tensors)
    path = folder / "large.onnx"
    path.write_bytes(
        helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9
        ).SerializeToString()
    )
    with (folder / DATA).open("wb") as file:
        file.truncate(weights.end)
    return path


def command(*arguments: str) -> dict[str, float]:
    """Seconds and the most memory of any process of a command."""
    with Tree() as tree:
        time.sleep(0.1)
        began = time.monotonic()
        subprocess.run(arguments, stdout=subprocess.DEVNULL, check=True, timeout=600)
        seconds = time.monotonic() - began
    return {"seconds": round(seconds, 2), "peak_mb": round(tree.peak_mb())}


def window(path: Path, home: Path, picture: Path | None) -> dict[str, Any]:
    """The same model opened in the window, and one of its weights looked at."""
    from studio.gui.app import attach, make_application, make_window
    from studio.gui.pages.model.page import ModelPage
    from studio.settings import Paths
    from studio.workspace import Workspace

    application = make_application()
    meter, first = StallMeter(), FirstFrames()
    shown = make_window(Paths.of(home=home))
    meter.during(shown.show)
    with Workspace.open(home) as workspace:
        meter.during(lambda: attach(shown, workspace), settle=3.0)
        page = next(page for page in shown.pages() if isinstance(page, ModelPage))
        page.pane.canvas.installEventFilter(first)
        with Tree() as tree:
            time.sleep(0.1)
            began = time.monotonic()
            stall = meter.during(
                lambda: shown.open_model(path),
                lambda: graph_shown(shown) and first.at is not None,
                settle=0.5,
                limit=120,
            )
            at = first.at
            assert at is not None
            asked = time.monotonic()
            job = workspace.start("values", model="#1", name="encoder/layer.0.intermediate.weight")
            outcome = job.wait()
            assert outcome is not None
            assert outcome.ok, outcome.sentence
            values = time.monotonic() - asked
        if picture is not None:
            shown.grab().save(str(picture))
        found = {
            "first_frame_s": round(at - began, 2),
            "worker_peak_mb": round(tree.peak_mb()),
            "window_peak_mb": round(own_peak_mb()),
            "stall_opening": stall.to_json(),
            "values_s": round(values, 2),
            "values_read": outcome.document["read"],
        }
        shown.close()
    application.quit()
    return found


def main() -> None:
    """Print the figures as JSON; an argument names a picture of the window."""
    picture = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    with tempfile.TemporaryDirectory(prefix="edgewright-large-") as name:
        folder = Path(name)
        path = write(folder)
        home = folder / "home"
        os.environ["EDGEWRIGHT_HOME"] = str(home)
        studio = (sys.executable, "-m", "studio.cli.main")
        result: dict[str, Any] = {
            "data_gb": round((folder / DATA).stat().st_size / 1e9, 2),
            "inspect": command(*studio, "inspect", str(path)),
            "graph": command(*studio, "graph", str(path), "--out", str(folder / "g.svg")),
            "window": window(path, folder / "window", picture),
            "onnx_load": command(sys.executable, "-c", PEER, str(path)),
        }
        for place in folder.rglob("*"):  # the registry's store is read-only
            place.chmod(0o700)
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
