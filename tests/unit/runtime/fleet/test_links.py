"""Clients of brokers that lie, refuse, or leave in the middle."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest

from studio.runtime.fleet.link import open_link
from studio.runtime.fleet.settings import FleetSettings, settings_of
from tests.unit.runtime.fleet.scripted import ScriptedServer

INFO = b'INFO {"max_payload":1024}\r\n'


def settings(kind: str, port: int) -> FleetSettings:
    """Return settings for a server on the loopback."""
    return settings_of(
        {"url": f"{kind}://127.0.0.1:{port}", "board": "cam-1", "user": "u", "password": "p"}
    )


def published(kind: str, script: Callable[[socket.socket], None], content: bytes = b"{}") -> None:
    """Publish a message to a scripted server."""
    with ScriptedServer(script) as server:
        link = open_link(settings(kind, server.port), 1.0)
        try:
            link.publish(content, "boot-1")
        finally:
            link.close()


def nats(answer: bytes, begin: bytes = INFO) -> Callable[[socket.socket], None]:
    """Return the script of a NATS server with one answer to a message."""

    def script(link: socket.socket) -> None:
        link.sendall(begin)
        seen = b""
        while b"PING\r\n" not in seen:
            part = link.recv(4096)
            if not part:
                return
            seen += part
        link.sendall(b"PONG\r\nPING\r\n")
        while b"HPUB" not in seen or b"\r\n\r\n" not in seen.partition(b"HPUB")[2]:
            part = link.recv(4096)
            if not part:
                return
            seen += part
        reply = seen.partition(b"HPUB ")[2].split()[1]
        assert b"Nats-Msg-Id: boot-1" in seen
        link.sendall(answer.replace(b"REPLY", reply))
        while link.recv(4096):
            pass

    return script


def answered(content: bytes) -> bytes:
    """Return a message of the server to the client."""
    return b"MSG REPLY 1 %d\r\n%s\r\n" % (len(content), content)


def test_a_stored_message_is_acknowledged() -> None:
    published("nats", nats(b"PING\r\n+OK\r\n" + answered(b'{"stream":"S","seq":1}')))


def test_the_answer_to_an_earlier_message_does_not_count() -> None:
    other = b"MSG _INBOX.other.boot-0 1 2\r\n{}\r\n"
    published("nats", nats(other + answered(b'{"stream":"S","seq":1}')))


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (b"HMSG REPLY 1 16 16\r\nNATS/1.0 503\r\n\r\n\r\n", "no stream"),
        (answered(b'{"error":{"code":500,"description":"is full"}}'), "is full"),
        (answered(b'{"error":1}'), "no reason"),
        (answered(b"{}"), "no reason"),
        (answered(b"[]"), "does not answer as NATS"),
        (answered(b"{" * 5000), "does not answer as NATS"),
        (b"MSG REPLY 1 99999999\r\n", "does not answer as NATS"),
        (b"-ERR 'Permissions Violation'\r\n", "Permissions"),
        (b"", "timed out"),
    ],
)
def test_a_nats_server_that_does_not_store_is_an_error(answer: bytes, text: str) -> None:
    with pytest.raises(OSError, match=text):
        published("nats", nats(answer))


@pytest.mark.parametrize(
    ("begin", "text"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "does not answer as NATS"),
        (b"INFO {\r\n", "does not answer as NATS"),
        (b'INFO {"tls_required":true}\r\n', "wants TLS"),
        (b"INFO " + b"x" * 100_000, "closed the connection"),
        (b"-ERR 'no'\r\n", "no"),
    ],
)
def test_a_nats_server_with_another_greeting_is_an_error(begin: bytes, text: str) -> None:
    with pytest.raises(OSError, match=text):
        published("nats", nats(b"", begin))


def test_a_message_that_is_too_long_for_the_server_is_not_sent() -> None:
    with pytest.raises(OSError, match="no message of 2000 bytes"):
        published("nats", nats(b""), b"x" * 2000)


def test_a_login_is_not_sent_in_the_clear_when_tls_is_wanted() -> None:
    seen = []

    def script(link: socket.socket) -> None:
        link.sendall(INFO)
        seen.append(link.recv(4096))
        link.sendall(b"no TLS at all")

    with ScriptedServer(script) as server, pytest.raises(OSError, match=r"."):
        open_link(settings("tls", server.port), 1.0)
    assert b"CONNECT" not in seen[0]


def mqtt(connack: bytes, answer: bytes) -> Callable[[socket.socket], None]:
    """Return the script of an MQTT broker."""

    def script(link: socket.socket) -> None:
        assert link.recv(4096)[0] == 0x10
        link.sendall(connack)
        if link.recv(4096)[:1] == b"\x33":
            link.sendall(answer)
            link.recv(4096)

    return script


ACCEPTED = b"\x20\x02\x00\x00"


def test_mqtt_waits_for_its_acknowledgement() -> None:
    published("mqtt", mqtt(ACCEPTED, b"\x40\x02\x00\x09\xd0\x00\x40\x02\x00\x01"))


@pytest.mark.parametrize(
    ("connack", "answer", "text"),
    [
        (b"\x20\x02\x00\x05", b"", "refuses this client"),
        (b"\x20\x02\x00\x04", b"", "refuses the login"),
        (b"\x20\x02\x00\x99", b"", "refuses"),
        (b"HTTP/1.1 400", b"", "does not answer as MQTT|closed|timed out"),
        (b"\x20\xff\xff\xff\x7f", b"", "does not answer as MQTT"),
        (ACCEPTED, b"\x40\x02\x00\x02", "timed out"),
        (ACCEPTED, b"", "timed out"),
    ],
)
def test_an_mqtt_broker_that_does_not_store_is_an_error(
    connack: bytes, answer: bytes, text: str
) -> None:
    with pytest.raises(OSError, match=text):
        published("mqtt", mqtt(connack, answer))


def test_nobody_listens() -> None:
    with ScriptedServer(lambda link: None) as server:
        port = server.port
    with pytest.raises(OSError, match="refused"):
        open_link(settings("nats", port), 1.0)
