"""Servers of others: how each is installed, started and asked."""

from __future__ import annotations

import hashlib
import json
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.serve.models import Subject


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


PEERS: dict[str, Peer] = {}


def default_cache() -> Path:
    """Where the environments of the peers are kept."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "edgewright" / "bench-peers"


def install(name: str, cache: Path) -> Path:
    """The environment of a peer; made when it is not there.

    Raises:
        NotHere: when it cannot be installed.
    """
    raise NotHere(f"{name} cannot be installed.")


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
