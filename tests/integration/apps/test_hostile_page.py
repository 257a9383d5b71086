"""The pages of a server in a real browser, with names, texts and events that are markup."""

from __future__ import annotations

import json
import re
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from studio.runtime.serve.apps.page import PAGE, PAGE_HEADERS
from tests.rigs.bundles import make_bundle
from tests.unit.runtime.serve.rig import ServerProcess

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


def dom_of(address: str, profile: Path) -> str:
    """Return the document of a page after its scripts, if any, had time to run."""
    done = subprocess.run(
        [
            *("chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--dump-dom"),
            *("--disable-dev-shm-usage", f"--user-data-dir={profile}"),
            *("--virtual-time-budget=4000", address),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.stdout


@pytest.fixture
def board() -> Iterator[str]:
    """The address of a server that notes what is asked for."""
    Board.asked = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Board) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_hostile_texts_stay_texts(board: str, tmp_path: Path) -> None:
    page = dom_of(f"{board}/app", tmp_path / "profile")
    assert "/pwned" not in Board.asked, "a text was run or loaded"
    assert "<img src=/pwned" not in page
    assert page.count("&lt;img src=/pwned") > 10, "the texts are shown"
    assert "<b>constructor </b>" in page, "names of JavaScript's own are sources as well"


@pytest.mark.parametrize("long", [0, 1_000_000], ids=["markup", "a megabyte"])
def test_a_hostile_notice_of_a_server_runs_and_loads_nothing(
    board: str, tmp_path: Path, long: int
) -> None:
    text = MARKUP.replace("/pwned", f"{board}/pwned") + "x" * long
    link = f"</p><a href=\"javascript:fetch('{board}/pwned')\">go</a><base href={board}>" + text
    names = ("purpose", "misuse", "limits", "provider", "feedback", "oversight", "appeal")
    worst = {
        **dict.fromkeys(("title", "column", "group"), text),
        **{"samples": 1, "value": 0.5, "overall": 0.9, "low": None, "high": None},
    }
    notice = {**dict.fromkeys(names, link), "known_limits": [link] * 3, "worst": worst}
    served = make_bundle(tmp_path / "bundle", notice=notice)
    with ServerProcess(f"--bundle={served.folder}", log=tmp_path / "log") as server:
        connection = server.connect()
        connection.request("GET", "/about", headers={"Accept": "text/html"})
        answer = connection.getresponse()
        answer.read()
        policy = answer.getheader("Content-Security-Policy", "")
        page = dom_of(f"http://127.0.0.1:{connection.port}/about", tmp_path / "profile")
        connection.close()
    assert policy.startswith("default-src 'none'")
    assert "script-src" not in policy
    assert Board.asked == [], "a text was run or loaded"
    for element in ("<img", "<script", "<svg", "<iframe", "<a ", "<base"):
        assert element not in page
    assert re.search("<title>About (.*?)</title>", page), "the title is that of the page"
    if not long:
        assert page.count("&lt;img src=") >= len(names), "the texts are shown"
