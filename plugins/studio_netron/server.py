"""Netron's page for the system's browser: a server on the loopback, for one model and a while."""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from studio_netron.content import POLICY, Content

# This computer only: the page shows the user's model.
HOST = "127.0.0.1"
IDLE_S = 600.0
"""Seconds after the last request until it stops; an open page is complete by then."""

_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}


class NetronServer:
    """Server of the page below an unguessable path, for requests with the right host.

    Attributes:
        url: Where the page is.
    """

    def __init__(self, model: Path, idle_s: float = IDLE_S) -> None:
        self.content = Content(model)
        self._token = secrets.token_urlsafe(24)
        self._idle = idle_s
        self._last = time.monotonic()
        self._server = _Server((HOST, 0), _Handler)
        self._server.page = self
        self._closing = threading.Event()
        self.address = f"{HOST}:{self._server.server_address[1]}"
        self.url = f"http://{self.address}/{self._token}/"
        threading.Thread(target=self._server.serve_forever, args=(0.2,), daemon=True).start()
        threading.Thread(target=self._watch, daemon=True).start()

    @property
    def running(self) -> bool:
        """Whether the server still answers."""
        return not self._closing.is_set()

    def close(self) -> None:
        """Stop answering; the socket closes shortly after, without blocking the caller."""
        self._closing.set()

    def path_of(self, target: str, host: str) -> str | None:
        """Return the requested path within the page, or None if it must not be answered.

        Args:
            target: The request's target, ``/TOKEN/view.js?version=...``.
            host: Its Host header.
        """
        given, _, path = target.partition("?")[0].removeprefix("/").partition("/")
        known = hmac.compare_digest(given.encode(), self._token.encode())
        if not known or host != self.address or self._closing.is_set():
            return None
        self._last = time.monotonic()
        return path

    def _watch(self) -> None:
        while not self._closing.wait(min(self._idle / 4, 5.0)):
            if time.monotonic() - self._last > self._idle:
                self.close()
        self._server.shutdown()
        self._server.server_close()
        self.content.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    page: NetronServer

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: the browser went, or the page was closed."""


class _Handler(BaseHTTPRequestHandler):
    """Answers GET and HEAD; everything else is 404 or 501."""

    server: _Server
    protocol_version = "HTTP/1.1"
    server_version = "Edgewright"
    sys_version = ""
    timeout = 30

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the path holds the token."""

    def _answer(self, with_body: bool) -> None:
        page = self.server.page
        path = page.path_of(self.path, self.headers.get("Host", ""))
        answer = page.content.answer(path) if path is not None else None
        self.send_response(404 if answer is None else 200)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", answer.content_type if answer else "text/plain")
        self.send_header("Content-Length", str(answer.size if answer else 0))
        self.end_headers()
        if answer is None or not with_body:
            return
        for piece in (answer.body,) if answer.body is not None else page.content.model():
            self.wfile.write(piece)
