"""The page of an app in a real browser, with names, texts and events that are markup."""

from __future__ import annotations

import json
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from studio.runtime.serve.apps.page import PAGE, PAGE_HEADERS

pytestmark = pytest.mark.needs("chromium")

MARKUP = (
    '"><img src=/pwned onerror="document.title=1;fetch(\'/pwned\')">'
    "<script>fetch('/pwned')</script><svg onload=fetch('/pwned')>"
    "</td><iframe src=javascript:fetch('/pwned')></iframe>{{7*7}}\u202e"
)
EVENT = {
    **dict.fromkeys(("kind", "source", "step", "label", MARKUP), MARKUP),
    "id": "1", "time": 1.0, "topic": {MARKUP: [MARKUP]}, "__proto__": MARKUP,
}  # fmt: skip
STATUS = {
    **dict.fromkeys(("title", "name", "notice", "fault"), MARKUP),
    "fps": 1, "latency_ms": {"p95": 1}, "events": {MARKUP: 3},
    "sources": {name: {"state": MARKUP, "reason": MARKUP, "fps": 1, "dropped": 0, "lost": 1}
                for name in (MARKUP, "constructor", "__proto__")},
    "streams": {}, "preview": {"allowed": False, "fps": 1},
}  # fmt: skip
DOCUMENTS = {"/edgewright/app": STATUS, "/edgewright/app/events": {"events": [EVENT]}}


class Board(BaseHTTPRequestHandler):
    """A board whose app is hostile; the page and its headers are the real ones."""

    asked: list[str]

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        self.asked.append(path)
        content = PAGE if path == "/app" else json.dumps(DOCUMENTS.get(path, {}))
        self.send_response(200)
        self.send_header(
            "Content-Type", "text/html; charset=utf-8" if path == "/app" else "application/json"
        )
        for line in PAGE_HEADERS.strip().split("\r\n"):
            self.send_header(*line.split(": ", 1))
        self.end_headers()
        self.wfile.write(content.encode())

    def log_message(self, *_: object) -> None:
        """Nothing."""


def test_hostile_texts_stay_texts(tmp_path: Path) -> None:
    Board.asked = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Board) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        done = subprocess.run(
            [
                *("chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--dump-dom"),
                *("--disable-dev-shm-usage", f"--user-data-dir={tmp_path / 'profile'}"),
                *("--virtual-time-budget=4000", f"http://127.0.0.1:{server.server_port}/app"),
            ],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        server.shutdown()
    page = done.stdout
    assert "/pwned" not in Board.asked, "a text was run or loaded"
    assert "<img src=/pwned" not in page
    assert page.count("&lt;img src=/pwned") > 10, "the texts are shown"
    assert "<b>constructor </b>" in page, "names of JavaScript's own are sources as well"
