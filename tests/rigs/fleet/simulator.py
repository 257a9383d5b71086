"""Simulated boards: the studio's real release machine on real folders, without models and servers.

``python -m tests.rigs.fleet.simulator FOLDER COUNT [FAILING.json]`` is one process for all boards.
It prints ``ready``, and serves until its input ends. A conversation gets a forked child, as with
sshd. What is simulated: the shell's answers about the hardware, the process of a probe, and the
served model (one small HTTP server for each board, all in one event loop), which reads on the disk
what ``current`` points to. What is real: every verb of the release machine, its state, lock, log
and files.

``FAILING.json`` says how boards fail: ``silent``, ``probe``, ``serving`` or ``slow``.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studio.runtime.release import command
from studio.runtime.release.server import probe
from studio.runtime.release.server import server_control as server
from studio.runtime.release.store.layout import Layout
from studio.targets import facts, inventory

HEALTHY, SLOW_S = 0.0005, 1.0
_SELF = os.getpid()
_HEAD = b"HTTP/1.1 %d OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"

FACTS = """\
root={root}
arch=aarch64
kernel=Linux 6.6.51+rpt-rpi-2712
clock={clock}
os=Debian GNU/Linux 12 (bookworm)
board=Raspberry Pi 5 Model B Rev 1.0
memory_kb=8245248
cpus=4
libc=glibc 2.36
disk=/dev/mmcblk0p2 30000000 8000000 22000000 27% /
zone=cpu-thermal 52100
python=3.11.2
python_path=/usr/bin/python3
runtime=numpy 2.0.0
runtime=onnxruntime 1.32.0
runtime=pillow 11.0.0
"""


class Fleet:
    """The boards' folders, ports and failures."""

    def __init__(self, folder: Path, count: int, failing: Mapping[str, str]) -> None:
        self.folder = folder
        self.names = [f"b{number:03}" for number in range(count)]
        self.failing = failing
        self.ports: dict[str, int] = {}

    def root(self, name: str) -> Path:
        """The folder of releases of a board."""
        return self.folder / name

    def current(self, name: str) -> str:
        """The digest of what it serves."""
        with contextlib.suppress(OSError):
            return os.readlink(self.root(name) / "current").rpartition("/")[2]
        return ""


class Resident:
    """In the place of a server's process: it is there when its report is."""

    name = "process"

    def __init__(self, fleet: Fleet, layout: Layout) -> None:
        self._fleet = fleet
        self._layout = layout

    @property
    def pid(self) -> int:
        return _SELF

    def start(self, command: Any, environment: Any) -> dict[str, Any]:
        self.report()
        return {"pid": self.pid}

    def report(self) -> None:
        """Write what a server writes when it has read ``current``."""
        name = self._layout.root.name
        said = {
            "state": "ready",
            "digest": self._fleet.current(name),
            "host": "127.0.0.1",
            "port": self._fleet.ports[name],
            "scheme": "http",
            "pid": self.pid,
        }
        aside = self._layout.server.with_name("server.aside")
        aside.parent.mkdir(parents=True, exist_ok=True)
        aside.write_text(json.dumps(said))
        aside.rename(self._layout.server)

    def settle(self, command: Any) -> None:
        """Nothing to keep."""

    def runs(self) -> bool:
        return self._layout.server.exists()

    def stop(self, seconds: float) -> bool:
        ran = self.runs()
        self._layout.server.unlink(missing_ok=True)
        return ran

    def tail(self) -> str:
        return ""

    def facts(self) -> dict[str, Any]:
        return {}


def furnish(fleet: Fleet) -> None:
    """Put the simulated parts in the place of processes."""

    def manager(layout: Layout, service: Any = None) -> Resident:
        return Resident(fleet, layout)

    def tried(board: Any, digest: str, seconds: float, providers: str) -> dict[str, Any]:
        fails = fleet.failing.get(board.layout.root.name) == "probe"
        return {
            "samples": 2,
            "mismatches": 2 if fails else 0,
            "max_error": 1.0 if fails else 0.0,
            "atol": 1e-3,
            "first_ms": 1.0,
            "latency_ms": 1.0,
            "backend": "onnxruntime",
            "version": "1.32.0",
        }

    server.manager_here = manager  # type: ignore[assignment]
    server.manager_of = manager  # type: ignore[assignment]
    server.Server.reload = lambda self: self._manager.report()  # type: ignore[method-assign]
    probe._try = tried


def converse(fleet: Fleet, link: socket.socket) -> None:
    """Answer one channel until it is hung up; a verb of the release machine takes all of it."""
    with link:
        while line := _line(link):
            asked = json.loads(line)
            if fleet.failing.get(asked["board"]) == "silent":
                return
            if asked["op"] == "release":
                release(link, asked["argv"])
                return
            answer = {} if asked["op"] == "hello" else run(fleet, asked["board"], asked)
            link.sendall(json.dumps(answer).encode() + b"\n")


def _line(link: socket.socket) -> bytes:
    """Up to the newline and no further: what follows may be a command's input."""
    found = bytearray()
    while (byte := link.recv(1)) not in (b"", b"\n"):
        found += byte
    return bytes(found)


def release(link: socket.socket, argv: list[str]) -> None:
    """A verb of the real release machine, in this process; the channel is its input and output."""
    status = 2
    for stream in (0, 1):
        os.dup2(link.fileno(), stream)
    if os.path.isfile(argv[1]):
        sys.argv[0] = argv[1]
        status = command.main(argv[3:])
    os.write(1, b"\0%d\n" % status)


def run(fleet: Fleet, name: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Do what a command would do on the board."""
    argv = asked["argv"]
    root = str(fleet.root(name))
    if argv[:3] == ["sh", "-c", facts.SCRIPT]:
        return _said(FACTS.format(root=root, clock=int(time.time())).encode())
    if argv[:3] == ["sh", "-c", inventory.SCRIPT]:
        return _said(_inventory(Path(root)))
    if argv[:2] == ["sh", "-c"] and "run/server.json" in argv[2]:
        report = Path(root, "run/server.json")
        current = b"current\n" if Path(root, "current").is_symlink() else b""
        said = report.read_bytes() if report.exists() else b"{}"
        return _said(said + b"\n" + current + (b"process alive\n" if report.exists() else b""))
    if argv[:2] == ["mkdir", "-p"]:
        os.makedirs(argv[2], exist_ok=True)
        return _said(b"")
    return {"status": 127, "out": "", "err": base64.b64encode(repr(argv).encode()).decode()}


def _inventory(root: Path) -> bytes:
    """What the script of inventories prints, without a shell."""
    lines = []
    for folder in ("blobs", "runtime", "env", "releases"):
        if (root / folder).is_dir():
            lines += [f"{folder}/{name}" for name in sorted(os.listdir(root / folder))]
    service, state = root / "run/service.json", root / "state.json"
    lines.append("service=" + (service.read_text() if service.exists() else ""))
    lines += ["state", state.read_text() if state.exists() else ""]
    return "\n".join(lines).encode()


def _said(out: bytes, status: int = 0) -> dict[str, Any]:
    return {"status": status, "out": base64.b64encode(out).decode(), "err": ""}


class Model:
    """The HTTP side of one board: what is asked of a served model, answered by arithmetic."""

    def __init__(self, fleet: Fleet, name: str) -> None:
        self._fleet = fleet
        self._name = name
        self._first = fleet.current(name)

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                words = head.split(b"\r\n")
                sizes = [w for w in words if w.lower().startswith(b"content-length")]
                size = int(sizes[0].split(b":")[1]) if sizes else 0
                await reader.readexactly(size)
                status, body = await self._answer(words[0].split()[1].decode())
                writer.write(_HEAD % (status, len(body)) + body)
                await writer.drain()
        writer.close()

    async def _answer(self, path: str) -> tuple[int, bytes]:
        digest = self._fleet.current(self._name)
        # A board is born healthy: it fails with the second release that it gets.
        self._first = self._first or digest
        failing = self._fleet.failing.get(self._name) if digest != self._first else None
        if path.endswith("/infer"):
            await asyncio.sleep(SLOW_S if failing == "slow" else HEALTHY)
            if failing == "serving":
                return 500, b'{"error": "simulated"}'
            values = [int(digest[place : place + 2], 16) / 255 for place in range(0, 20, 2)]
            output = {"name": "y", "datatype": "FP32", "shape": [1, 10], "data": values}
            return 200, json.dumps({"model_name": "cnn", "outputs": [output]}).encode()
        if path == "/edgewright/status":
            return 200, json.dumps({"digest": digest, "requests": 0, "errors": 0}).encode()
        if path == "/v2/repository/index":
            return 200, b'[{"name": "cnn"}]'
        return 200, b'{"name": "cnn", "versions": ["1"], "inputs": []}'


async def serve(fleet: Fleet, ready: int) -> None:
    """The models of all boards; their ports go to the other process."""
    servers = [await asyncio.start_server(Model(fleet, name), "127.0.0.1") for name in fleet.names]
    ports = {n: s.sockets[0].getsockname()[1] for n, s in zip(fleet.names, servers, strict=True)}
    os.write(ready, json.dumps(ports).encode() + b"\n")
    os.close(ready)
    await asyncio.Event().wait()


def main(folder: Path, count: int, failing: Mapping[str, str]) -> None:
    """Be all boards until the input ends."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
    fleet = Fleet(folder, count, failing)
    reading, writing = os.pipe()
    models = os.fork()
    if not models:
        os.close(reading)
        asyncio.run(serve(fleet, writing))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as lines:
        fleet.ports = json.loads(lines.readline())
    furnish(fleet)
    for name in fleet.names:  # what was served before a restart is served again, at other ports
        layout = Layout(fleet.root(name))
        if layout.server.exists():
            Resident(fleet, layout).report()
    door = socket.socket(socket.AF_UNIX)
    door.bind(str(folder / "socket"))
    door.listen(256)
    gate = os.fork()
    if not gate:
        _accept(fleet, door)
    print("ready", flush=True)
    sys.stdin.read()
    for child in (gate, models):
        os.kill(child, 9)
        os.waitpid(child, 0)


def _accept(fleet: Fleet, door: socket.socket) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        link, _ = door.accept()
        if os.fork() == 0:
            door.close()
            try:
                converse(fleet, link)
            finally:
                os._exit(0)
        link.close()


if __name__ == "__main__":
    main(
        Path(sys.argv[1]),
        int(sys.argv[2]),
        json.loads(Path(sys.argv[3]).read_text()) if len(sys.argv) > 3 else {},
    )
