"""Bounds on what strangers take: one budget for large bodies, and connections for probes."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from studio.runtime.serve.http.admission import Admission
from studio.runtime.serve.http.body import HttpLimits
from studio.runtime.serve.http.budget import MARGIN, MOST_WAITING, BodyBudget
from studio.runtime.serve.http.message import Head, HttpError
from studio.runtime.serve.http.parser import HeadReader, RequestParser
from studio.runtime.serve.http.server import SPARE
from studio.runtime.serve.http.timed_connection import Timeouts
from tests.unit.runtime.serve import rig
from tests.unit.runtime.serve.http.test_http_server import GET, Rig, read_all, read_answer, serving

MB = 1 << 20
CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(scope="module", params=[False, True], ids=["asyncio", "selector"], autouse=True)
def hears(request: pytest.FixtureRequest) -> Iterator[None]:
    """Who hears the connections; every test runs with both."""
    Rig.hears = request.param
    yield
    Rig.hears = False


class Guarded(Admission):
    """Admits who says the word; probes need not."""

    def check_body(self, head: Head) -> int | None:
        if "authorization" not in head.headers:
            raise HttpError(401, "Say the word.", close=True)
        return 1000 if head.path == "/small" else None

    def is_probe(self, method: str, path: str) -> bool:
        return path == "/live"


class Receiver:
    """A connection as the budget sees it."""

    def __init__(self, pace: float = 0.0) -> None:
        self._pace = pace
        self.log: list[str] = []

    def granted(self) -> None:
        self.log.append("granted")

    def give_way(self) -> None:
        self.log.append("gave way")

    def received(self, now: float) -> int:
        return int(50e6 + now * self._pace)


# The budget


def test_who_finds_no_room_waits_and_the_smallest_is_served_first() -> None:
    budget = BodyBudget(100 * MB)
    first, large, small = Receiver(), Receiver(), Receiver()
    assert budget.acquire(first, 90 * MB)
    assert not budget.acquire(large, 80 * MB)
    assert not budget.acquire(small, 20 * MB)
    assert not budget.has_room(30 * MB), "nobody overtakes a smaller one that waits"
    budget.release(first)
    assert (small.log, large.log) == (["granted"], ["granted"])
    assert budget.held == 100 * MB
    budget.release(small)
    budget.release(large)
    assert budget.held == 0


def test_large_bodies_leave_a_margin_to_small_ones() -> None:
    budget = BodyBudget(100 * MB)
    assert budget.acquire(Receiver(), 100 * MB)
    assert budget.acquire(Receiver(), MARGIN // 2)
    assert not budget.acquire(Receiver(), MARGIN // 2 + 1)


def test_bodies_that_hardly_move_give_way_to_those_that_wait() -> None:
    budget = BodyBudget(100 * MB)
    stalled, moving, waiting = Receiver(0.0), Receiver(1e6), Receiver()
    assert budget.acquire(stalled, 50 * MB)
    assert budget.acquire(moving, 50 * MB)
    budget.press(50.0)
    assert not stalled.log, "nobody waits"
    assert not budget.acquire(waiting, 40 * MB)
    for now in (60.0, 61.0):
        budget.press(now)
        assert not stalled.log, "it is only looked at"
    budget.press(63.0)
    assert stalled.log == ["gave way"], "however fast it began"
    assert waiting.log == ["granted"]
    budget.press(90.0)
    assert not moving.log


def test_not_everybody_may_wait() -> None:
    budget = BodyBudget(MB)
    assert budget.acquire(Receiver(), MB)
    for _ in range(MOST_WAITING):
        assert not budget.acquire(Receiver(), 10 * MB)
    with pytest.raises(HttpError) as refused:
        budget.acquire(Receiver(), 10 * MB)
    assert refused.value.status == 503


# Before the body


def test_nothing_of_a_body_is_received_before_its_head_is_admitted() -> None:
    parser = RequestParser(HeadReader(HttpLimits(), Guarded()))
    parser.feed(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nabc")
    with pytest.raises(HttpError) as refused:
        parser.next()
    assert refused.value.status == 401


@pytest.mark.parametrize("framing", ["Content-Length: 2000", "Transfer-Encoding: chunked"])
def test_an_address_may_take_less_than_the_server(framing: str) -> None:
    parser = RequestParser(HeadReader(HttpLimits(), Guarded()))
    head = f"POST /small HTTP/1.1\r\nHost: x\r\nAuthorization: word\r\n{framing}\r\n\r\n"
    body = b"7d0\r\n" if "chunked" in framing else b""
    parser.feed(head.encode() + body)
    with pytest.raises(HttpError) as refused:
        parser.next()
    assert refused.value.status == 413
    assert "1000 bytes" in refused.value.sentence


def test_a_stranger_is_told_before_he_has_sent_his_body() -> None:
    with serving(admission=Guarded()) as server:
        head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 60000000\r\n\r\n"
        assert server.talk(head).startswith(b"HTTP/1.1 401 ")
        expecting = head.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n")
        assert server.talk(expecting).startswith(b"HTTP/1.1 401 ")


# Chunks


def test_tiny_chunks_take_no_more_than_their_bytes() -> None:
    parser = RequestParser(HeadReader(HttpLimits(body=MB)))
    parser.feed(CHUNKED)
    piece = b"10\r\n" + b"x" * 16 + b"\r\n"
    for _ in range(MB // 16 // 64):
        parser.feed(piece * 64)
        assert parser.next() is None
        if parser.needs:
            assert parser.needs == MB, "of chunks nobody knows how many follow"
            parser.grant()
    assert parser.buffered == 0
    parser.feed(b"0\r\n\r\n")
    request = parser.next()
    assert request is not None
    assert request.body == b"x" * MB


def test_countless_chunks_of_a_byte_are_refused() -> None:
    parser = RequestParser(HeadReader(HttpLimits()))
    parser.feed(CHUNKED + b"1\r\nx\r\n" * 5000)
    with pytest.raises(HttpError) as refused:
        parser.next()
    assert refused.value.sentence == "The chunks of the body are too small."


def test_a_chunk_that_comes_in_pieces_is_taken_as_it_comes() -> None:
    parser = RequestParser(HeadReader(HttpLimits()))
    parser.feed(CHUNKED + b"10000\r\n")
    for _ in range(16):
        parser.feed(b"y" * 4096)
        assert parser.next() is None
        assert parser.buffered == 0
    parser.feed(b"\r\n0\r\n\r\n")
    request = parser.next()
    assert request is not None
    assert request.body == b"y" * 65536


# Real sockets


def begin(server: Rig, size: int, sent: int) -> socket.socket:
    """A client that announces a body and sends only its beginning."""
    client = server.client()
    head = b"POST /begun HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size
    client.sendall(head + b"z" * sent)
    return client


def small_budget() -> dict[str, Any]:
    """Room for one body of a megabyte, and none for half of one beside it."""
    return {"limits": HttpLimits(body=MB), "budget": BodyBudget(MB - MARGIN)}


def test_a_body_waits_until_there_is_room_and_is_answered() -> None:
    with serving(**small_budget()) as server:
        first = begin(server, MB, MB // 2)
        rig.wait_until(lambda: server.server.budget.held == MB, "the first has its room")
        second = begin(server, MB - 1, 100_000)
        first.sendall(b"z" * (MB // 2))
        assert read_answer(first)[0].startswith(b"HTTP/1.1 200 ")
        second.sendall(b"z" * (MB - 1 - 100_000))
        assert b"%d" % (MB - 1) in read_answer(second)[1]
        rig.wait_until(lambda: server.server.budget.held == 0, "nothing is held")
        first.close()
        second.close()


@pytest.mark.slow
def test_a_stalled_body_gives_way_to_one_that_comes() -> None:
    with serving(**small_budget(), timeouts=Timeouts(half_closed=0.2)) as server:
        stalled = begin(server, MB, 1000)
        rig.wait_until(lambda: server.server.budget.held == MB, "the stalled one has its room")
        honest = begin(server, MB, 100_000)
        assert read_all(stalled).startswith(b"HTTP/1.1 408 ")
        honest.sendall(b"z" * (MB - 100_000))
        assert read_answer(honest)[0].startswith(b"HTTP/1.1 200 ")
        stalled.close()
        honest.close()


def test_a_client_that_leaves_gives_its_room_back() -> None:
    with serving(**small_budget()) as server:
        for _ in range(3):
            leaving = begin(server, MB, 1000)
            rig.wait_until(lambda: server.server.budget.held == MB, "it has its room")
            leaving.close()
            rig.wait_until(lambda: server.server.budget.held == 0, "its room is free")


def test_a_probe_is_answered_when_every_connection_is_taken() -> None:
    with serving(max_connections=3, admission=Guarded()) as server:
        busy = [server.client() for _ in range(3)]
        for client in busy:
            client.sendall(GET % b"held")
        rig.wait_until(lambda: len(server.held) == 3, "all are busy")
        crowd = [server.client() for _ in range(100)]  # they ask nothing
        head = server.talk(GET % b"live")
        assert head.startswith(b"HTTP/1.1 200 ")
        assert b"Connection: close" in head
        assert server.talk(GET % b"other").startswith(b"HTTP/1.1 503 ")
        upload = b"POST /live HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"
        assert server.talk(upload).startswith((b"HTTP/1.1 503 ", b"HTTP/1.1 401 "))
        server.release()
        for client in busy:
            assert read_answer(client)[0].startswith(b"HTTP/1.1 200 ")
        for client in busy + crowd:
            client.close()


def test_idle_connections_make_room_for_clients_that_ask() -> None:
    with serving(max_connections=3) as server:
        silent = server.client()
        rig.wait_until(lambda: server.server.connections == 1, "it is in")
        used = [server.client() for _ in range(2)]
        for client in used:
            client.sendall(GET % b"")
            assert read_answer(client)[0].startswith(b"HTTP/1.1 200 ")
        now = server.server.clock
        old = now() + 10.0
        server.server.clock = lambda: old  # the same moment for all: ten seconds later
        with server.client() as other:
            other.sendall(GET % b"other")
            assert read_answer(other)[0].startswith(b"HTTP/1.1 200 ")
            server.server.clock = now
            assert silent.recv(10) == b"", "it never asked, and is closed first"
            for client in used:
                client.sendall(GET % b"again")
                assert read_answer(client)[0].startswith(b"HTTP/1.1 200 ")
        for client in [silent, *used]:
            client.close()


def test_who_asks_goes_before_who_has_only_connected() -> None:
    with serving(max_connections=3) as server:
        busy = [server.client() for _ in range(2)]
        for client in busy:
            client.sendall(GET % b"held")
        rig.wait_until(lambda: len(server.held) == 2, "two are busy")
        silent = server.client()  # a moment ago: not idle long enough to make room by itself
        rig.wait_until(lambda: server.server.connections == 3, "all are taken")
        now = server.server.clock()
        server.server.clock = lambda: now + 0.5
        with server.client() as other:
            other.sendall(GET % b"other")
            assert read_answer(other)[0].startswith(b"HTTP/1.1 200 ")
            assert silent.recv(10) == b"", "it never asked"
        server.release()
        for client in busy:
            assert read_answer(client)[0].startswith(b"HTTP/1.1 200 ")
        for client in [silent, *busy]:
            client.close()


def test_whose_request_has_come_is_not_cut_for_those_who_come_after() -> None:
    with serving(max_connections=2) as server:
        busy = [server.client() for _ in range(2)]
        for client in busy:
            client.sendall(GET % b"held")
        rig.wait_until(lambda: len(server.held) == 2, "all are busy")
        with ExitStack() as stack:
            with server.stopped():
                stack.enter_context(server.client())
                honest = stack.enter_context(server.client())
                honest.sendall(GET % b"other")
                for _ in range(SPARE + 20):
                    stack.enter_context(server.client())
            assert read_answer(honest)[0].startswith(b"HTTP/1.1 503 "), "told, not cut off"
        rig.wait_until(lambda: server.server.connections == 2, "the crowd has gone")
        server.release()
        for client in busy:
            client.close()


def test_a_request_that_came_while_the_server_was_busy_keeps_its_connection() -> None:
    with serving(max_connections=2) as server:
        first, silent = server.client(), server.client()
        rig.wait_until(lambda: server.server.connections == 2, "both are in")
        now = server.server.clock()
        server.server.clock = lambda: now + 10.0
        with server.stopped():
            first.sendall(GET % b"first")  # idle for longest, as far as the server knows
            other = server.client()
            other.sendall(GET % b"other")
        for client in (first, other):
            assert read_answer(client)[0].startswith(b"HTTP/1.1 200 ")
        assert silent.recv(10) == b"", "it asks nothing"
        for client in (first, silent, other):
            client.close()
