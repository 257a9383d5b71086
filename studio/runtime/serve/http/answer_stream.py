"""An answer without an end: parts for a client, left out for one that reads too slowly."""

from __future__ import annotations

import contextlib
import math
import socket

from .message import Response, head_of_stream
from .timed_connection import TimedConnection, Waiting

_KERNEL_BYTES = 256 * 1024
"""For the parts that a client has not read: more would be pictures of the past."""

_MOST_UNREAD = 1 << 20
"""Bytes that are kept for a client which reads slowly."""


class AnswerStream:
    """An answer that ends when the client leaves or the server ends it."""

    def __init__(self, connection: TimedConnection, response: Response, date: bytes) -> None:
        """Send the head of the answer.

        Args:
            response: Its status, type and headers; the body is left out.
        """
        self._connection = connection
        self._transport = connection.transport
        self._is_open = True
        link = self._transport.get_extra_info("socket")
        with contextlib.suppress(OSError, AttributeError):
            link.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _KERNEL_BYTES)
        connection.deadline = math.inf
        self._transport.write(head_of_stream(response, date))

    @property
    def is_open(self) -> bool:
        """Whether the client is still there."""
        return self._is_open and not self._transport.is_closing()

    def send(self, part: bytes) -> bool:
        """Send a part; False when it is left out, as the client has not read the one before.

        A client that reads nothing for the time of the timeout ``write`` is cut off.
        """
        if not self.is_open:
            return False
        connection = self._connection
        if self._transport.get_write_buffer_size():
            connection.limit(connection.seconds(Waiting.READER))
            return False
        connection.deadline = math.inf
        self._transport.write(part)
        return True

    def write(self, part: bytes) -> bool:
        """Send a part that must not be left out; False when the client has left.

        A client that reads nothing for the time of the timeout ``write``, or leaves too much
        unread, is cut off.
        """
        if not self.is_open:
            return False
        connection = self._connection
        unread = self._transport.get_write_buffer_size()
        if unread > _MOST_UNREAD:
            self.cut()
            return False
        if unread:
            connection.limit(connection.seconds(Waiting.READER))
        else:
            connection.deadline = math.inf
        self._transport.write(part)
        return True

    def end(self) -> None:
        """End the answer and the connection."""
        if self.is_open:
            self._is_open = False
            self._connection.dismiss()

    def cut(self) -> None:
        """Close at once: the client reads nothing, or has left."""
        self._is_open = False
        self._transport.abort()
