"""A local port whose connections come out at a board's loopback."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType

import paramiko

from studio_ssh.connection_loss import LOST, hang_up

_CHUNK = 1 << 16
_OPEN_S = 10.0


class SshTunnel:
    """Listens on this computer's loopback and carries each connection over SSH."""

    def __init__(self, transport: paramiko.Transport, port: int) -> None:
        self._transport = transport
        self._remote = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.host = "127.0.0.1"
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._thread = threading.Thread(target=self._accept, name="ssh tunnel", daemon=True)
        self._thread.start()

    def __enter__(self) -> SshTunnel:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        for client in list(self._open):
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                client, peer = self._listener.accept()
            except OSError:
                return  # closed
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._open.add(client)
            threading.Thread(target=self._carry, args=(client, peer), daemon=True).start()

    def _carry(self, client: socket.socket, peer: tuple[str, int]) -> None:
        try:
            far = self._transport.open_channel(
                "direct-tcpip", ("127.0.0.1", self._remote), peer, timeout=_OPEN_S
            )
        except LOST:
            self._drop(client)  # the caller sees a closed connection, as without a tunnel
            return
        back = threading.Thread(target=_pump, args=(far, client), daemon=True)
        back.start()
        _pump(client, far)
        back.join()
        hang_up(far)
        self._drop(client)

    def _drop(self, client: socket.socket) -> None:
        self._open.discard(client)
        client.close()


def _pump(source: socket.socket | paramiko.Channel, sink: socket.socket | paramiko.Channel) -> None:
    """Copy one direction until its end, and pass the end on."""
    with contextlib.suppress(*LOST):
        while chunk := source.recv(_CHUNK):
            sink.sendall(chunk)
    with contextlib.suppress(*LOST):
        sink.shutdown(1)
