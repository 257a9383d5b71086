"""The HTTP server on real sockets: order, limits, slow and vanishing clients."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
from collections.abc import Iterator

import pytest

from studio.runtime.serve.http.body import HttpLimits
from studio.runtime.serve.http.exchange import Exchange
from studio.runtime.serve.http.message import HttpError, Response
from studio.runtime.serve.http.selector import connection_selector
from studio.runtime.serve.http.server import HttpServer
from studio.runtime.serve.http.timed_connection import Timeouts
from tests.unit.runtime.serve import rig

GET = b"GET /%b HTTP/1.1\r\nHost: x\r\n\r\n"


class Rig:
    """An HttpServer in a thread of its own, whose answers can be held back.

    Attributes:
        hears: Connections are heard by a selector of ours, not by asyncio.
    """

    hears = False

    def __init__(self, **options: object) -> None:
        self.held: list[Exchange] = []
        watch = connection_selector() if self.hears else None
        self.loop = asyncio.SelectorEventLoop(watch)
        self.server = HttpServer(self._answer, selector=watch, **options)  # type: ignore[arg-type]
        listener = socket.create_server(("127.0.0.1", 0))
        listener.setblocking(False)
        self.address = listener.getsockname()
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()
        self.do(self.server.start(listener))

    def do(self, work: object) -> object:
        """Run a coroutine in the server's loop and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(10)  # type: ignore[arg-type]

    def _answer(self, exchange: Exchange) -> Response | None:
        path = exchange.request.path
        if path == "/held":
            self.held.append(exchange)
            return None
        if path == "/mistake":
            raise ZeroDivisionError
        if path == "/refused":
            raise HttpError(404, "No.")
        if path == "/large":
            return Response(200, b"x" * 3_000_000)
        return Response.of({"path": path, "bytes": len(exchange.request.body)})

    def release(self) -> None:
        """Answer what was held back."""
        for exchange in self.held:
            self.loop.call_soon_threadsafe(exchange.answer, Response.of({"held": True}))
        self.held = []

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        """The server does nothing meanwhile."""
        begun, over = threading.Event(), threading.Event()
        self.loop.call_soon_threadsafe(lambda: begun.set() or over.wait(10))
        assert begun.wait(10)
        try:
            yield
        finally:
            over.set()

    def close(self) -> None:
        self.do(self.server.drain(0.0, 1.0))
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    def client(self) -> socket.socket:
        return socket.create_connection(self.address, timeout=5)

    def talk(self, data: bytes) -> bytes:
        """Send bytes, and read until the server closes."""
        with self.client() as client:
            client.sendall(data)
            return read_all(client)


def read_all(client: socket.socket) -> bytes:
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := client.recv(65536):
            data += piece
    return data


def read_answer(client: socket.socket) -> tuple[bytes, bytes]:
    """Head and body of one answer."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = client.recv(65536)
        assert piece, data
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
    while len(body) < length:
        body += client.recv(65536)
    return head, body


@contextlib.contextmanager
def serving(**options: object) -> Iterator[Rig]:
    server = Rig(**options)
    try:
        yield server
    finally:
        server.close()


@pytest.fixture(scope="module", params=[False, True], ids=["asyncio", "selector"], autouse=True)
def hears(request: pytest.FixtureRequest) -> None:
    """Who hears the connections; every test runs with both."""
    Rig.hears = request.param


@pytest.fixture(scope="module")
def server(hears: None) -> Iterator[Rig]:
    with serving(limits=HttpLimits(body=100_000)) as running:
        yield running


def test_pipelined_answers_keep_the_order_of_the_requests(server: Rig) -> None:
    with server.client() as client:
        client.sendall(GET % b"held" + GET % b"second" + GET % b"third")
        rig.wait_until(lambda: bool(server.held), "the first request has come")
        server.release()
        bodies = b""
        while b"third" not in bodies:
            bodies += client.recv(65536)
    assert bodies.index(b"held") < bodies.index(b"second") < bodies.index(b"third")


def test_malformed_bytes_get_a_sentence_and_the_end(server: Rig) -> None:
    answer = server.talk(b"GET / HTTP/1.1\r\nHost : x\r\n\r\n" + GET % b"smuggled")
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"Connection: close" in answer
    assert b"smuggled" not in answer


def test_a_large_body_is_refused_before_it_is_sent(server: Rig) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100001\r\n\r\n"
    assert server.talk(head).startswith(b"HTTP/1.1 413 ")
    assert server.talk(head + b"x" * 100_001).startswith(b"HTTP/1.1 413 ")


def test_expect_continue(server: Rig) -> None:
    with server.client() as client:
        client.sendall(
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"
        )
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"body")
        assert json.loads(read_answer(client)[1]) == {"path": "/", "bytes": 4}


def test_head_has_the_length_and_no_body(server: Rig) -> None:
    answer = server.talk(b"HEAD /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"Content-Length: 23" in head
    assert body == b""


def test_a_mistake_of_ours_is_a_500_and_the_connection_goes_on(
    server: Rig, capfd: pytest.CaptureFixture[str]
) -> None:
    with server.client() as client:
        client.sendall(GET % b"mistake")
        assert read_answer(client)[0].startswith(b"HTTP/1.1 500 ")
        client.sendall(GET % b"refused")
        assert read_answer(client)[0].startswith(b"HTTP/1.1 404 ")
        client.sendall(GET % b"fine")
        assert read_answer(client)[0].startswith(b"HTTP/1.1 200 ")
    assert "ZeroDivisionError" in capfd.readouterr().err


def test_a_half_closed_client_gets_its_answer(server: Rig) -> None:
    with server.client() as client:
        client.sendall(GET % b"held")
        client.shutdown(socket.SHUT_WR)
        rig.wait_until(lambda: bool(server.held), "the request has come")
        server.release()
        assert b'{"held":true}' in read_all(client)


def test_a_client_that_left_is_noticed(server: Rig) -> None:
    with server.client() as client:
        client.sendall(GET % b"held")
        rig.wait_until(lambda: bool(server.held), "the request has come")
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # reset
    (exchange,) = server.held
    rig.wait_until(lambda: exchange.gone, "the client is gone")
    server.release()  # nobody gets it, and nothing breaks


def test_a_client_that_closed_quietly_is_noticed_after_a_while() -> None:
    with serving(timeouts=Timeouts(half_closed=0.2)) as server:
        with server.client() as client:
            client.sendall(GET % b"held")
            rig.wait_until(lambda: bool(server.held), "the request has come")
        (exchange,) = server.held
        rig.wait_until(lambda: exchange.gone, "nobody waits any more")
        server.release()


def test_trace_is_echoed_when_it_is_valid(server: Rig) -> None:
    trace = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    request = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\ntraceparent: %b\r\n\r\n"
    assert b"\r\ntraceparent: " + trace + b"\r\n" in server.talk(request % trace)
    assert b"traceparent" not in server.talk(request % b"nonsense")


def test_a_client_that_does_not_read_does_not_fill_the_memory(server: Rig) -> None:
    with server.client() as client:
        client.sendall(GET % b"large" * 20)
        with server.client() as other:  # meanwhile others are served
            other.sendall(GET % b"other")
            assert read_answer(other)[0].startswith(b"HTTP/1.1 200 ")
        with client.makefile("rb") as answers:
            for _ in range(20):
                while answers.readline() != b"\r\n":
                    pass
                assert len(answers.read(3_000_000)) == 3_000_000


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HT",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc",
    ],
)
def test_a_request_that_does_not_come_is_given_up(sent: bytes) -> None:
    with serving(timeouts=Timeouts(head=0.1, body=0.1)) as server:
        assert server.talk(sent).startswith(b"HTTP/1.1 408 ")


def test_a_request_that_came_while_the_process_stood_still_is_answered() -> None:
    """Its time is over by then. To close with unread bytes would reset the client's connection."""
    with serving() as server, server.client() as client:
        client.sendall(GET % b"first")
        read_answer(client)

        async def stand_still() -> None:
            client.sendall(GET % b"second")
            (connection,) = server.server._connections
            connection.expire()

        server.do(stand_still())
        head, body = read_answer(client)
        assert (b" 200 " in head, b"second" in body) == (True, True)


def test_an_idle_connection_is_closed() -> None:
    with serving(timeouts=Timeouts(idle=0.1)) as server, server.client() as client:
        client.sendall(GET % b"")
        assert read_answer(client)[0].startswith(b"HTTP/1.1 200 ")
        assert client.recv(10) == b""


def test_too_many_connections_are_turned_away() -> None:
    with serving(max_connections=2) as server:
        first, second = server.client(), server.client()
        for client in (first, second):
            client.sendall(GET % b"held")
        rig.wait_until(lambda: len(server.held) == 2, "both are busy")
        answer = server.talk(GET % b"third")
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"Retry-After: 1" in answer
        server.release()
        first.close()
        second.close()


def test_draining_answers_what_has_come_and_says_that_it_ends() -> None:
    with serving() as server, server.client() as busy, server.client() as idle:
        busy.sendall(GET % b"held" + GET % b"next")
        idle.sendall(GET % b"")
        assert b"Connection: close" not in read_answer(idle)[0]
        rig.wait_until(lambda: bool(server.held), "the request has come")
        drained = asyncio.run_coroutine_threadsafe(server.server.drain(0.1, 5.0), server.loop)
        assert idle.recv(10) == b""
        server.release()
        answers = read_all(busy)
        assert answers.count(b"HTTP/1.1 200 OK") == 2
        assert answers.count(b"Connection: close") == 1
        assert drained.result(5) is True


def test_a_client_whom_draining_finds_at_the_door_is_answered() -> None:
    with serving() as server:
        with server.stopped():  # accepting and draining begin in the same turn
            client = server.client()
            client.sendall(GET % b"late")
            drained = asyncio.run_coroutine_threadsafe(server.server.drain(1.0, 5.0), server.loop)
        with client:
            assert read_all(client).startswith(b"HTTP/1.1 200 ")
        assert drained.result(5) is True


def test_draining_has_an_end() -> None:
    with serving() as server, server.client() as client:
        client.sendall(GET % b"held")
        rig.wait_until(lambda: bool(server.held), "the request has come")
        assert server.do(server.server.drain(0.0, 0.2)) is False


def test_a_slow_reader_is_served_and_a_stalled_one_is_cut() -> None:
    with serving(timeouts=Timeouts(write=0.3)) as server:
        with server.client() as slow:
            slow.sendall(GET % b"large" * 4)
            for _ in range(6):  # for longer than the limit, without a break as long as it
                assert slow.recv(1_000_000)
                threading.Event().wait(0.1)
            rest = slow.recv(1_000_000)
            assert rest
        with server.client() as stalled:
            stalled.sendall(GET % b"large" * 4)
            rig.wait_until(lambda: server.server.connections == 0, "the stalled client is cut")
