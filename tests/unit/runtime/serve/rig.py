"""Small models, bundles, roots of releases, and real server processes for the tests of serve."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from tests.rigs.patience import patience

START_S = 30.0
REPOSITORY = Path(__file__).resolve().parents[4]

TYPES = {
    "BOOL": TensorProto.BOOL,
    "UINT8": TensorProto.UINT8,
    "UINT16": TensorProto.UINT16,
    "UINT32": TensorProto.UINT32,
    "UINT64": TensorProto.UINT64,
    "INT8": TensorProto.INT8,
    "INT16": TensorProto.INT16,
    "INT32": TensorProto.INT32,
    "INT64": TensorProto.INT64,
    "FP16": TensorProto.FLOAT16,
    "FP32": TensorProto.FLOAT,
    "FP64": TensorProto.DOUBLE,
    "BYTES": TensorProto.STRING,
}


def save_model(
    path: Path, nodes: Sequence[Any], inputs: Sequence[Any], outputs: Sequence[Any], **more: Any
) -> Path:
    """Write a checked ONNX model."""
    graph = helper.make_graph(list(nodes), path.stem, list(inputs), list(outputs), **more)
    opset = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path


def every_type(path: Path, names: Iterable[str] = tuple(TYPES)) -> Path:
    """One input and one output of each data type, each output equal to its input."""
    value = helper.make_tensor_value_info
    return save_model(
        path,
        [helper.make_node("Identity", [f"in_{name}"], [f"out_{name}"]) for name in names],
        [value(f"in_{name}", TYPES[name], ["n", 3]) for name in names],
        [value(f"out_{name}", TYPES[name], ["n", 3]) for name in names],
    )


def constant(path: Path, number: float) -> Path:
    """``y = 0 * x + number``: the answer tells which version gave it."""
    value = helper.make_tensor_value_info
    return save_model(
        path,
        [helper.make_node("Mul", ["x", "zero"], ["z"]), helper.make_node("Add", ["z", "c"], ["y"])],
        [value("x", TensorProto.FLOAT, ["n", 4])],
        [value("y", TensorProto.FLOAT, ["n", 4])],
        initializer=[
            numpy_helper.from_array(np.float32(0).reshape(1), "zero"),
            numpy_helper.from_array(np.float32(number).reshape(1), "c"),
        ],
    )


def slow(path: Path, trips: int = 3000) -> Path:
    """A product of matrices in a loop: some hundred milliseconds that ``trips`` scales."""
    value = helper.make_tensor_value_info
    body = helper.make_graph(
        [
            helper.make_node("MatMul", ["a", "w"], ["b"]),
            helper.make_node("Identity", ["more"], ["more_out"]),
        ],
        "body",
        [
            value("i", TensorProto.INT64, []),
            value("more", TensorProto.BOOL, []),
            value("a", TensorProto.FLOAT, [128, 128]),
        ],
        [value("more_out", TensorProto.BOOL, []), value("b", TensorProto.FLOAT, [128, 128])],
        [numpy_helper.from_array(np.eye(128, dtype=np.float32), "w")],
    )
    return save_model(
        path,
        [helper.make_node("Loop", ["trips", "", "x"], ["y"], body=body)],
        [value("x", TensorProto.FLOAT, [128, 128])],
        [value("y", TensorProto.FLOAT, [128, 128])],
        initializer=[numpy_helper.from_array(np.int64(trips), "trips")],
    )


def trips(path: Path) -> Path:
    """A loop that counts its trips; the input says how many there are."""
    value = helper.make_tensor_value_info
    body = helper.make_graph(
        [
            helper.make_node("Add", ["count", "one"], ["next"]),
            helper.make_node("Identity", ["more"], ["more_out"]),
        ],
        "body",
        [
            value("i", TensorProto.INT64, []),
            value("more", TensorProto.BOOL, []),
            value("count", TensorProto.INT64, [1]),
        ],
        [value("more_out", TensorProto.BOOL, []), value("next", TensorProto.INT64, [1])],
        [numpy_helper.from_array(np.ones(1, np.int64), "one")],
    )
    return save_model(
        path,
        [helper.make_node("Loop", ["trips", "", "zero"], ["y"], body=body)],
        [value("trips", TensorProto.INT64, [1])],
        [value("y", TensorProto.INT64, [1])],
        initializer=[numpy_helper.from_array(np.zeros(1, np.int64), "zero")],
    )


def run_model(path: Path, feeds: dict[str, np.ndarray]) -> list[np.ndarray]:
    """What onnxruntime says of a model in this process."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    outputs: list[np.ndarray] = session.run(None, feeds)
    return outputs


def bundle(folder: Path, model: Path, version: int, name: str = "answer") -> Path:
    """A bundle's folder, named by its release digest below ``folder``."""
    manifest = {
        "format": 1,
        "name": name,
        "version": version,
        "counter": version,
        "model": {"file": "model.onnx", "format": "onnx", "precision": "fp32"},
        "golden": {"count": 0, "rtol": 1e-3, "atol": 1e-4},
    }
    raw = json.dumps(manifest, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    release = folder / hashlib.sha256(raw).hexdigest()
    release.mkdir(parents=True)
    (release / "manifest.json").write_bytes(raw)
    (release / "model.onnx").write_bytes(model.read_bytes())
    return release


def switch(root: Path, release: Path) -> None:
    """Point ``current`` to a release in one step, as the release machine does."""
    link = root / "current.new"
    link.symlink_to(f"releases/{release.name}")
    os.replace(link, root / "current")


class ServerProcess:
    """``python -m studio.runtime serve`` as a process; a context manager that ends it."""

    module = "studio.runtime"
    python = sys.executable
    program: tuple[str, ...] = ()
    """Instead of the module: an interpreter and a zip application."""

    def __init__(self, *arguments: str, log: Path, **environment: str) -> None:
        self.log = log
        with log.open("wb") as file:
            self.process = subprocess.Popen(
                [
                    *(self.program or (self.python, "-m", self.module)),
                    "serve",
                    "--port=0",
                    *arguments,
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=file,
                cwd=REPOSITORY,
                env={**os.environ, **environment},
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()  # empty when it ends before it is ready
        self.ready: dict[str, Any] = json.loads(line) if line else {}
        host, _, port = self.ready.get("endpoint", "").rpartition(":")
        self.host, self.port = host.removeprefix("http://"), int(port or 0)

    def __enter__(self) -> ServerProcess:
        assert self.ready, self.log.read_text()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def stop(self) -> int:
        """SIGTERM, then its exit status; killed when that takes too long."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        finally:
            assert self.process.stdout is not None
            self.process.stdout.close()

    def hang_up(self) -> None:
        """Ask it to read ``current`` again."""
        self.process.send_signal(signal.SIGHUP)

    def connect(self) -> http.client.HTTPConnection:
        """A new client connection."""
        return http.client.HTTPConnection(self.host, self.port, timeout=20)

    def get(self, path: str) -> tuple[int, Any]:
        """Status and document of a GET."""
        return self.call("GET", path)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Status and document of one request on a connection of its own."""
        connection = self.connect()
        try:
            content = body if body is None or isinstance(body, bytes) else json.dumps(body)
            connection.request(method, path, content, headers)
            response = connection.getresponse()
            raw = response.read()
            return response.status, json.loads(raw) if raw.startswith((b"{", b"[")) else raw
        finally:
            connection.close()


def rests(server: ServerProcess) -> bool:
    """Whether the server takes next to no processor time for a moment."""
    path = Path(f"/proc/{server.process.pid}/stat")
    before = _ticks(path)
    time.sleep(0.3)
    return _ticks(path) - before <= 5  # hundredths of a second


def _ticks(path: Path) -> int:
    fields = path.read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
    """Wait for a condition, and fail with its name when it does not come true."""
    deadline = time.monotonic() + patience(seconds)
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.01)


def report(root: Path) -> dict[str, Any]:
    """``server.json``."""
    found: dict[str, Any] = json.loads((root / "run" / "server.json").read_text())
    return found


def question(rows: int = 1) -> dict[str, Any]:
    """An infer request for the models of ``constant``."""
    data = [0.5] * (4 * rows)
    return {"inputs": [{"name": "x", "datatype": "FP32", "shape": [rows, 4], "data": data}]}
