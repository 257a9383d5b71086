"""Timeouts of a connection, and its end while it is idle."""

from __future__ import annotations

import asyncio
import enum
import math
import select
from typing import Callable, NamedTuple, Protocol, cast


class Waiting(enum.Enum):
    """State of a connection, with the timeout that ends it (none while it waits for an answer)."""

    REQUEST = "idle"
    HEAD = "head"
    ROOM = "room"
    BODY = "body"
    ANSWER = "answer"
    READER = "write"
    END = "linger"


class Timeouts(NamedTuple):
    """Seconds that a client may take.

    Attributes:
        idle: Between two requests.
        head: For a request's head, however it trickles in.
        room: For a large body, until there is room for it.
        body: For the body, on top of the time that ``body_rate`` grants.
        body_rate: Bytes a second below which a body is too slow.
        write: Without reading anything of an answer.
        linger: To close, after the last answer.
        answer: For us: until the answer to a request is there.
        half_closed: The same, for a client that sends no more and may have left.
        spare: For a client beyond the number of clients, until it has asked.
    """

    idle: float = 75.0
    head: float = 10.0
    room: float = 30.0
    body: float = 30.0
    body_rate: float = 16 * 1024.0
    write: float = 30.0
    linger: float = 3.0
    answer: float = math.inf
    half_closed: float = 5.0
    spare: float = 2.0

    @property
    def shortest(self) -> float:
        """The shortest of them all."""
        times = (self.idle, self.head, self.body, self.write, self.linger)
        return min(*times, self.room, self.answer, self.half_closed, self.spare)


class TimeoutHost(Protocol):
    """The server, as the deadlines of its connections need it.

    Attributes:
        clock: The event loop's monotonic clock, in seconds.
        draining: Each answer is the last one of its connection.
    """

    clock: Callable[[], float]
    draining: bool
    timeouts: Timeouts

    def promote(self, connection: TimedConnection) -> bool:
        """Take a spare connection in which a request has come; False when there is no room."""


class TimedConnection(asyncio.BufferedProtocol):
    """A client's connection, as far as its deadlines go.

    Attributes:
        deadline: Clock of the event loop after which the server calls ``expire``.
        peer: Address of the client.
        spare: Beyond the number of clients: probes alone are answered, and then it ends.
    """

    def __init__(self, server: TimeoutHost) -> None:
        self.server = server
        self._clock = server.clock
        self._timeouts = server.timeouts
        self._transport = cast(asyncio.Transport, None)
        self._waiting = Waiting.REQUEST
        self._unread = 0
        self._eof = False
        self._leaving = False
        self.spare = False
        self.deadline = math.inf
        self.peer = ""

    @property
    def is_ending(self) -> bool:
        """Whether the next answer may be the last one of this connection."""
        return self._eof or self._leaving or self.spare or self.server.draining

    def _has_place(self) -> bool:
        """Return whether a spare connection's request replaces a connection that sent none."""
        self.spare = not self.server.promote(self)
        return not self.spare

    def idle_for(self, now: float) -> float:
        """Seconds without a request; 0 while there is one."""
        if self._waiting is not Waiting.REQUEST or self.spare:
            return 0.0
        return now - (self.deadline - self._timeouts.idle)

    @property
    def transport(self) -> asyncio.Transport:
        """The client's socket, as asyncio has it."""
        return self._transport

    def seconds(self, waiting: Waiting) -> float:
        """Return the longest time for something."""
        found: float = getattr(self._timeouts, waiting.value)
        return found

    def limit(self, seconds: float) -> None:
        """End the connection after that time, unless it ends or is given another time before."""
        self.deadline = min(self.deadline, self._clock() + seconds)

    def has_unread(self) -> bool:
        """Return whether bytes have come that were not looked at yet."""
        # poll, not select: descriptors may be above select's limit of 1024.
        arrived = select.poll()
        arrived.register(self._transport.get_extra_info("socket").fileno(), select.POLLIN)
        return bool(arrived.poll(0))

    def _wait_for(self, waiting: Waiting) -> None:
        self._waiting = waiting
        seconds = self.seconds(waiting)
        if waiting is Waiting.READER or waiting is Waiting.END:
            self._unread = self._transport.get_write_buffer_size()
            seconds = self._timeouts.write if self._unread else seconds
        self.deadline = self._clock() + seconds

    def dismiss(self) -> None:
        """Close while no request is pending."""
        self._wait_for(Waiting.END)
        self._transport.close()

    def drain(self, grace: float) -> None:
        """Start to drain: an idle connection may live for a few more seconds."""
        if self._waiting is Waiting.REQUEST:
            self.deadline = min(self.deadline, self._clock() + grace)

    def leave(self, grace: float) -> None:
        """Another server answers from now on: the next answer is the last one here."""
        self._leaving = True
        self.drain(grace)

    def cut(self) -> None:
        """Close without waiting for anything."""
        self._transport.abort()
