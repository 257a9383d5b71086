"""Limits and refusals of the connection to the server."""

from __future__ import annotations

import time
from email.utils import formatdate
from pathlib import Path

import pytest

from studio.runtime.pull.connection import ServerConnection
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
