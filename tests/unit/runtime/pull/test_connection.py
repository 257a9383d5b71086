"""Limits and refusals of the connection to the server."""

from __future__ import annotations

import hashlib
import http.client
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from email.utils import formatdate
from pathlib import Path

import pytest

from studio.runtime.pull import connection as pull_connection
from studio.runtime.pull import download as pull_download
from studio.runtime.pull.connection import Origin, ServerConnection
from studio.runtime.pull.ddi import Artifact
from studio.runtime.pull.download import download
from studio.runtime.pull.errors import PullError, TryLater
from studio.runtime.pull.settings import PullSettings
from tests.rigs.pull.ddi_server import DdiServer
from tests.rigs.pull.tls import certificate

BASE = "/DEFAULT/controller/v1/board-1"


def connection(server: DdiServer, authority: str = "") -> ServerConnection:
    settings = PullSettings(server.url, "DEFAULT", "board-1", plain=True)
    return ServerConnection(settings, "", authority)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("120", 120.0), ("0", 0.0), ("9" * 30, 86400.0), ("-5", 0.0), ("soon", 0.0), ("", 0.0)],
)
def test_retry_after_is_bounded(server: DdiServer, text: str, seconds: float) -> None:
    server.faults.statuses, server.faults.headers = [429], {"Retry-After": text}
    with pytest.raises(TryLater) as raised:
        connection(server).get(BASE)
    assert raised.value.after_s == seconds


def test_a_date_in_retry_after_counts_from_the_servers_clock(server: DdiServer) -> None:
    then = time.time() - 86400
    server.faults.date = formatdate(then, usegmt=True)
    server.faults.statuses = [503]
    server.faults.headers = {"Retry-After": formatdate(then + 300, usegmt=True)}
    with pytest.raises(TryLater) as raised:
        connection(server).get(BASE)
    assert raised.value.after_s == 300.0


def test_a_clock_that_is_a_day_off_is_noted(server: DdiServer) -> None:
    server.faults.date = formatdate(time.time() - 86400, usegmt=True)
    one = connection(server)
    one.get(BASE)
    assert one.clock_note().strip() == "The clock of this board is 24.0 h fast by the server's."


@pytest.mark.parametrize(
    ("status", "kind"), [(301, PullError), (404, PullError), (401, TryLater), (500, TryLater)]
)
def test_a_refusal_is_a_sentence(server: DdiServer, status: int, kind: type[Exception]) -> None:
    server.faults.statuses = [status]
    with pytest.raises(kind, match=r"\.$"):
        connection(server).get(BASE)


@pytest.mark.parametrize(
    "body", [b"[]", b"{", b"\xff", b"[" * 100_000, b'{"a": "' + b"x" * (1 << 20) + b'"}']
)
def test_an_answer_of_another_form_is_refused(server: DdiServer, body: bytes) -> None:
    server.faults.body = body
    with pytest.raises(PullError):
        connection(server).get(BASE)


def test_a_server_that_is_away_is_tried_later() -> None:
    settings = PullSettings("http://127.0.0.1:1", "DEFAULT", "board-1", plain=True)
    with pytest.raises(TryLater, match="cannot be reached"):
        ServerConnection(settings, "").get(BASE)


def test_a_certificate_of_the_named_authority_is_accepted(tmp_path: Path) -> None:
    made = certificate(tmp_path / "server.pem")
    with DdiServer(tls=made) as server:
        found = connection(server, str(made)).get(BASE)
    assert "config" in found


def test_a_foreign_certificate_is_refused(tmp_path: Path) -> None:
    shown, known = (certificate(tmp_path / name) for name in ("shown.pem", "known.pem"))
    with DdiServer(tls=shown) as server, pytest.raises(TryLater, match="cannot be verified"):
        connection(server, str(known)).get(BASE)


def test_a_certificate_that_has_ended_is_refused(tmp_path: Path) -> None:
    made = certificate(tmp_path / "server.pem", days=-1)
    with DdiServer(tls=made) as server, pytest.raises(TryLater, match="expired"):
        connection(server, str(made)).get(BASE)


@pytest.mark.parametrize(
    "href",
    [
        "//other.example/DEFAULT/controller/v1/board-1/x",
        "//127.0.0.1:{port}/DEFAULT/controller/v1/board-1/x",
        "http://u@127.0.0.1:{port}/DEFAULT/controller/v1/board-1/x",
        "//u:pw@127.0.0.1:{port}/DEFAULT/controller/v1/board-1/x",
        "http://127.0.0.1:{port}@other.example/DEFAULT/controller/v1/board-1/x",
        "/DEFAULT/controller/v1/board-1/%2e%2e/board-2/x",
        "/DEFAULT/controller/v1/board-1/%2E./board-2/x",
        "/DEFAULT/controller/v1/board-1/%252e%252e/board-2/x",
        "/DEFAULT/controller/v1/board-1/..%2fboard-2/x",
        "/DEFAULT/controller/v1/board-1/..%5cboard-2/x",
        "/DEFAULT/controller/v1/board-1/../board-2/x",
        "/DEFAULT/controller/v1/board-10/x",
    ],
)
def test_a_link_leads_to_no_other_host_and_no_other_board(server: DdiServer, href: str) -> None:
    with pytest.raises(PullError, match="The server links to"):
        connection(server).path_of(href.format(port=Origin.of(server.url).port), BASE)


@pytest.mark.parametrize("host", ["", "http://127.0.0.1:{port}"])
def test_a_link_to_this_board_is_taken_with_and_without_its_host(
    server: DdiServer, host: str
) -> None:
    href = host.format(port=Origin.of(server.url).port) + BASE + "/a%20b?c=1"
    assert connection(server).path_of(href, BASE) == BASE + "/a%20b?c=1"


@pytest.fixture
def trickle() -> Iterator[str]:
    """A server whose answers have heads without end, a few bytes at a time."""
    ended = threading.Event()

    def serve(listener: socket.socket) -> None:
        while not ended.is_set():
            with suppress(OSError), listener.accept()[0] as link:
                link.sendall(b"HTTP/1.1 200 OK\r\n")
                while not ended.wait(0.02):
                    link.sendall(b"X: 1\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        ended.set()
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def test_a_head_that_trickles_is_given_up(trickle: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pull_connection, "HEAD_S", 0.3)
    monkeypatch.setattr(http.client, "_MAXHEADERS", 1 << 30)
    settings = PullSettings(trickle, "DEFAULT", "board-1", plain=True)
    with pytest.raises(TryLater, match="arrives too slowly"):
        ServerConnection(settings, "").get(BASE)


def test_an_artefact_that_trickles_is_given_up_for_now(
    server: DdiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pull_download, "PATIENCE_S", -1e6)
    server.faults.body = b"x" * 1000
    one = Artifact("a.swu", 1000, "sha256", hashlib.sha256(b"x" * 1000).hexdigest(), BASE)
    with pytest.raises(TryLater, match="The artefact arrives too slowly"):
        download(connection(server), BASE, one, tmp_path / "a.part", 10**6, lambda: None)
