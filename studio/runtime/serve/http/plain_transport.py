"""A plain TCP connection as a transport, and the entrance where such connections come in."""

from __future__ import annotations

import asyncio
import errno
import socket
import sys
import traceback
from typing import Any, Callable, Optional, Protocol, Union

from .selector import READ, WRITE, ConnectionSelector

_HIGH, _LOW = 64 * 1024, 16 * 1024
"""Bytes not yet sent from which on, and down to which, the protocol is to write no more."""
_AT_ONCE = 128
"""Clients that are let in before others are heard again."""
_PAUSE_S = 1.0
_SCARCE = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class DataReceiver(Protocol):
    """Protocol of a client socket: a BufferedProtocol with a result of each read."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """As asyncio's."""

    def get_buffer(self, sizehint: int) -> memoryview:
        """As asyncio's."""

    def on_bytes(self, count: int) -> bool:
        """Process bytes like ``buffer_updated``; return whether the event loop has no work left."""

    def eof_received(self) -> bool:
        """As asyncio's."""

    def pause_writing(self) -> None:
        """As asyncio's."""

    def resume_writing(self) -> None:
        """As asyncio's."""

    def connection_lost(self, error: Optional[Exception]) -> None:
        """As asyncio's."""


class ClientSocket(asyncio.Transport):
    """Transport of one client's socket, which replaces asyncio's own for a BufferedProtocol."""

    def __init__(
        self,
        link: socket.socket,
        protocol: DataReceiver,
        selector: ConnectionSelector,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        """Start to read.

        Args:
            link: Non-blocking; it is closed at the end.
        """
        super().__init__()
        self._link = link
        self._number = link.fileno()
        self._protocol = protocol
        self._selector = selector
        self._loop = loop
        self._unsent = bytearray()
        self._mask = 0
        self._closing = False
        self._lost = False
        self._eof = False
        self._full = False
        protocol.connection_made(self)
        if not self._closing:
            self._watch(READ)

    def _watch(self, mask: int) -> None:
        old, self._mask = self._mask, mask
        if not old and mask:
            self._selector.watch(self._number, mask, self._on_event)
        elif old and not mask:
            self._selector.forget(self._number)
        elif old != mask:
            self._selector.change(self._number, mask)

    def _on_event(self, mask: int) -> bool:
        """Handle an event of the socket (see ``selector.Callback``)."""
        try:
            if mask == READ == self._mask:  # nearly always
                return self._receive()
            if mask & ~READ and self._mask & WRITE:
                self._send()
            if mask & ~WRITE and self._mask & READ:
                self._receive()
        except OSError as error:
            self._lose(error)
        except Exception as error:  # a bug of ours ends one connection, not the server
            traceback.print_exc(file=sys.stderr)
            self._lose(error)
        return False

    # Reading

    def _receive(self) -> bool:
        try:
            count = self._link.recv_into(self._protocol.get_buffer(-1))
        except (BlockingIOError, InterruptedError):
            return False
        if count:
            return self._protocol.on_bytes(count) and not self._closing
        if self._protocol.eof_received():
            self.pause_reading()
        else:
            self.close()
        return False

    def pause_reading(self) -> None:
        """Read nothing until ``resume_reading``."""
        self._watch(self._mask & ~READ)

    def resume_reading(self) -> None:
        """Read again."""
        if not self._closing:
            self._watch(self._mask | READ)

    # Writing

    def write(self, data: Union[bytes, bytearray, memoryview]) -> None:
        """Send at once what the socket takes, and the rest when it takes more."""
        if self._lost:
            return
        if not self._unsent:
            try:
                sent = self._link.send(data)
            except (BlockingIOError, InterruptedError):
                sent = 0
            except OSError as error:
                self._lose(error)
                return
            if sent == len(data):
                return
            data = memoryview(data)[sent:]
            self._watch(self._mask | WRITE)
        self._unsent += data
        if len(self._unsent) > _HIGH and not self._full:
            self._full = True
            self._protocol.pause_writing()

    def _send(self) -> None:
        try:
            sent = self._link.send(self._unsent)
        except (BlockingIOError, InterruptedError):
            return
        del self._unsent[:sent]
        if not self._unsent:
            self._watch(self._mask & ~WRITE)
            self._finish()
        if self._full and len(self._unsent) <= _LOW:
            self._full = False
            self._protocol.resume_writing()

    def _finish(self) -> None:
        """All is sent: do what was to be done after that."""
        if self._closing:
            self._lose(None)
        elif self._eof:
            self._link.shutdown(socket.SHUT_WR)

    def get_write_buffer_size(self) -> int:
        """Bytes not yet sent."""
        return len(self._unsent)

    def can_write_eof(self) -> bool:
        """TCP can be closed by halves."""
        return True

    def write_eof(self) -> None:
        """Send nothing more after what was written."""
        if self._closing or self._eof:
            return
        self._eof = True
        if not self._unsent:
            self._link.shutdown(socket.SHUT_WR)

    # The end

    def close(self) -> None:
        """Read no more, send the rest, and end."""
        if self._closing:
            return
        self._closing = True
        self._watch(self._mask & ~READ)
        if not self._unsent:
            self._lose(None)

    def abort(self) -> None:
        """End at once."""
        self._lose(None)

    def is_closing(self) -> bool:
        """Return whether the connection is closing."""
        return self._closing

    def _lose(self, error: Optional[Exception]) -> None:
        if self._lost:
            return
        self._closing = self._lost = True
        self._unsent.clear()
        self._watch(0)
        # Not from within a call of the protocol's own; and no other gets the number before.
        self._loop.call_soon(self._end, error)

    def _end(self, error: Optional[Exception]) -> None:
        try:
            self._protocol.connection_lost(error)
        finally:
            self._link.close()
            del self._protocol  # it holds this, too

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """``peername`` and ``socket``, as for asyncio's own."""
        if name == "socket":
            return self._link
        if name != "peername":
            return default
        try:
            return self._link.getpeername()
        except OSError:  # it has gone already
            return default


class Acceptor:
    """Lets clients in at a listening socket."""

    def __init__(
        self,
        listener: socket.socket,
        protocol: Callable[[], DataReceiver],
        selector: ConnectionSelector,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        """Begin.

        Args:
            listener: Non-blocking; it is closed at the end.
        """
        self._listener = listener
        self._protocol = protocol
        self._selector = selector
        self._loop = loop
        self._open = True
        self._listen()

    async def close(self) -> None:
        """Accept no more connections."""
        if self._open:
            self._open = False
            self._loop.remove_reader(self._listener.fileno())
            self._listener.close()

    def _listen(self) -> None:
        if self._open:
            self._loop.add_reader(self._listener.fileno(), self._accept)

    def _accept(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                link, _ = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in _SCARCE:
                    raise
                # Those who come wait in the system's queue until there is room.
                print("No client can be let in: {}.".format(error.strerror), file=sys.stderr)
                self._loop.remove_reader(self._listener.fileno())
                self._loop.call_later(_PAUSE_S, self._listen)
                return
            link.setblocking(False)
            try:
                link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except OSError:  # it has gone already
                link.close()
                continue
            ClientSocket(link, self._protocol(), self._selector, self._loop)
