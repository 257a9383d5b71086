"""The set of client connections on its listening sockets, and how it comes to an end."""

from __future__ import annotations

import asyncio
import socket
import time
from typing import TYPE_CHECKING, Callable, Dict, List, Optional, Protocol, Set, cast

from .admission import Admission
from .body import HttpLimits
from .budget import BodyBudget
from .connection import Connection
from .connection_host import AnswerRequest, LearnRequest
from .exchange import Exchange
from .message import Response
from .parser import HeadReader
from .plain_transport import Acceptor
from .selector import ConnectionSelector
from .timed_connection import TimedConnection, Timeouts

if TYPE_CHECKING:
    import ssl

_SCRATCH = 256 * 1024
BODIES = 1.5
"""Of the largest size, for which there is room at the same time."""
SPARE = 64
"""Connections beyond the number of clients, in which probes alone are answered."""
_IDLE_S = 1.0
"""Without a request, after which a connection may have to make room for another client."""
_TURNS_TO_COME_IN = 4
"""Of asyncio's loop, until whom it has accepted is a connection that is known here."""


async def _come_in() -> None:
    for _ in range(_TURNS_TO_COME_IN):
        await asyncio.sleep(0)


_DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def _date_line() -> bytes:
    now = time.gmtime()
    return "Date: {}, {:02d} {} {} {:02d}:{:02d}:{:02d} GMT\r\n".format(
        _DAYS[now.tm_wday], now.tm_mday, _MONTHS[now.tm_mon - 1], *now[:1], *now[3:6]
    ).encode("ascii")


def _make_room(listener: socket.socket) -> None:
    """Let the connections of a listener take in a request of some size before it is read.

    By default TCP offers half of that to a new connection. The rest waits for a read, and then
    often for an acknowledgement that the system delays: 40 ms. The limit beyond which nothing is
    reported is the one setting that makes room and leaves it free to grow.
    """
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, _SCRATCH)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
    except OSError:  # it has no such limit
        return


class Entrance(Protocol):
    """Listening socket at which clients are accepted."""

    async def close(self) -> None:
        """Accept no more connections."""


class AsyncioEntrance:
    """Listening socket of an asyncio server."""

    def __init__(self, server: asyncio.AbstractServer, listener: socket.socket) -> None:
        self._server = server
        self._listener = listener

    async def close(self) -> None:
        """Accept no more, and close once all whom asyncio has accepted are connections.

        A server that is closed between the two leaves the client's socket open and
        unread (the assertion in ``Server._attach`` fails unseen).
        """
        if self._listener.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._listener.fileno())
            await _come_in()
        self._server.close()


class HttpServer:
    """Accepts connections and hands each request to the application.

    Attributes:
        application: Answers the requests.
        heads: Reads the heads of all connections.
        scratch: Where all connections receive; what they keep of it they copy.
        place: The same.
        learn: Finds what answers requests that come again.
        budget: Memory for large bodies.
        draining: No new connections; each answer is the last one of its connection.
        date: The line of the Date header, renewed every second.
        clock: The event loop's monotonic clock, in seconds.
    """

    def __init__(
        self,
        application: AnswerRequest,
        *,
        limits: HttpLimits = HttpLimits(),  # noqa: B008 (immutable)
        timeouts: Timeouts = Timeouts(),  # noqa: B008 (immutable)
        max_connections: int = 1024,
        admission: Optional[Admission] = None,
        budget: Optional[BodyBudget] = None,
        on_answer: Optional[Callable[[Optional[Exchange], Response, str], None]] = None,
        selector: Optional[ConnectionSelector] = None,
    ) -> None:
        self.application = application
        self.heads = HeadReader(limits, admission)
        self.budget = budget or BodyBudget(int(BODIES * limits.body))
        self.scratch = bytearray(_SCRATCH)
        self.place = memoryview(self.scratch)
        self.learn: LearnRequest = lambda head, request, response: None
        self.timeouts = timeouts
        self.draining = False
        self.date = _date_line()
        self._max_connections = max_connections
        self._on_answer = on_answer
        self._selector = selector
        self._connections: Set[Connection] = set()
        self._spare: Dict[Connection, None] = {}
        self._idle: List[Connection] = []
        self._look_again = 0.0
        self._empty: Optional[asyncio.Event] = None
        self._entrances: List[Entrance] = []
        self._tls: Optional[ssl.SSLContext] = None
        self._ticker: Optional[asyncio.TimerHandle] = None
        self._loop: Optional[asyncio.AbstractEventLoop] = None
        self.clock: Callable[[], float] = time.monotonic

    async def start(self, listener: socket.socket, tls: Optional[ssl.SSLContext] = None) -> None:
        """Begin to accept connections from a listening socket, which it then owns."""
        self._loop = asyncio.get_running_loop()
        self.clock = self._loop.time
        self._empty = asyncio.Event()
        self._tls = tls
        await self.listen_also(listener)
        self._tick()

    async def listen_also(self, listener: socket.socket) -> Entrance:
        """Accept connections from one more listening socket, which it then owns."""
        _make_room(listener)
        entrance = await self._entrance(listener)
        self._entrances.append(entrance)
        return entrance

    async def _entrance(self, listener: socket.socket) -> Entrance:
        assert self._loop is not None
        if self._selector is not None and self._tls is None:
            return Acceptor(listener, lambda: Connection(self), self._selector, self._loop)
        server = await self._loop.create_server(
            lambda: Connection(self),
            sock=listener,
            ssl=self._tls,
            ssl_handshake_timeout=self.timeouts.head if self._tls is not None else None,
        )
        return AsyncioEntrance(server, listener)

    async def drain(self, grace: float, limit: float) -> bool:
        """Accept no more, let the unfinished requests finish, and close.

        Args:
            grace: Seconds that an idle connection may live on. A client that sends its next
                request within them gets its answer, and learns that the connection ends there.
            limit: Seconds after which what is left is cut.

        Returns:
            Whether all requests were answered.
        """
        self.draining = True
        for entrance in self._entrances:
            await entrance.close()
        await _come_in()
        for connection in list(self._connections):
            connection.drain(grace)
        if self._ticker is not None:
            self._ticker.cancel()
        self._tick()
        finished = await self._wait_until_empty(limit)
        for connection in list(self._connections):
            connection.cut()
        if self._ticker is not None:
            self._ticker.cancel()
        return finished

    async def retire(self, entrance: Entrance, grace: float) -> None:
        """Accept no more at an entrance; clients reconnect to the process that accepts there now.

        Args:
            grace: As in ``drain``.
        """
        await entrance.close()
        self._entrances.remove(entrance)
        await _come_in()
        for connection in list(self._connections):
            connection.leave(grace)

    async def _wait_until_empty(self, limit: float) -> bool:
        assert self._empty is not None
        if not self._connections:
            return True
        try:
            await asyncio.wait_for(self._empty.wait(), limit)
        except asyncio.TimeoutError:  # another class than TimeoutError before Python 3.11
            return False
        return True

    # For connections

    def admit(self, connection: Connection) -> bool:
        """Take a new connection; False when only a probe may be answered in it.

        Where there are too many, the one that has been idle for longest makes room; there is
        always one in which a probe is heard.
        """
        if len(self._connections) - len(self._spare) >= self._max_connections:
            idle = self._idlest()
            if idle is None:
                self._admit_spare(connection)
                return False
            idle.dismiss()
        self._connections.add(connection)
        return True

    def _idlest(self) -> Optional[Connection]:
        """Return the connection missed least: one that never asked, else the longest idle."""
        now = self.clock()
        if not self._idle and now >= self._look_again:  # to look at all for each takes too long
            idle = [one for one in self._connections if one.idle_for(now) >= _IDLE_S]
            self._idle = sorted(idle, key=lambda one: (not one.was_used, one.idle_for(now)))
            self._look_again = now + _IDLE_S / 4
        while self._idle:
            found = self._idle.pop()
            if found.idle_for(now) >= _IDLE_S and not found.has_unread():
                return found
        return None

    def promote(self, connection: TimedConnection) -> bool:
        """Take a spare connection in which a request has come; False when all others are in use.

        Who asks goes before who has only connected, however shortly ago.
        """
        idle = self._idlest() or self._never_used()
        if idle is None:
            return False
        idle.dismiss()
        self._spare.pop(cast(Connection, connection), None)
        return True

    def _never_used(self) -> Optional[Connection]:
        now = self.clock()
        unused = [one for one in self._connections if not one.was_used and one.idle_for(now) > 0]
        longest = sorted(unused, key=lambda one: one.idle_for(now), reverse=True)
        return next((one for one in longest if not one.has_unread()), None)

    def _admit_spare(self, connection: Connection) -> None:
        """Admit a spare connection; many come at once, before any of them is read."""
        if len(self._spare) >= SPARE:
            silent = (one for one in self._spare if not one.has_unread())
            oldest = next(silent, next(iter(self._spare)))
            self.forget(oldest)
            oldest.cut()
        self._connections.add(connection)
        self._spare[connection] = None

    def forget(self, connection: Connection) -> None:
        """A connection is closed."""
        self._connections.discard(connection)
        self._spare.pop(connection, None)
        if self.draining and not self._connections and self._empty is not None:
            self._empty.set()

    def answered(self, exchange: Exchange, response: Response) -> None:
        """An answer was written."""
        if self._on_answer is not None:
            self._on_answer(exchange, response, exchange.peer)

    def refused(self, connection: Connection, response: Response) -> None:
        """Bytes that were no request were answered with an error."""
        if self._on_answer is not None:
            self._on_answer(None, response, connection.peer)

    @property
    def connections(self) -> int:
        """Number of open connections."""
        return len(self._connections)

    def _tick(self) -> None:
        """Once a second, or oftener: renew the date, and end what is overdue."""
        assert self._loop is not None
        pause = 0.1 if self.draining else self.timeouts.shortest
        self._ticker = self._loop.call_later(min(1.0, pause), self._tick)
        self.date = _date_line()
        now = self._loop.time()
        self.budget.press(now)
        for connection in [c for c in self._connections if c.deadline <= now]:
            connection.expire()
