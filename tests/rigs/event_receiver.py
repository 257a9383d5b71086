"""A receiver of webhooks on the loopback, which records requests and answers as it is told."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Received:
    """A request; names of headers in small letters."""

    method: str
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> dict[str, object]:
        """The request as JSON."""
        return {"headers": self.headers, "body": base64.b64encode(self.body).decode()}


@dataclass
class EventReceiver:
    """What came, and what is answered.

    Attributes:
        allowed: Value of ``WebHook-Allowed-Origin``; empty for a receiver without a handshake.
        statuses: Of the next POST requests; then 204.
        more: Headers of every answer.
    """

    url: str = ""
    allowed: str = "*"
    statuses: list[int] = field(default_factory=list)
    more: dict[str, str] = field(default_factory=dict)
    requests: list[Received] = field(default_factory=list)

    @property
    def posts(self) -> list[Received]:
        """The requests that brought events."""
        return [one for one in self.requests if one.method == "POST"]

    def take(self, request: Received) -> tuple[int, dict[str, str]]:
        """Record a request and return status and headers of the answer."""
        self.requests.append(request)
        if request.method == "OPTIONS":
            found = {"WebHook-Allowed-Origin": self.allowed} if self.allowed else {}
            return 200, {**found, **self.more}
        return (self.statuses.pop(0) if self.statuses else 204), self.more


@contextmanager
def event_receiver() -> Iterator[EventReceiver]:
    """A running receiver."""
    state = EventReceiver()

    class Handler(BaseHTTPRequestHandler):
        """Answers for the state."""

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, more = state.take(Received(self.command, headers, body))
            self.send_response(status)
            for name, value in more.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_POST(self) -> None:
            """Take an event."""
            self._answer()

        def do_OPTIONS(self) -> None:
            """Answer the handshake."""
            self._answer()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_port}/hook/secret-path"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
