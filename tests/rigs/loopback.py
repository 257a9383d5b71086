"""A loopback HTTP server for fakes of clouds, and the real runtime as a cloud would start it."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.rigs.patience import patience

Json = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """One request; the path is percent-encoded, names of headers are Like-This."""

    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON; an empty object where there is none."""
        return json.loads(self.body) if self.body else {}


@dataclass(frozen=True)
class Answer:
    """Status, body (JSON unless bytes), more headers."""

    status: int = 200
    body: Any = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        """The body as it is sent."""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class Loopback:
    """Asks a function for the answer of each request, one at a time.

    Args:
        answer: What the fake says; an exception of it is kept in ``errors`` and answered with 500.
    """

    def __init__(self, answer: Callable[[Asked], Answer]) -> None:
        self.errors: list[BaseException] = []
        self.asked: list[Asked] = []
        lock, outer = threading.Lock(), self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                parts = urlsplit(self.path)
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                headers = {name.title(): text for name, text in self.headers.items()}
                query = dict(parse_qsl(parts.query, keep_blank_values=True))
                asked = Asked(self.command, parts.path, query, headers, body)
                with lock:
                    outer.asked.append(asked)
                    try:
                        found = answer(asked)
                    except BaseException as error:
                        outer.errors.append(error)
                        found = Answer(500, {"error": {"message": repr(error)}})
                content = found.content
                self.send_response(found.status)
                given = {"Content-Type": "application/json", **found.headers}
                for name, text in given.items():
                    self.send_header(name, text)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815

            def log_message(self, *arguments: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class ContractServer:
    """The runtime, started with the variables of a platform and nothing else.

    Args:
        variables: What the platform sets; ``{port}`` is replaced by a free one.
        arguments: After ``serve``.
    """

    def __init__(
        self,
        runtime: Path,
        bundle: Path,
        log: Path,
        variables: Mapping[str, str],
        arguments: tuple[str, ...] = (),
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port = int(listener.getsockname()[1])
        given = {name: text.replace("{port}", str(self.port)) for name, text in variables.items()}
        self.log = log
        self._output = log.open("wb")
        more = [text.replace("{port}", str(self.port)) for text in arguments]
        self._process = subprocess.Popen(
            [sys.executable, str(runtime), "serve", "--threads", "1", "--workers", "1", *more],
            env={**os.environ, "EDGEWRIGHT_BUNDLE": str(bundle), **given},
            stdout=self._output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )

    def wait(self, route: str, seconds: float = 60) -> bool:
        """Whether its probe answers with 200 in time."""
        deadline = time.monotonic() + patience(seconds)
        while time.monotonic() < deadline and self._process.poll() is None:
            with contextlib.suppress(OSError):
                if self.ask("GET", route, b"", {})[0] == 200:
                    return True
            time.sleep(0.05)
        return False

    def ask(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str]
    ) -> tuple[int, bytes, dict[str, str]]:
        """One request: status, body, headers in lower case."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, dict(headers))
            response = connection.getresponse()
            found = {name.lower(): text for name, text in response.getheaders()}
            return response.status, response.read(), found
        finally:
            connection.close()

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(10)
        self._process.kill()
        self._process.wait()
        self._output.close()
