"""Everything at once that strangers can do to a server's memory and time, and clients beside it."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import random
import socket
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
from tritonclient.grpc import service_pb2, service_pb2_grpc

MB = 1 << 20
INFER = "/v2/models/bright/infer"
IMAGE = "/edgewright/models/bright/image"
_PAUSE_S = 0.05


def strip(width: int, height: int) -> bytes:
    """A PNG of one grey, a few bytes for millions of pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    row, packer = bytes(1 + width), zlib.compressobj(9)
    packed = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", packed), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


class Assault:
    """Attackers in threads of their own, until it is over.

    Attributes:
        attempts: How often each attack was begun.
    """

    def __init__(self, host: str, port: int, rpc: str = "", size: int = 63 * MB) -> None:
        """Prepare.

        Args:
            rpc: Where gRPC is spoken; empty for nowhere.
            size: Of the bodies that are announced.
        """
        self._address = (host, port)
        self._rpc = rpc
        self._size = size
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []
        self.attempts: Counter[str] = Counter()

    def begin(self, bodies: int, idle: int, calls: int) -> None:
        """Attack.

        Args:
            bodies: Unfinished bodies at a time, of each kind.
            idle: Connections in which nothing is asked.
            calls: Messages of gRPC at a time.
        """
        attacks: list[Callable[[], None]] = [self._idle(idle), self._control, self._picture]
        attacks += [self._unfinished] * bodies + [self._tiny_chunks(1), self._tiny_chunks(16)]
        attacks += [self._call] * (calls if self._rpc else 0)
        for attack in attacks:
            thread = threading.Thread(target=self._again, args=(attack,), daemon=True)
            thread.start()
            self._threads.append(thread)

    def end(self) -> None:
        """Let the attackers go."""
        self._over.set()
        for thread in self._threads:
            thread.join(30)

    def _again(self, attack: Callable[[], None]) -> None:
        while not self._over.is_set():
            with contextlib.suppress(OSError, http.client.HTTPException, grpc.RpcError):
                attack()
            self._over.wait(_PAUSE_S)

    def _connect(self) -> socket.socket:
        return socket.create_connection(self._address, timeout=5)

    def _hold(self, client: socket.socket) -> None:
        """Send nothing more, until the server has enough of it."""
        client.settimeout(0.5)
        while not self._over.is_set():
            with contextlib.suppress(TimeoutError):
                if not client.recv(65536):
                    return

    def _unfinished(self) -> None:
        self.attempts["unfinished body"] += 1
        head = f"POST {INFER} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {self._size}\r\n\r\n"
        with self._connect() as client:
            client.sendall(head.encode())
            left = self._size - 1000
            while left > 0 and not self._over.is_set():
                left -= client.send(bytes(min(left, MB)))
            self._hold(client)

    def _tiny_chunks(self, size: int) -> Callable[[], None]:
        def attack() -> None:
            self.attempts[f"chunks of {size}"] += 1
            head = f"POST {INFER} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
            piece = (b"%x\r\n%b\r\n" % (size, b"x" * size)) * 4096
            with self._connect() as client:
                client.sendall(head.encode())
                sent = 0
                while sent < self._size - len(piece) and not self._over.is_set():
                    client.sendall(piece)
                    sent += 4096 * size
                self._hold(client)

        return attack

    def _control(self) -> None:
        self.attempts["large control request"] += 1
        body = b"[" + b"{}," * (self._size // 3 - 1) + b"{}]"
        connection = http.client.HTTPConnection(*self._address, timeout=10)
        with contextlib.closing(connection):
            connection.request("POST", "/v2/repository/index", body)
            connection.getresponse().read()

    def _picture(self) -> None:
        self.attempts["strip of 25,000,000 pixels"] += 1
        connection = http.client.HTTPConnection(*self._address, timeout=60)
        with contextlib.closing(connection):
            connection.request("POST", IMAGE, strip(25_000_000, 1))
            connection.getresponse().read()

    def _idle(self, count: int) -> Callable[[], None]:
        clients: list[socket.socket] = []

        def attack() -> None:
            self.attempts["idle connections"] += count
            for _ in range(count):
                if self._over.is_set():
                    break
                with contextlib.suppress(OSError):
                    clients.append(self._connect())
            self._over.wait(2.0)
            while clients:
                clients.pop().close()

        return attack

    def _call(self) -> None:
        self.attempts["large message"] += 1
        request = service_pb2.ModelInferRequest(model_name="none")
        request.raw_input_contents.append(bytes(self._size - MB))
        options = [("grpc.use_local_subchannel_pool", 1)]
        with grpc.insecure_channel(self._rpc, options=options) as channel:
            service_pb2_grpc.GRPCInferenceServiceStub(channel).ModelInfer(request, timeout=20)


class AssaultProcess:
    """An assault in a process of its own, so that it takes no turns of the clients beside it.

    Attributes:
        attempts: How often each attack was begun; known at the end.
    """

    def __init__(self, server: Any, bodies: int, idle: int, calls: int) -> None:
        """Begin."""
        numbers = (server.host, server.port, server.ready.get("grpc", ""), bodies, idle, calls)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.rigs.assault", *map(str, numbers)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            cwd=Path(__file__).parents[2],
        )  # fmt: skip
        self.attempts: dict[str, int] = {}

    def end(self) -> None:
        """Let the attackers go."""
        said, _ = self._process.communicate("\n", timeout=120)
        self.attempts = json.loads(said)


class Clients:
    """Honest clients, each answer of whom is checked.

    Attributes:
        failures: What went wrong, in words.
        probe_s: Seconds of each probe, on a connection of its own.
    """

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._over = threading.Event()
        self._asked: Counter[str] = Counter()
        self.failures: list[str] = []
        self.probe_s: list[float] = []
        jobs = (self._probes, self._small, self._large)
        self._threads = [threading.Thread(target=job, daemon=True) for job in jobs]

    @property
    def answers(self) -> int:
        """How many were good."""
        return sum(self._asked.values())

    def has_asked(self, rounds: int) -> bool:
        """Whether each kind of client was answered so often, or one was not answered well."""
        kinds = [self._asked[kind] for kind in ("probe", "small", "large")]
        return bool(self.failures) or min(kinds) >= rounds

    def begin(self) -> None:
        """Ask."""
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Ask no more."""
        self._over.set()
        for thread in self._threads:
            thread.join(120)

    def _probes(self) -> None:
        while not self._over.is_set():
            start = time.monotonic()
            self._ask("probe", "GET", "/v2/health/live", None, {}, b'"live":true')
            self.probe_s.append(time.monotonic() - start)
            self._over.wait(0.02)

    def _small(self) -> None:
        for number in self._numbers():
            value = number % 7 / 8
            tensor = {"name": "image", "datatype": "FP32", "shape": [1, 1, 4, 4]}
            body = json.dumps({"inputs": [{**tensor, "data": [value] * 16}]}).encode()
            self._ask("small", "POST", INFER, body, {}, b"%g" % value)

    def _large(self) -> None:
        """Uploads of some megabytes, in pieces with pauses, as of a slow link."""
        for number in self._numbers():
            rows = 20_000 * random.Random(number).randint(1, 8)
            values = np.full((rows, 1, 4, 4), 0.5, np.float32).tobytes()
            size = {"parameters": {"binary_data_size": len(values)}}
            tensor = {"name": "image", "datatype": "FP32", "shape": [rows, 1, 4, 4], **size}
            outputs = [{"name": "scores", "parameters": {"binary_data": True}}]
            head = json.dumps({"inputs": [tensor], "outputs": outputs}).encode()
            headers = {"Inference-Header-Content-Length": str(len(head))}
            headers["Content-Length"] = str(len(head) + len(values))
            sent = _slowly(head + values)
            self._ask("large", "POST", INFER, sent, headers, b"binary_data_size")

    def _numbers(self) -> Iterator[int]:
        for number in itertools.count():
            if self._over.is_set():
                return
            yield number
            self._over.wait(0.02)

    def _ask(
        self,
        kind: str,
        method: str,
        path: str,
        body: bytes | Iterator[bytes] | None,
        headers: dict[str, str],
        wanted: bytes,
    ) -> None:
        connection = http.client.HTTPConnection(*self._address, timeout=60)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            content = response.read()
            if response.status == 200 and wanted in content:
                self._asked[kind] += 1
            else:
                self.failures.append(f"{path}: {response.status} {content[:100]!r}")
        except (OSError, http.client.HTTPException) as error:
            self.failures.append(f"{path}: {error!r}")
        finally:
            connection.close()


def _slowly(data: bytes) -> Iterator[bytes]:
    for begin in range(0, len(data), MB):
        yield data[begin : begin + MB]
        time.sleep(0.01)


class Memory:
    """The most that a process has held since it was at rest, in megabytes."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self.rest = self._read("VmRSS")
        Path(f"/proc/{pid}/clear_refs").write_text("5")  # the peak begins anew

    @property
    def above_rest(self) -> float:
        """How much that is above rest."""
        return self._read("VmHWM") - self.rest

    def _read(self, key: str) -> float:
        lines = Path(f"/proc/{self._pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(key)) / 1024


def main() -> int:
    """Attack until a line comes; say how often what was tried."""
    host, port, rpc, *numbers = sys.argv[1:]
    assault = Assault(host, int(port), rpc)
    assault.begin(*map(int, numbers))
    sys.stdin.readline()
    assault.end()
    print(json.dumps(assault.attempts))
    return 0


if __name__ == "__main__":
    sys.exit(main())
