"""One client connection: requests in order, answers in order, deadlines for slow clients."""

from __future__ import annotations

import asyncio
import sys
import traceback
from typing import Optional, cast

from .admission import too_many_connections
from .answer_stream import AnswerStream
from .budget import no_room
from .connection_host import ConnectionHost, KnownAnswer
from .exchange import Exchange
from .message import CONTINUE, HttpError, Request, Response, render
from .parser import RequestParser
from .timed_connection import TimedConnection, Waiting

_READ_AHEAD = 256 * 1024
"""Bytes of further requests that are kept while one is being answered."""
_CHUNKED_AT_ONCE = 64 * 1024
"""Bytes of a chunked body that are read in one go: of tiny chunks they take milliseconds."""

_UNREAD_S = 0.1
_REQUEST = Waiting.REQUEST
_ANSWER = Waiting.ANSWER
_END = Waiting.END


class Connection(TimedConnection):
    """The asyncio protocol of one client."""

    server: ConnectionHost[Connection]

    def __init__(self, server: ConnectionHost[Connection]) -> None:
        super().__init__(server)
        self._parser = RequestParser(server.heads)
        self._room: Optional[memoryview] = None
        self._place = server.place
        self._repeat: Optional[KnownAnswer[Connection]] = None
        self._regular = False
        self._exchange: Optional[Exchange] = None
        self._began = 0.0
        self._body_bytes = 0
        self._advancing = False
        self._writable = True
        self._paused = False
        self._holds = False
        self._stream: Optional[AnswerStream] = None

    # Callbacks of asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Register, or turn away when there are too many already."""
        self._transport = cast(asyncio.Transport, transport)
        address = transport.get_extra_info("peername")
        self.peer = str(address[0]) if isinstance(address, tuple) and address else ""
        self._wait_for(Waiting.REQUEST)
        if not self.server.admit(self):
            self.spare = True
            self.deadline = self._clock() + self._timeouts.spare

    def get_buffer(self, sizehint: int) -> memoryview:
        """Return the buffer for the next bytes: a large body's own, or the shared one."""
        if self._waiting is _REQUEST:  # nothing of the next one has come
            return self._place
        parser = self._parser
        self._room = parser.room
        if self._room is None and parser.is_chunked:
            return self._place[:_CHUNKED_AT_ONCE]
        return self._room or self._place

    def buffer_updated(self, count: int) -> None:
        """Process bytes; those after the end of the conversation are discarded."""
        self.on_bytes(count)

    def on_bytes(self, count: int) -> bool:
        """Process bytes; return whether all work is done (see ``selector.Callback``)."""
        waiting = self._waiting
        repeat = self._repeat
        if repeat is not None and count == repeat.size and waiting is _REQUEST:
            done = repeat.try_answer(self)
            if done is not None:
                return done
        self._parse(waiting, count)
        return False

    def _parse(self, waiting: Waiting, count: int) -> None:
        if waiting is _END:
            return
        if self._room:
            self._room = None
            self._parser.filled(count)
        else:
            data = self._place[:count]
            if waiting is _REQUEST and self._exchange is None:
                request = self._parser.again(data)
                self._regular = request is not None
                if request is not None:
                    self._begin(request)
                    return
            self._parser.feed(data)
        if self._waiting is Waiting.BODY:
            self._body_bytes += count
        if self._exchange is None:
            self._advance()
        elif self._parser.buffered > _READ_AHEAD and not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        """Handle the end of input: the client still gets an answer that comes soon.

        A client that has closed for good looks the same until a write to it fails, and its request
        must not run for ever.
        """
        self._eof = True
        if self._exchange is None or self._waiting is Waiting.END or self._stream is not None:
            return False
        self.deadline = min(self.deadline, self._clock() + self._timeouts.half_closed)
        return True

    def pause_writing(self) -> None:
        """Answer no further request for now: the client reads slower than it sends."""
        self._writable = False
        if self._exchange is None and self._waiting is not Waiting.END:
            self._wait_for(Waiting.READER)

    def resume_writing(self) -> None:
        """Resume answering after the client has read on."""
        self._writable = True
        if self._exchange is None and self._waiting is Waiting.READER:
            self._advance()

    def connection_lost(self, error: Optional[Exception]) -> None:
        """Forget the connection, and tell the unfinished exchange."""
        if self._exchange is not None:
            self._exchange.gone = True
            self._exchange = None
        self._waiting = Waiting.END
        if self._holds:
            self._release()
        self.server.forget(self)

    # The conversation

    def _advance(self) -> None:
        """Begin requests until one must be waited for."""
        if self._advancing:
            return
        self._advancing = True
        try:
            while self._exchange is None and self._waiting is not _END:
                if not self._writable:
                    self._wait_for(Waiting.READER)
                    return
                try:
                    request = self._parser.next()
                except HttpError as error:
                    self._refuse(error)
                    return
                if request is None:
                    self._wait_for_bytes()
                    return
                if self.spare and not self._is_probe(request) and not self._has_place():
                    self._refuse(too_many_connections())
                    return
                self._begin(request)
        finally:
            self._advancing = False

    def _begin(self, request: Request) -> None:
        exchange = self._exchange = Exchange(self, request, self._clock())
        self._waiting = _ANSWER
        timeouts = self._timeouts
        seconds = min(timeouts.answer, timeouts.half_closed) if self._eof else timeouts.answer
        self.deadline = exchange.received + seconds
        try:
            response = self.server.application(exchange)
        except HttpError as error:
            response = error.response()
        except Exception:
            traceback.print_exc(file=sys.stderr)
            response = Response.error(500, "Internal server error. See the server log.")
        if response is not None:
            exchange.answer(response)

    def finish(self, exchange: Exchange, response: Response) -> None:
        """Write an answer and continue with the next request."""
        request = exchange.request
        self._exchange = None
        if self._holds:
            self._release()
        server = self.server
        parser = self._parser
        more = parser.started  # no request that has already come is left behind
        close = not request.keep_alive or (self.is_ending and not more)
        trace = exchange.trace
        data = render(
            response,
            date=server.date,
            close=close,
            without_body=request.method == "HEAD",
            extra="traceparent: {}\r\n".format(trace).encode("ascii") if trace else b"",
        )
        self._transport.write(data)
        server.answered(exchange, response)
        if close:
            self._wait_for(Waiting.END)
            self._transport.close()
            return
        if response.again is not None and self._regular and not trace:
            self._remember(request, response)
        self._go_on(more, self._clock())

    def extend(self) -> None:
        """Wait longer for an answer that makes progress; a half-closed client waits no longer."""
        if self._exchange is not None and not self._eof:
            self.deadline = self._clock() + self._timeouts.answer

    def stream(self, exchange: Exchange, response: Response) -> AnswerStream:
        """Begin an answer without an end; the connection takes no further request."""
        self._stream = AnswerStream(self, response, self.server.date)
        self.server.answered(exchange, response)
        return self._stream

    def _go_on(self, more: bool, now: float) -> bool:
        """Wait for the next request, or begin with it; whether there is nothing to begin."""
        self._waiting = _REQUEST
        if not more and self._writable:
            self.deadline = now + self._timeouts.idle
            return True
        if self._paused and self._parser.buffered <= _READ_AHEAD:
            self._paused = False
            self._transport.resume_reading()
        self._advance()
        return False

    # Requests that come again (see ``FastPath``)

    def _remember(self, request: Request, response: Response) -> None:
        self._repeat = self.server.learn(self._parser.last_head, request, response)
        self._place = self.server.place if self._repeat is None else self._repeat.place

    def reply(self, data: bytes, now: float) -> None:
        """Send the answer to a request that was answered on arrival, without an exchange.

        Args:
            now: Clock of the event loop.
        """
        self._transport.write(data)
        if self._waiting is _REQUEST:  # else the client reads too slowly
            self.deadline = now + self._timeouts.idle

    def begin(self, request: Request, received: float) -> Exchange:
        """The place for an answer that comes later.

        Args:
            received: Clock of the event loop.
        """
        exchange = self._exchange = Exchange(self, request, received)
        self._waiting = _ANSWER
        self.deadline = received + self._timeouts.answer
        return exchange

    def finish_again(self, data: bytes, now: float) -> bool:
        """Send that answer; returns whether that was all (see ``selector.Callback``)."""
        self._exchange = None
        self._transport.write(data)
        return self._go_on(self._parser.started, now)

    def _refuse(self, error: HttpError) -> None:
        """Answer bytes that are no request, and end the conversation.

        Closing with unread bytes would reset the connection and could take the answer with it:
        so the rest is read and thrown away until the client closes, or a deadline passes.
        """
        response = error.response()
        self._parser.drop()
        if self._holds:
            self._release()
        self._transport.write(render(response, date=self.server.date, close=True))
        self.server.refused(self, response)
        if self._paused:
            self._paused = False
            self._transport.resume_reading()
        self._wait_for(Waiting.END)
        if self._transport.can_write_eof() and not self._eof:
            self._transport.write_eof()
        else:
            self._transport.close()

    # Deadlines

    def _wait_for_bytes(self) -> None:
        parser = self._parser
        if self._eof:
            self._wait_for(Waiting.END)
            self._transport.close()
        elif not parser.started:
            self._wait_for(Waiting.REQUEST)
        elif not parser.head_done:
            if self._waiting is not Waiting.HEAD and not self.spare:
                self._wait_for(Waiting.HEAD)
        elif self.spare and not self._has_place():
            self._refuse(too_many_connections())
        elif parser.needs:
            self._acquire_room(parser.needs)
        else:
            self._wait_for_body()

    def _wait_for_body(self) -> None:
        timeouts = self._timeouts
        if self._waiting is not Waiting.BODY:
            self._waiting = Waiting.BODY
            self._began = self._clock()
            self._body_bytes = self._parser.buffered
        if self._parser.wants_continue:
            self._parser.wants_continue = False
            self._transport.write(CONTINUE)
        self.deadline = self._began + timeouts.body + self._body_bytes / timeouts.body_rate

    # Room for large bodies (see ``BodyBudget``)

    def _acquire_room(self, size: int) -> None:
        """Receive a large body now, or read nothing until it may be received."""
        self._holds = True
        try:
            has_room = self.server.budget.acquire(self, size)
        except HttpError as error:
            self._refuse(error)
            return
        if has_room:
            self._parser.grant()
            self._wait_for_body()
            return
        self._wait_for(Waiting.ROOM)
        self._paused = True
        self._transport.pause_reading()

    def granted(self) -> None:
        """There is room for the body now."""
        self._parser.grant()
        self._paused = False
        self._wait_for_body()
        self._transport.resume_reading()

    def give_way(self) -> None:
        """Refuse the body that stalls, since other bodies wait for its room."""
        self._refuse(HttpError(408, "The request did not come in time.", close=True))

    def received(self, now: float) -> Optional[int]:
        """Bytes of the body that have come; None when it is complete."""
        return self._body_bytes if self._waiting is Waiting.BODY else None

    def _release(self) -> None:
        self._holds = False
        self.server.budget.release(self)

    # Beyond the number of clients

    @property
    def was_used(self) -> bool:
        """Whether a request has come in it."""
        return bool(self._parser.last_head)

    def _is_probe(self, request: Request) -> bool:
        return self.server.heads.admission.is_probe(request.method, request.path)

    def expire(self) -> None:
        """Report the expired deadline to a client that still reads, and close."""
        if self._stream is not None:
            self._stream.cut()
        elif self._exchange is not None:
            self._give_up(self._exchange)
        elif self._waiting in (Waiting.HEAD, Waiting.BODY):
            self._refuse(HttpError(408, "The request did not come in time.", close=True))
        elif self._waiting is Waiting.ROOM:
            self._refuse(no_room())
        elif self._waiting is Waiting.REQUEST and self.has_unread():
            # It came while this process had no processor. Closing would reset the connection.
            self.deadline = self._clock() + _UNREAD_S
        elif self._waiting is Waiting.REQUEST:
            self.dismiss()
        elif self._transport.get_write_buffer_size() < self._unread:
            self._wait_for(self._waiting)  # slow, but it reads
        else:
            self._transport.abort()

    def _give_up(self, exchange: Exchange) -> None:
        """Report the timeout to the client, and mark the exchange as gone for its worker."""
        error = HttpError(504, "Inference timed out.", close=True)
        self.finish(exchange, error.response())
        exchange.gone = True
        self._wait_for(Waiting.END)
        self._transport.close()
