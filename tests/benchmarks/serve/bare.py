"""The least that a server does: bytes of a known length in, one run for all who wait, bytes out.

It reads no HTTP and checks nothing; it gathers batches as our server does: as long as each look at
the sockets brings somebody. What our server takes longer than this is its own doing; what this
takes longer than a loop without sockets is the price of having clients.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Callable
from typing import Any

import numpy


class BareServer:
    """Answers requests of a fixed size until the last client has left."""

    def __init__(self, run: Callable[[Any], Any], shape: tuple[int, ...], size: int) -> None:
        """Begin to listen.

        Args:
            run: The model: rows in, rows out.
            shape: Of one sample, with its axis of rows; its float32 are the end of each request.
            size: Bytes of a request.
        """
        self._run = run
        self._shape = shape
        self._size = size
        self._input = 4 * int(numpy.prod(shape))
        self._listener = socket.create_server(("127.0.0.1", 0))
        for limit in (262144, 1):  # room for a whole request, as our server makes it
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, limit)
        self.port = int(self._listener.getsockname()[1])
        self._poll = select.epoll()
        self._clients: dict[int, socket.socket] = {}
        self._received: dict[int, bytearray] = {}
        self._waiting: list[int] = []

    def serve(self, clients: int, rows: int) -> None:
        """Answer so many clients, so many of them in one run at most."""
        for _ in range(clients):
            client, _ = self._listener.accept()
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._clients[client.fileno()] = client
            self._received[client.fileno()] = bytearray()
            self._poll.register(client, select.EPOLLIN)
        self._listener.close()
        while self._clients:
            self._look(30)
            while len(self._waiting) < rows and self._look(0):
                continue
            self._answer(rows)
        self._poll.close()

    def _look(self, seconds: float) -> bool:
        """Read what has come; whether that has completed a request."""
        before = len(self._waiting)
        for number, _ in self._poll.poll(seconds):
            data = self._clients[number].recv(262144)
            if not data:
                self._poll.unregister(number)
                self._clients.pop(number).close()
                continue
            received = self._received[number]
            received += data
            if len(received) >= self._size:
                self._waiting.append(number)
        return len(self._waiting) > before

    def _answer(self, rows: int) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:rows], self._waiting[rows:]
            inputs = b"".join(
                memoryview(self._received[number])[-self._input :] for number in batch
            )
            values = numpy.frombuffer(inputs, numpy.float32)
            found = self._run(values.reshape((len(batch), *self._shape[1:])))
            for number, row in zip(batch, found, strict=True):
                self._received[number] = bytearray()
                head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % row.nbytes
                self._clients[number].sendall(head + row.tobytes())
