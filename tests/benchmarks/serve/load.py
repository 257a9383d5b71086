"""The load: clients in a closed loop over plain sockets, in a process of its own.

Reads JSON lines ``{"port", "request", "clients", "seconds"}`` (``request`` is a file with the bytes
of one whole HTTP request) and answers each with the number of answers, how many of them were not
200, and the latency of every one in seconds.
"""

from __future__ import annotations

import json
import os
import re
import select
import socket
import sys
import time
from pathlib import Path
from typing import Any

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked\r\n", re.IGNORECASE)


def complete(answer: bytes) -> bool:
    """Whether an answer has come to its end.

    Raises:
        ValueError: when it does not say where that is.
    """
    end = answer.find(b"\r\n\r\n")
    if end < 0:
        return False
    found = _LENGTH.search(answer, 0, end + 2)
    if found is not None:
        return len(answer) >= end + 4 + int(found.group(1))
    if _CHUNKED.search(answer, 0, end + 2) is None:
        raise ValueError("an answer without a length")
    return answer.endswith(b"\r\n0\r\n\r\n")  # nothing follows: the client sends one at a time


def body(answer: bytes) -> bytes:
    """The body of a complete answer."""
    head, _, rest = answer.partition(b"\r\n\r\n")
    if _LENGTH.search(head + b"\r\n") is not None:
        return rest
    found = b""
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        found += rest[: int(size, 16)]
        rest = rest[int(size, 16) + 2 :]
    return found


class Client:
    """One connection that sends its request again as soon as it has the answer."""

    def __init__(self, port: int, request: bytes) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._request = request
        self._answer = b""
        self.failed = 0
        self._asked = 0.0

    def ask(self) -> None:
        """Send the request."""
        self._answer = b""
        self._asked = time.perf_counter()
        self.socket.sendall(self._request)

    def hear(self) -> float | None:
        """Read; the latency in seconds when the answer is complete."""
        data = self.socket.recv(262144)
        if not data:
            raise ConnectionError("the server has closed the connection")
        self._answer = self._answer + data if self._answer else data
        if not complete(self._answer):
            return None
        seconds = time.perf_counter() - self._asked
        if not self._answer.startswith((b"HTTP/1.1 200", b"HTTP/1.0 200")):
            self.failed += 1
        return seconds


def load(port: int, request: str, clients: int, seconds: float) -> dict[str, Any]:
    """So many clients for so long."""
    content = Path(request).read_bytes()
    made = [Client(port, content) for _ in range(clients)]
    by_number = {client.socket.fileno(): client for client in made}
    poll = select.epoll()
    latencies: list[float] = []
    end = time.perf_counter() + seconds
    for client in made:
        poll.register(client.socket, select.EPOLLIN)
        client.ask()
    busy = len(made)
    while busy:
        for number, _ in poll.poll(30):
            client = by_number[number]
            latency = client.hear()
            if latency is None:
                continue
            latencies.append(latency)
            if time.perf_counter() < end:
                client.ask()
            else:
                busy -= 1
    poll.close()
    for client in made:
        client.socket.close()
    return {
        "answers": len(latencies),
        "failed": sum(client.failed for client in made),
        "times": latencies,
    }


def main() -> None:
    """Obey on the core of the command line."""
    os.sched_setaffinity(0, {int(sys.argv[1])})
    for line in sys.stdin:
        print(json.dumps(load(**json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
