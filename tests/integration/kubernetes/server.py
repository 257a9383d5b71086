"""A real API server over a real etcd: built once, started for the tests, stopped and continued."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

HERE = Path(__file__).parent
SOURCES = sorted((HERE / "apiserver").iterdir())


def built(cache: Path) -> Path:
    """The server's program; minutes where this version of its sources was never built."""
    cache.mkdir(parents=True, exist_ok=True)
    code = hashlib.sha256(b"".join(path.read_bytes() for path in SOURCES)).hexdigest()[:12]
    program = cache / f"kapi-{code}"
    if not program.exists():
        build = ["nice", "-n", "19", HERE / "apiserver" / "build.sh", cache, program]
        subprocess.run([str(part) for part in build], check=True, timeout=1800)
    return program


class ApiServer:
    """etcd and the API server on the loopback; a context manager."""

    def __init__(self, program: Path, folder: Path) -> None:
        self._program = program
        self._folder = folder
        self._etcd: subprocess.Popen[bytes] | None = None
        self._server: subprocess.Popen[bytes] | None = None
        self._ports = [_free_port() for _ in range(3)]
        (folder / "certs").mkdir(parents=True)

    def __enter__(self) -> ApiServer:
        client, peer, _ = self._ports
        urls = [f"http://127.0.0.1:{port}" for port in (client, peer)]
        self._etcd = self._run(
            "etcd", "--data-dir", str(self._folder / "etcd"),
            "--listen-client-urls", urls[0], "--advertise-client-urls", urls[0],
            "--listen-peer-urls", urls[1], "--initial-advertise-peer-urls", urls[1],
            "--initial-cluster", f"default={urls[1]}",
            "--unsafe-no-fsync", "--log-level", "error",
        )  # fmt: skip
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.go_on()
        for process in (self._server, self._etcd):
            if process is not None:
                _end(process)

    @property
    def url(self) -> str:
        """Of the API."""
        return f"https://127.0.0.1:{self._ports[2]}"

    @property
    def certificate(self) -> Path:
        """That it shows, signed by itself."""
        return self._folder / "certs" / "kapi.crt"

    def start(self) -> None:
        """Start the API server, and wait until it is ready."""
        self._server = self._run(
            str(self._program), "-etcd", f"http://127.0.0.1:{self._ports[0]}",
            "-port", str(self._ports[2]), "-cert-dir", str(self._folder / "certs"),
        )  # fmt: skip
        deadline = time.monotonic() + 60
        while not self._ready():
            assert self._server.poll() is None, (self._folder / "log").read_text()[-2000:]
            assert time.monotonic() < deadline, "the API server did not become ready"
            time.sleep(0.1)

    def stop(self) -> None:
        """End the API server; what it kept stays in etcd."""
        assert self._server is not None
        _end(self._server)

    def hang(self) -> None:
        """Let it answer nothing any more."""
        assert self._server is not None
        os.kill(self._server.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it answer again."""
        if self._server is not None and self._server.poll() is None:
            os.kill(self._server.pid, signal.SIGCONT)

    def _run(self, *command: str) -> subprocess.Popen[bytes]:
        with (self._folder / "log").open("ab") as log:
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )

    def _ready(self) -> bool:
        import ssl

        trust = ssl.create_default_context()
        trust.check_hostname = False
        trust.verify_mode = ssl.CERT_NONE
        request = Request(f"{self.url}/readyz", headers={"Authorization": "Bearer admin-token"})
        try:
            with urlopen(request, timeout=2, context=trust) as response:
                return bool(response.read() == b"ok")
        except (URLError, OSError):
            return False


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(10)
    process.kill()
    process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
