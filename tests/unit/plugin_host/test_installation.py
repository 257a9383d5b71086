"""Installations that do not go well: networks that fail, studios that are killed, a cancel."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from studio.api import Cancelled, Silent, StudioError
from studio.plugin_host.environments import EnvironmentCondition
from studio.plugin_host.environments import build as making
from studio.plugin_host.environments.build import EnvironmentBuild
from tests.rigs.patience import patience
from tests.unit.plugin_host.test_environments import commands_with, environment
from tests.unit.plugin_host.test_environments import installer as installer  # one is mark.slow


@contextmanager
def index(wheel: Path, share: float) -> Iterator[str]:
    """A package index on the loopback whose connection ends after a share of the file."""
    content = wheel.read_bytes()
    page = f'<a href="{wheel.name}">{wheel.name}</a>'.encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = content if self.path.endswith(wheel.name) else page
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: int(len(body) * share)] if body is content else body)

        def log_message(self, format: str, *args: object) -> None:
            """Write nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/simple/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def use_index(patch: pytest.MonkeyPatch, url: str) -> None:
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS"):
        patch.delenv(name, raising=False)
    settings = {"PIP_INDEX_URL": url, "UV_DEFAULT_INDEX": url, "UV_INDEX_URL": url}
    for name, value in {**settings, "PIP_RETRIES": "1", "UV_HTTP_RETRIES": "0"}.items():
        patch.setenv(name, value)
    patch.setenv("PIP_CONFIG_FILE", os.devnull)


@pytest.mark.parametrize(
    ("share", "words"), [(None, "cannot be reached"), (0.5, "the connection was cut")]
)
def test_a_network_that_fails(
    tmp_path: Path, installer: None, monkeypatch, share: float | None, words: str
) -> None:
    """One sentence, and nothing is left; the next try over a whole connection succeeds."""
    one = environment(tmp_path)
    (wheel,) = (tmp_path / "wheels").iterdir()
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    with index(wheel, share or 0.0) as url:
        use_index(monkeypatch, url if share else "http://127.0.0.1:9/simple/")
        (tmp_path / "job").mkdir()
        with pytest.raises(StudioError, match=words) as caught:
            EnvironmentBuild(one, tmp_path / "job" / "made", Silent()).run()
        assert "--wheels" in caught.value.hint
        assert one.state().condition is EnvironmentCondition.MISSING
    with index(wheel, 1.0) as url:
        use_index(monkeypatch, url)
        (tmp_path / "next").mkdir()
        EnvironmentBuild(one, tmp_path / "next" / "made", Silent()).run()


@pytest.mark.parametrize("signal_", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_studio_leaves_no_installer(tmp_path: Path, signal_: int) -> None:
    """The installer's own child ends, too, as pip's does."""
    child = f"import time; time.sleep(600); {str(tmp_path)!r}"
    inner = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    build = (
        "import subprocess, sys, time\n"
        f"subprocess.Popen([sys.executable, {str(making._LEASH)!r}, sys.executable, '-c', "
        f"{inner!r}], stdin=subprocess.PIPE)\n"
        "print(flush=True); time.sleep(600)"
    )
    studio = subprocess.Popen([sys.executable, "-c", build], stdout=subprocess.PIPE)
    assert studio.stdout is not None
    studio.stdout.readline()
    wait_until(lambda: any(commands_with(str(tmp_path), "time.sleep(600)")))
    studio.send_signal(signal_)
    studio.wait()
    studio.stdout.close()
    wait_until(lambda: not any(commands_with(str(tmp_path), "time.sleep(600)")))


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + patience(30.0)
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_cancelled_making_leaves_no_process(tmp_path: Path, monkeypatch) -> None:
    one = environment(tmp_path)
    (tmp_path / "job").mkdir()
    slow = [sys.executable, "-c", "import time; time.sleep(600)", str(tmp_path)]
    monkeypatch.setattr(making, "_installer", lambda python: slow)

    def cancel(done: float, total: float, text: str = "") -> None:
        if text == "Fetching and installing":
            raise Cancelled

    progress = SimpleNamespace(progress=cancel)
    with pytest.raises(Cancelled):
        EnvironmentBuild(one, tmp_path / "job" / "made", progress, tmp_path / "wheels").run()
    wait_until(lambda: not any(commands_with(str(tmp_path), "time.sleep")))
