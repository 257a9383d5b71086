"""A server in the test's own process, and clients that ask it by raw sockets."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from studio.runtime.serve.application import Application
from studio.runtime.serve.engine.executor import Executor
from studio.runtime.serve.engine.repository import Repository
from studio.runtime.serve.engine.served_model import ServedModel
from studio.runtime.serve.fast_path.fast_path import answer_repeats
from studio.runtime.serve.http.selector import connection_selector
from studio.runtime.serve.http.server import HttpServer
from studio.runtime.serve.log import Log
from studio.runtime.serve.rest.open_inference import ROUTES
from studio.runtime.serve.service import Service


class Desk:
    """A server in this process; counts the requests that it reads."""

    def __init__(self, model: ServedModel, **options: Any) -> None:
        watch = connection_selector()
        assert watch is not None
        self.loop = asyncio.SelectorEventLoop(watch)
        self.log = os.open(os.devnull, os.O_WRONLY)
        self.service = Service(
            Repository(),
            Executor(self.loop, 1, 64),
            Log(self.log, requests_per_s=0.0),
            1 << 20,
            **options,
        )
        self.read = 0
        infer = self.service.infer

        def counting(*given: Any) -> Any:
            self.read += 1
            return infer(*given)

        self.service.infer = counting  # type: ignore[method-assign]
        application = Application(self.service, ROUTES)
        self.server = HttpServer(application, on_answer=self.service.answered, selector=watch)
        answer_repeats(application, self.server, watch)
        self.serve(model)
        listener = socket.create_server(("127.0.0.1", 0))
        listener.setblocking(False)
        self.address = listener.getsockname()
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()
        self.do(self.server.start(listener))

    def serve(self, model: ServedModel) -> None:
        """Serve this model from now on."""
        self.service.repository.replace([model])

    def do(self, work: Any) -> Any:
        """Run a coroutine in the server's loop and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(10)

    def close(self) -> None:
        self.do(self.server.drain(0.0, 1.0))
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()
        os.close(self.log)


@contextmanager
def serving(model: ServedModel, **options: Any) -> Iterator[Desk]:
    desk = Desk(model, **options)
    try:
        yield desk
    finally:
        desk.close()


class Client:
    """One connection."""

    def __init__(self, desk: Desk, header: str = "") -> None:
        self.socket = socket.create_connection(desk.address, timeout=10)
        self._header = header
        self._rest = b""

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *exception: object) -> None:
        self.socket.close()

    def send(self, array: np.ndarray, **more: Any) -> None:
        self.socket.sendall(request(array, self._header, **more))

    def hear(self) -> tuple[bytes, bytes]:
        """Head and body of the next answer."""
        data, self._rest = self._rest, b""
        while b"\r\n\r\n" not in data:
            piece = self.socket.recv(65536)
            assert piece, data
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        while len(body) < length:
            body += self.socket.recv(65536)
        self._rest = body[length:]
        return head, body[:length]

    def ask(self, array: np.ndarray, **more: Any) -> np.ndarray:
        self.send(array, **more)
        return values(*self.hear())


def request(array: np.ndarray, header: str = "", name: str = "x", **more: Any) -> bytes:
    """A whole request with one binary input."""
    kind = {"float32": "FP32", "int64": "INT64"}[array.dtype.name]
    entry = {"name": name, "datatype": kind, "shape": list(array.shape)}
    entry["parameters"] = {"binary_data_size": array.nbytes}
    outputs = [{"name": "y", "parameters": {"binary_data": True}}]
    text = json.dumps({"inputs": [entry], "outputs": outputs, **more})
    head = (
        "POST /v2/models/m/infer HTTP/1.1\r\nHost: x\r\n"
        f"Inference-Header-Content-Length: {len(text)}\r\n"
        f"Content-Length: {len(text) + array.nbytes}\r\n{header}\r\n"
    )
    return (head + text).encode() + array.tobytes()


def values(head: bytes, body: bytes) -> np.ndarray:
    """The output of an answer."""
    assert head.startswith(b"HTTP/1.1 200 "), (head, body)
    size = int(head.lower().partition(b"inference-header-content-length:")[2].split(b"\r\n")[0])
    (entry,) = json.loads(body[:size])["outputs"]
    dtype = {"FP32": np.float32, "INT64": np.int64}[entry["datatype"]]
    return np.frombuffer(body[size:], dtype).reshape(entry["shape"])
