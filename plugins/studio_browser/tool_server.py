"""A server of a few named files at the loopback, for the time of one check.

Used by the tool next to it. It needs the standard library alone.
"""

from __future__ import annotations

import os
import secrets
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

HEADERS = {
    # Both are needed for threads: the page shares memory with its workers.
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'self' blob: 'wasm-unsafe-eval'",
    "Cache-Control": "no-store",
}
_KINDS = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".wasm": "application/wasm",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
_HOST = "127.0.0.1"
_TOKEN_BYTES = 24


@contextmanager
def serving(files: Mapping[str, str]) -> Iterator[str]:
    """Serve files by their paths in the address; yield the address, which ends in a slash.

    Another program that does not know the address gets nothing.
    """
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    server = _Server((_HOST, 0), _Handler)
    server.files = {f"/{token}/{path}": file for path, file in files.items()}
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
    thread.start()
    try:
        yield f"http://{server.address}/{token}/"
    finally:
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    files: Mapping[str, str]

    @property
    def address(self) -> str:
        return f"{_HOST}:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        """Send a file that is known by its exact path, and nothing else."""
        file = self.server.files.get(urlsplit(self.path).path)
        if file is None or self.headers.get("Host") != self.server.address:
            self._head(404, 0, "text/plain")
            return
        with open(file, "rb") as content:
            kind = _KINDS.get(os.path.splitext(file)[1], "application/octet-stream")
            self._head(200, os.fstat(content.fileno()).st_size, kind)
            shutil.copyfileobj(content, self.wfile, 1 << 20)

    def _head(self, status: int, length: int, kind: str) -> None:
        self.send_response(status)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing for each request."""
