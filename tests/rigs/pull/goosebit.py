"""goosebit itself (0.2.12, over SQLite), in an environment of its own, on the loopback."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

HERE = Path(__file__).parent
INSTALL_S = 900.0
START_S = 120.0
USER, PASSWORD = "ann@example.org", "only for these tests"


class NotInstalled(Exception):
    """goosebit cannot be installed, in one sentence."""


def install(cache: Path) -> Path:
    """The environment's interpreter; the environment is made when it is not there."""
    environment = cache / "goosebit-0.2.12"
    python = environment / "bin" / "python"
    if (environment / "installed").exists():
        return python
    lock = str(HERE / "goosebit.txt")
    pip = [str(python), "-m", "pip", "install", "--quiet", "--no-deps"]
    for command in (
        [sys.executable, "-m", "venv", "--clear", str(environment)],
        [*pip, "--only-binary=:all:", "-r", lock],
    ):
        try:
            subprocess.run(command, check=True, timeout=INSTALL_S, capture_output=True, text=True)
        except (subprocess.SubprocessError, OSError) as error:
            said = str(getattr(error, "stderr", "") or error).strip()[-300:]
            raise NotInstalled(f"goosebit cannot be installed: {said}") from error
    (environment / "installed").touch()
    return python


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Goosebit:
    """A running server.

    Attributes:
        url: Its address.
    """

    def __init__(
        self,
        python: Path,
        folder: Path,
        poll: str = "00:00:05",
        host: str = "127.0.0.1",
        **settings: str,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._python = python
        self.port = free_port()
        self.host = host
        self.url = f"http://{host}:{self.port}"
        self._token = ""
        self._settings = {
            "GOOSEBIT_DB_URI": f"sqlite://{folder}/db.sqlite3",
            "GOOSEBIT_ARTIFACTS_DIR": str(folder / "artifacts"),
            "GOOSEBIT_POLL_TIME": poll,
            "GOOSEBIT_TENANT": "DEFAULT",
            **settings,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Goosebit:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        program, python = str(HERE / "serve_goosebit.py"), str(self._python)
        words = [python, "-P", program, self.host, str(self.port), USER, PASSWORD]
        environment = {**os.environ, **self._settings, "PYTHONDONTWRITEBYTECODE": ""}
        environment.pop("PYTHONPATH", None)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                words, cwd=self._folder, env=environment, stdout=log, stderr=log
            )
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            assert self._process.poll() is None, self.log.read_text()[-3000:]
            try:
                self._login()
                return
            except (urllib.error.URLError, OSError):
                time.sleep(0.3)
        raise AssertionError(self.log.read_text()[-3000:])

    def stop(self) -> None:
        """End it; a later start has the same database."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(30)
            self._process = None

    @property
    def log(self) -> Path:
        """What it has written."""
        return self._folder / "log"

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Send a request to its API."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())

    def devices(self) -> Mapping[str, Any]:
        """The boards by their names."""
        rows = self.call("GET", "/api/v1/devices")["devices"]
        return {row["id"]: row for row in rows}

    def device_log(self, name: str) -> str:
        """The last feedback of a board."""
        return str(self.call("GET", f"/api/v1/devices/{name}/log")["log"] or "")

    def _login(self) -> None:
        form = urlencode({"username": USER, "password": PASSWORD}).encode()
        with urllib.request.urlopen(self.url + "/login", form, timeout=10) as answer:
            self._token = json.loads(answer.read())["access_token"]
