"""A receiver of OpenTelemetry's protocol over HTTP that keeps what it gets."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple


class Export(NamedTuple):
    """One request that came."""

    path: str
    headers: dict[str, str]
    body: bytes


class Collector:
    """A receiver on a free port of this machine.

    Attributes:
        exports: Requests, in their order.
        status: With which requests are answered.
    """

    def __init__(self) -> None:
        self.exports: list[Export] = []
        self.status = 200
        collector = self

        class Handler(BaseHTTPRequestHandler):
            """Keeps a request."""

            def do_POST(self) -> None:
                """Take the body."""
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector.exports.append(Export(self.path, dict(self.headers), body))
                self.send_response(collector.status)
                if collector.status == 302:
                    self.send_header("Location", "http://127.0.0.1:1/elsewhere")
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *values: object) -> None:
                """Log nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Collector:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
