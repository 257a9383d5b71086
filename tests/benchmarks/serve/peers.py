"""Servers of others: how each is installed, started and asked."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.serve.models import Subject

INSTALL_S = 300.0


class NotHere(Exception):
    """A peer that cannot be installed, in one sentence."""


class Peer(NamedTuple):
    """One server.

    Attributes:
        command: From its environment, a model, a folder and a port: the command line and variables.
        ready: Path that answers 200 once it serves.
        request: The bytes of one whole HTTP request.
        rows: Samples that it runs together at most.
    """

    name: str
    requirements: tuple[str, ...]
    command: Callable[[Path, Subject, Path, int], tuple[list[str], dict[str, str]]]
    ready: str
    request: Callable[[Subject, int], bytes]
    rows: Callable[[int], int] = lambda port: 1


MOSEC = """
import os, sys
import numpy, onnxruntime
from mosec import Server, Worker

class Model(Worker):
    def __init__(self):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(os.environ["MODEL"], options)
        self.shape = tuple(int(size) for size in os.environ["ROW"].split(","))

    def deserialize(self, data):
        return numpy.frombuffer(data, numpy.float32).reshape(self.shape)

    def forward(self, data):
        if isinstance(data, list):
            return list(self.session.run(None, {"x": numpy.stack(data)})[0])
        return self.session.run(None, {"x": data[None]})[0][0]

    def serialize(self, data):
        return data.tobytes()

batch = int(os.environ["ROWS"])
server = Server()
server.append_worker(Model, num=1, max_batch_size=batch, max_wait_time=1)
server.run()
"""

MLSERVER = """
import os
import numpy, onnxruntime
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceResponse

class Model(MLModel):
    async def load(self):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(os.environ["MODEL"], options)
        return True

    async def predict(self, payload):
        array = NumpyCodec.decode_input(payload.inputs[0])
        found = self.session.run(None, {"x": array})[0]
        outputs = [NumpyCodec.encode_output("y", found)]
        return InferenceResponse(model_name=self.name, outputs=outputs)
"""


def _variables(subject: Subject) -> dict[str, str]:
    rows = "16" if subject.name == "perceptron" else "1"
    shape = ",".join(map(str, subject.row))
    return {"MODEL": str(subject.path), "ROW": shape, "ROWS": rows, "ORT_DISABLE_TELEMETRY": "1"}


def _mosec(
    environment: Path, subject: Subject, folder: Path, port: int
) -> tuple[list[str], dict[str, str]]:
    script = folder / "mosec_server.py"
    script.write_text(MOSEC)
    command = [str(environment / "bin" / "python"), str(script), "--port", str(port)]
    return [*command, "--address", "127.0.0.1"], _variables(subject)


def _mosec_request(subject: Subject, port: int) -> bytes:
    return http_request("/inference", subject.sample().tobytes(), port)


def _mlserver(
    environment: Path, subject: Subject, folder: Path, port: int
) -> tuple[list[str], dict[str, str]]:
    place = folder / f"mlserver-{subject.name}"
    place.mkdir(exist_ok=True)
    (place / "served.py").write_text(MLSERVER)
    model = {"name": subject.name, "implementation": "served.Model"}
    (place / "model-settings.json").write_text(json.dumps(model))
    settings = {
        "host": "127.0.0.1", "http_port": port, "grpc_port": free_port(),
        "metrics_port": free_port(), "parallel_workers": 0,
    }  # fmt: skip
    (place / "settings.json").write_text(json.dumps(settings))
    variables = {**_variables(subject), "PYTHONPATH": str(place)}
    return [str(environment / "bin" / "mlserver"), "start", str(place)], variables


def _mlserver_request(subject: Subject, port: int) -> bytes:
    return open_inference_request(subject, port, subject.name)


PEERS: dict[str, Peer] = {
    "mosec": Peer("mosec", ("mosec",), _mosec, "/metrics", _mosec_request),
    "mlserver": Peer("mlserver", ("mlserver",), _mlserver, "/v2/health/ready", _mlserver_request),
}


def default_cache() -> Path:
    """Where the environments of the peers are kept."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "edgewright" / "bench-peers"


def install(name: str, cache: Path) -> Path:
    """The environment of a peer; made when it is not there.

    Raises:
        NotHere: when it cannot be installed within some minutes.
    """
    environment = cache / name
    done = environment / "installed"
    if done.exists():
        return environment
    commands = (
        [sys.executable, "-m", "venv", "--clear", str(environment)],
        [str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet", "numpy",
         "onnxruntime", *PEERS[name].requirements],
    )  # fmt: skip
    for command in commands:
        try:
            subprocess.run(command, check=True, timeout=INSTALL_S, stdout=sys.stderr)
        except (subprocess.SubprocessError, OSError) as error:
            raise NotHere(f"{name} cannot be installed: {error}"[:300]) from error
    done.touch()
    return environment


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def http_request(path: str, body: bytes, port: int, **headers: str) -> bytes:
    """The bytes of a POST."""
    lines = [f"POST {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def open_inference_request(subject: Subject, port: int, model: str) -> bytes:
    """A request of the Open Inference Protocol with a binary input and a binary output."""
    sample = subject.sample()
    entry = {"name": "x", "datatype": "FP32", "shape": list(sample.shape)}
    entry["parameters"] = {"binary_data_size": sample.nbytes}  # type: ignore[assignment]
    head = {"inputs": [entry], "outputs": [{"name": "y", "parameters": {"binary_data": True}}]}
    text = json.dumps(head).encode()
    return http_request(
        f"/v2/models/{model}/infer",
        text + sample.tobytes(),
        port,
        Content_Type="application/octet-stream",
        Inference_Header_Content_Length=str(len(text)),
    )


def root_of(subject: Subject, root: Path) -> Path:
    """A root of releases that serves the model."""
    manifest = {
        "format": 1,
        "name": subject.name,
        "version": 1,
        "counter": 1,
        "model": {"file": "model.onnx", "format": "onnx", "precision": "fp32"},
    }
    raw = json.dumps(manifest, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    release = root / "releases" / hashlib.sha256(raw).hexdigest()
    release.mkdir(parents=True)
    (release / "manifest.json").write_bytes(raw)
    (release / "model.onnx").write_bytes(subject.path.read_bytes())
    (root / "current").symlink_to(f"releases/{release.name}")
    return root
