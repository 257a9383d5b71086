"""Servers of others: how each is started and asked, and what its answers mean."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tests.benchmarks.serve.models import Subject

SERVERS = Path(__file__).parent / "servers"
Command = tuple[list[str], dict[str, str]]


class Peer(NamedTuple):
    """One server.

    Attributes:
        package: Whose environment it runs in.
        command: From its environment, a model, a folder and a port: the command line and variables.
        ready: Path that answers 200 once it serves.
        request: The bytes of one whole HTTP request.
        answer: The floats in an answer, from its head (lower case) and its body.
        rows: Samples that it runs together at most.
        goals: By model, how many times our CPU time of a request it should take.
    """

    name: str
    package: str
    command: Callable[[Path, Subject, Path, int], Command]
    ready: str
    request: Callable[[Subject, int], bytes]
    answer: Callable[[str, bytes], np.ndarray]
    rows: Callable[[int], int] = lambda port: 1
    goals: Mapping[str, float] = {}


def _variables(subject: Subject) -> dict[str, str]:
    rows = "16" if subject.name == "perceptron" else "1"
    shape = ",".join(map(str, subject.row))
    return {
        "MODEL": str(subject.path), "NAME": subject.name, "ROW": shape, "ROWS": rows,
        "ORT_DISABLE_TELEMETRY": "1", "BENTOML_DO_NOT_TRACK": "True", "DO_NOT_TRACK": "1",
        "PYTHONPATH": str(SERVERS), "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1",
    }  # fmt: skip


def _floats(head: str, body: bytes) -> np.ndarray:
    return np.frombuffer(body, np.float32)


def _mosec(environment: Path, subject: Subject, folder: Path, port: int) -> Command:
    python, script = environment / "bin" / "python", SERVERS / "mosec_server.py"
    command = [str(python), str(script), "--port", str(port), "--address", "127.0.0.1"]
    return command, _variables(subject)


def _mosec_request(subject: Subject, port: int) -> bytes:
    return http_request("/inference", subject.sample().tobytes(), port)


def _mlserver(
    environment: Path, subject: Subject, folder: Path, port: int, kind: str = "Model"
) -> Command:
    place = folder / f"mlserver-{subject.name}"
    place.mkdir(exist_ok=True)
    model = {"name": subject.name, "implementation": f"mlserver_model.{kind}"}
    (place / "model-settings.json").write_text(json.dumps(model))
    settings = {
        "host": "127.0.0.1", "http_port": port, "grpc_port": free_port(),
        "metrics_port": free_port(), "parallel_workers": 0, "debug": False, "gzip_enabled": False,
    }  # fmt: skip
    (place / "settings.json").write_text(json.dumps(settings))
    return [str(environment / "bin" / "mlserver"), "start", str(place)], _variables(subject)


def _mlserver_request(subject: Subject, port: int) -> bytes:
    sample = subject.sample()
    entry = {"name": "x", "shape": list(sample.shape), "datatype": "FP32"}
    return _in_json({**entry, "data": sample.ravel().tolist()}, subject, port)


def _mlserver_answer(head: str, body: bytes) -> np.ndarray:
    return np.float32(json.loads(body)["outputs"][0]["data"])


def _in_json(entry: dict[str, Any], subject: Subject, port: int) -> bytes:
    body = json.dumps({"inputs": [entry]}).encode()
    path = f"/v2/models/{subject.name}/infer"
    return http_request(path, body, port, Content_Type="application/json")


def _base64(environment: Path, subject: Subject, folder: Path, port: int) -> Command:
    return _mlserver(environment, subject, folder, port, "Base64Model")


def _base64_request(subject: Subject, port: int) -> bytes:
    data = base64.b64encode(subject.sample().tobytes()).decode()
    entry = {"name": "x", "shape": [1, 1], "datatype": "BYTES", "data": [data]}
    return _in_json({**entry, "parameters": {"content_type": "base64"}}, subject, port)


def _base64_answer(head: str, body: bytes) -> np.ndarray:
    (data,) = json.loads(body)["outputs"][0]["data"]
    return np.frombuffer(base64.b64decode(data), np.float32)


def _kserve(environment: Path, subject: Subject, folder: Path, port: int) -> Command:
    python, script = environment / "bin" / "python", SERVERS / "kserve_server.py"
    return [str(python), str(script), "--http_port", str(port)], _variables(subject)


def _bentoml(environment: Path, subject: Subject, folder: Path, port: int) -> Command:
    command = [str(environment / "bin" / "bentoml"), "serve", "bentoml_service:Served"]
    options = ["--host", "127.0.0.1", "--port", str(port), "--working-dir", str(SERVERS)]
    home = {"BENTOML_HOME": str(folder / "bentoml")}
    return [*command, *options], {**_variables(subject), **home}


def _bentoml_request(subject: Subject, port: int) -> bytes:
    body = subject.sample().tobytes()
    return http_request("/infer", body, port, Content_Type="application/octet-stream")


FOURFOLD = {"perceptron": 4.0, "network": 4.0}

PEERS: dict[str, Peer] = {
    peer.name: peer
    for peer in (
        Peer(
            "mosec", "mosec", _mosec, "/metrics", _mosec_request, _floats,
            goals={"perceptron": 2.0},
        ),
        Peer(
            "mlserver", "mlserver", _mlserver, "/v2/health/ready", _mlserver_request,
            _mlserver_answer, goals=FOURFOLD,
        ),
        Peer(
            "mlserver-base64", "mlserver", _base64, "/v2/health/ready", _base64_request,
            _base64_answer, goals=FOURFOLD,
        ),
        Peer(
            "kserve", "kserve", _kserve, "/v2/health/ready",
            lambda subject, port: open_inference_request(subject, port, subject.name),
            lambda head, body: open_inference_answer(head, body), goals=FOURFOLD,
        ),
        Peer(
            "bentoml", "bentoml", _bentoml, "/readyz", _bentoml_request, _floats, goals=FOURFOLD,
        ),
    )
}  # fmt: skip


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


def open_inference_answer(head: str, body: bytes) -> np.ndarray:
    """The floats behind the JSON of an answer."""
    size = head.partition("inference-header-content-length:")[2].partition("\r\n")[0]
    return np.frombuffer(body[int(size) :], np.float32)


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
