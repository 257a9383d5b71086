"""The HTTP parser: what it takes, what it refuses, and that pieces make no difference."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from studio.runtime.serve.http.body import HttpLimits
from studio.runtime.serve.http.message import HttpError, Request
from studio.runtime.serve.http.parser import HeadReader, RequestParser

LIMITS = HttpLimits(head=2048, fields=20, body=5000, chunk_line=64)
HEAD = b"POST /a?b=c HTTP/1.1\r\nHost: x\r\n"


def parse(*pieces: bytes, shortcut: bool = True) -> list[Request]:
    """What a connection reads of these pieces; without the shortcut for heads that come again."""
    parser = RequestParser(HeadReader(LIMITS))
    found = []
    for piece in pieces:
        again = parser.again(memoryview(piece)) if shortcut else None
        if again is not None:
            found.append(again)
            continue
        parser.feed(piece)
        while (request := parser.next()) is not None:
            found.append(request)
    return found


def refusal(data: bytes) -> HttpError:
    with pytest.raises(HttpError) as caught:
        parse(data)
    assert caught.value.close
    return caught.value


def test_request_with_a_body() -> None:
    (request,) = parse(HEAD + b"X-Y:  z \t\r\nContent-Length: 3\r\n\r\nabc")
    assert (request.method, request.path, request.query) == ("POST", "/a", "b=c")
    assert request.headers == {"host": "x", "x-y": "z", "content-length": "3"}
    assert request.body == b"abc"
    assert request.keep_alive


def test_pipelined_requests_come_in_order() -> None:
    one = b"GET /1 HTTP/1.1\r\nHost: x\r\n\r\n"
    two = HEAD + b"Content-Length: 2\r\n\r\nhi"
    assert [r.path for r in parse(one + two + one)] == ["/1", "/a", "/1"]


def test_chunked_body_with_extension_and_trailer() -> None:
    body = b"4;name=value\r\nwiki\r\nA\r\n0123456789\r\n0\r\nX-Trailer: 1\r\n\r\n"
    (request,) = parse(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + body)
    assert request.body == b"wiki0123456789"


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n", True),
        (b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n", False),
        (b"GET / HTTP/1.1\r\nHost: x\r\nConnection: te, Close\r\n", False),
        (b"GET / HTTP/1.0\r\n", False),
        (b"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n", True),
    ],
)
def test_keep_alive(line: bytes, kept: bool) -> None:
    assert parse(line + b"\r\n")[0].keep_alive is kept


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", id="both"),
        pytest.param(b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", id="both, reversed"),
        pytest.param(b"Content-Length: 3\r\nContent-Length: 3\r\n", id="length twice"),
        pytest.param(b"Content-Length: 3, 3\r\n", id="list of lengths"),
        pytest.param(b"Content-Length: +3\r\n", id="signed length"),
        pytest.param(b"Content-Length: -1\r\n", id="negative length"),
        pytest.param(b"Content-Length: 0x3\r\n", id="hexadecimal length"),
        pytest.param(b"Content-Length: 3 3\r\n", id="space in the length"),
        pytest.param(b"Content-Length:\r\n", id="empty length"),
        pytest.param("Content-Length: \u00b3\r\n".encode("latin-1"), id="superscript length"),
        pytest.param(b"Content-Length : 3\r\n", id="space before the colon"),
        pytest.param(b"X: a\r\n folded\r\n", id="folded header"),
        pytest.param(b" X: a\r\n", id="leading space"),
        pytest.param(b"X: a\rb\r\n", id="bare carriage return"),
        pytest.param(b"X: a\nY: b\r\n", id="bare line feed"),
        pytest.param(b"X: a\x00b\r\n", id="nul byte"),
        pytest.param(b": no name\r\n", id="no name"),
        pytest.param(b"no colon\r\n", id="no colon"),
        pytest.param(b"Host: y\r\n", id="second host"),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(data: bytes) -> None:
    assert refusal(HEAD + data + b"\r\nabc").status == 400


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n", 501),
        (HEAD + b"Transfer-Encoding: xchunked\r\n\r\n", 501),
        (HEAD + b"Transfer-Encoding: chunked, identity\r\n\r\n", 501),
        (HEAD + b"Expect: tea\r\n\r\n", 417),
        (HEAD + b"Content-Length: 5001\r\n\r\n", 413),
        (HEAD + b"X: " + b"a" * 3000, 431),
        (HEAD + b"a: b\r\n" * 21 + b"\r\n", 431),
        (b"GET /" + b"a" * 3000, 414),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505),
        (b"GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET / http/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET * HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\nHost: x\n\n", 400),
        (b"GET /\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00", 400),
        (b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    ],
)
def test_refused_heads(data: bytes, status: int) -> None:
    assert refusal(data).status == status


@pytest.mark.parametrize(
    ("chunks", "status"),
    [
        (b"g\r\n", 400),
        (b"-1\r\n", 400),
        (b"0x1\r\na\r\n", 400),
        (b"1\na\n", 400),
        (b"1\r\nab\r\n", 400),
        (b"1" * 40 + b"\r\n", 400),
        (b"1;" + b"x" * 100 + b"\r\n", 400),
        (b"1389\r\n", 413),
        (b"1388\r\n" + b"a" * 5000 + b"\r\n1\r\n", 413),
        (b"0\r\nbad trailer\r\n\r\n", 400),
        (b"0\r\n" + b"a: b\r\n" * 30 + b"\r\n", 400),
    ],
)
def test_refused_chunks(chunks: bytes, status: int) -> None:
    assert refusal(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks).status == status


@pytest.mark.parametrize("size", [65_535, 65_536, 65_537, 300_000])
@pytest.mark.parametrize("piece", [1_000, 65_536, 1_000_000])
def test_a_large_body_is_received_in_its_place(size: int, piece: int) -> None:
    parser = RequestParser(HeadReader(HttpLimits(body=300_000)))
    body = bytes(range(256)) * (size // 256 + 1)
    body = body[:size]
    data = HEAD + b"Content-Length: %d\r\n\r\n" % size + body
    found = []
    for request in (data, data):  # the second one finds no trace of the first
        left = memoryview(request)
        while left:
            room = parser.room
            if room:
                count = min(piece, len(room), len(left))
                room[:count] = left[:count]
                parser.filled(count)
            else:
                count = min(piece, len(left))
                parser.feed(left[:count])
            left = left[count:]
            while (one := parser.next()) is not None:
                found.append(bytes(one.body))
            if parser.needs:
                assert parser.needs == size >= 65_536
                parser.grant()
    assert found == [body, body]


def test_a_length_alone_takes_little_memory() -> None:
    parser = RequestParser(HeadReader(HttpLimits(body=1 << 30)))
    parser.feed(HEAD + b"Content-Length: 1000000000\r\n\r\n")
    assert parser.next() is None
    assert parser.room is None
    assert parser.needs == 1_000_000_000
    parser.grant()
    assert parser.room is not None
    assert len(parser.room) <= 65_536


def test_absolute_address_is_a_path() -> None:
    (request,) = parse(b"GET http://host:80/x?y HTTP/1.1\r\nHost: host\r\n\r\n")
    assert (request.path, request.query) == ("/x", "y")


def test_it_asks_for_a_continue_only_while_the_body_is_missing() -> None:
    parser = RequestParser(HeadReader(LIMITS))
    parser.feed(HEAD + b"Expect: 100-continue\r\nContent-Length: 1\r\n\r\n")
    assert parser.next() is None
    assert parser.wants_continue
    parser.feed(b"a")
    request = parser.next()
    assert request is not None
    assert request.body == b"a"
    assert not parser.wants_continue


tokens = st.text("abcXYZ-_09!~", min_size=1, max_size=12)
values = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=20)


@st.composite
def wire(draw: st.DrawFn) -> tuple[bytes, list[bytes]]:
    """Requests on the wire, and their bodies."""
    data, bodies = b"", []
    for _ in range(draw(st.integers(1, 4))):
        body = draw(st.binary(max_size=60))
        data += b"POST /" + draw(tokens).encode() + b" HTTP/1.1\r\nHost: x\r\n"
        for name in draw(st.sets(tokens, max_size=3)):
            data += f"x{name}:{draw(values)}\r\n".encode()
        if draw(st.booleans()):
            data += b"Content-Length: %d\r\n\r\n" % len(body) + body
        else:
            data += b"Transfer-Encoding: chunked\r\n\r\n"
            cut = draw(st.integers(0, len(body)))
            for part in (body[:cut], body[cut:]):
                data += b"%x\r\n%b\r\n" % (len(part), part) if part else b""
            data += b"0\r\n\r\n"
        bodies.append(body)
    return data, bodies


@settings(max_examples=150, deadline=None)
@given(wire(), st.data())
def test_pieces_make_no_difference(made: tuple[bytes, list[bytes]], draw: st.DataObject) -> None:
    data, bodies = made
    cuts = sorted(draw.draw(st.lists(st.integers(0, len(data)), max_size=12)))
    pieces = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    assert [request.body for request in parse(*pieces)] == bodies


@settings(max_examples=200, deadline=None)
@given(wire(), st.lists(st.integers(0, 3), min_size=2, max_size=6), st.binary(max_size=5))
def test_a_head_that_comes_again_is_read_as_before(
    made: tuple[bytes, list[bytes]], changes: list[int], more: bytes
) -> None:
    data, _ = made
    changed = (data, data + more, data[:-1], more + data)
    pieces = [data, *(changed[number] for number in changes)]
    assert outcome(pieces) == outcome(pieces, shortcut=False)


def test_a_whole_request_under_the_same_head_is_taken_at_once() -> None:
    one, two = HEAD + b"Content-Length: 2\r\n\r\nhi", HEAD + b"Content-Length: 2\r\n\r\nho"
    parser = RequestParser(HeadReader(LIMITS))
    assert parser.again(memoryview(one)) is None
    parser.feed(one)
    assert parser.next() is not None
    again = parser.again(memoryview(two))
    assert again is not None
    assert again.body == b"ho"
    assert again.path == "/a"
    parser.feed(b"P")
    assert parser.again(memoryview(two)) is None  # a request has begun


fragments = st.sampled_from(
    [
        b"GET / HTTP/1.1\r\n",
        b"Host: x\r\n",
        b"Content-Length: 5\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Expect: 100-continue\r\n",
        b"\r\n",
        b"\n",
        b"0\r\n",
        b"5\r\nhello\r\n",
        b"hello",
        b"\x00",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(fragments | st.binary(max_size=30), max_size=15), st.integers(1, 50))
@example([b"\r\n"] * 15, 1)
def test_any_bytes_are_requests_or_a_refusal(parts: list[bytes], size: int) -> None:
    data = b"".join(parts)
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    # In one piece or in many: the same requests, or both times a refusal.
    assert outcome(pieces) == outcome([data])


def outcome(pieces: list[bytes], shortcut: bool = True) -> object:
    """What was read, or that it was refused; any other error fails the test."""
    try:
        found = parse(*pieces, shortcut=shortcut)
        return [(r.method, r.path, r.query, r.headers, r.keep_alive, r.body) for r in found]
    except HttpError as error:
        return error.close
