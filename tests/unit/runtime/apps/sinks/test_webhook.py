"""A webhook posts batches, tells a refusal from a failure, and follows no redirect."""

from __future__ import annotations

import json
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from studio.runtime.apps.graph import Sink
from studio.runtime.apps.parts import RefusedError
from studio.runtime.apps.settings import AppError
from studio.runtime.apps.sinks.delivery import SinkWorker
from studio.runtime.apps.sinks.outbox import Outbox
from studio.runtime.apps.sinks.webhook import TYPES, Webhook, WebhookSettings
from studio.runtime.shared import web_address
from tests.unit.runtime.apps.parts import Context, event


class Receiver(ThreadingHTTPServer):
    """A receiver that answers with the statuses that the test gives.

    Attributes:
        statuses: Of the next answers, the last of the list first; then 204.
        posts: Path, headers and content of each request.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.statuses: list[int] = []
        self.posts: list[tuple[str, dict[str, str], Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hook?a=1"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        headers = {name.lower(): value for name, value in self.headers.items()}
        status = self.server.statuses.pop() if self.server.statuses else 204
        if status:
            self.server.posts.append((self.path, headers, body))
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing on the screen."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def hook(url: str, **settings: Any) -> Webhook:
    return Webhook("hook", WebhookSettings(url, **settings), Context())


EVENTS = [event(number)._replace(id=f"yard-abcdef-{number}") for number in (4, 5, 9)]


def test_events_are_posted_with_a_key_and_a_token(receiver: Receiver) -> None:
    hook(receiver.url, token="secret").deliver(EVENTS)
    ((path, headers, body),) = receiver.posts
    assert path == "/hook?a=1"
    assert headers["authorization"] == "Bearer secret"
    assert headers["idempotency-key"] == "yard-abcdef-4:9:3"
    assert headers["content-type"] == "application/json"
    assert body == {"events": [one.to_json() for one in EVENTS]}


@pytest.mark.parametrize("status", [200, 201, 204])
def test_each_2xx_is_a_success(receiver: Receiver, status: int) -> None:
    receiver.statuses = [status]
    hook(receiver.url).deliver(EVENTS)


@pytest.mark.parametrize("status", [400, 404, 410, 413, 422])
def test_a_4xx_is_a_refusal(receiver: Receiver, status: int) -> None:
    receiver.statuses = [status]
    with pytest.raises(RefusedError, match=rf"127.0.0.1 refuses the events \({status}\)"):
        hook(receiver.url).deliver(EVENTS)


def worker(url: str, outbox: Outbox, **settings: Any) -> SinkWorker:
    given = WebhookSettings(url, **settings)
    one = Sink("hook", TYPES["webhook"], given, ("gate",))
    return SinkWorker(one, Webhook("hook", given, Context()), outbox)


@pytest.mark.parametrize("status", [401, 403, 407])
def test_events_wait_for_a_corrected_token(receiver: Receiver, tmp_path: Path, status: int) -> None:
    """A wrong secret loses no event: with the right one they are delivered, in their order."""
    outbox = Outbox(str(tmp_path), "yard", sinks=("hook",))
    for number in range(3):
        outbox.add([event(number)])
    receiver.statuses = [status, status]
    wrong = worker(receiver.url, outbox, token="old")
    for _ in range(2):
        with pytest.raises(OSError, match=rf"refuses the token \({status}\)"):
            wrong.deliver_batch()
    assert outbox.waiting("hook") == 3
    assert worker(receiver.url, outbox, token="new").deliver_batch()
    assert [one["n"] for one in receiver.posts[-1][2]["events"]] == [0, 1, 2]
    assert outbox.cursor("hook").refused == 0
    outbox.close()


@pytest.mark.parametrize("status", [301, 308, 408, 429, 500, 503])
def test_other_statuses_are_failures_and_redirects_are_not_followed(
    receiver: Receiver, status: int
) -> None:
    receiver.statuses = [status]
    with pytest.raises(OSError, match=str(status)) as raised:
        hook(receiver.url).deliver(EVENTS)
    assert not isinstance(raised.value, RefusedError)
    assert [path for path, _, _ in receiver.posts] == ["/hook?a=1"]


def test_no_answer_and_no_receiver_are_failures_in_words(receiver: Receiver) -> None:
    receiver.statuses = [0]
    with pytest.raises(OSError, match=r"does not answer|cannot be reached"):
        hook(receiver.url).deliver(EVENTS)
    with pytest.raises(OSError, match=r"127.0.0.1 cannot be reached: Connection refused"):
        hook("http://127.0.0.1:9/").deliver(EVENTS)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"url": "ftp://host/"}, "url is an address"),
        ({"url": "https:///path"}, "url is an address"),
        ({"url": "http://host:99999/"}, "url is an address"),
        ({"url": "http://user:password@host/"}, "url is an address"),
        ({"url": "http://host/a b"}, "url is an address"),
        ({"url": "http://host/", "token": "a\r\nX: y"}, "token has a character"),
        ({"url": "http://host/", "timeout_s": 0.0}, "timeout_s is from"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(AppError, match=sentence):
        Webhook("hook", WebhookSettings(**settings), Context())


def test_a_receiver_that_fails_half_the_time_gets_every_event(
    receiver: Receiver, tmp_path: Path
) -> None:
    outbox = Outbox(str(tmp_path), "yard", sinks=("hook",))
    ids = [one.id for one in outbox.add([event(number) for number in range(1000)])]
    receiver.statuses = [503, 204, 0, 204, 500, 429, 204, 204, 502, 0]
    one = Sink("hook", TYPES["webhook"], WebhookSettings(receiver.url), ("gate",))
    pauses: list[float] = []
    worker = SinkWorker(one, hook(receiver.url), outbox, pauses.append)
    while outbox.waiting("hook"):
        worker.turn()
    came = [found["id"] for _, _, body in receiver.posts for found in body["events"]]
    outbox.close()
    assert len(pauses) == 6
    assert list(dict.fromkeys(came)) == ids


@pytest.mark.needs("openssl")
def test_a_certificate_that_nobody_vouches_for_is_not_accepted(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1"]
    words += ["-keyout", str(key), "-out", str(certificate), "-days", "1"]
    subprocess.run(words, check=True, capture_output=True, timeout=60)
    server = Receiver()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    with pytest.raises(OSError, match=r"the certificate of 127\.0\.0\.1 is not valid"):
        hook(server.url.replace("http://", "https://"), token="secret").deliver(EVENTS)
    server.shutdown()
    thread.join()
    server.server_close()
    assert server.posts == []


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "0xa9fea9fe",
        "2852039166",
        "0251.0376.0251.0376",
        "169.254.43518",
        "[::ffff:169.254.169.254]",
        "[::ffff:a9fe:a9fe]",
        "[64:ff9b::a9fe:a9fe]",
        "[fd00:ec2::254]",
        "169.254.170.2",
        "100.100.100.200",
    ],
)
def test_no_event_goes_to_a_metadata_service_by_any_spelling(host: str) -> None:
    with pytest.raises(OSError, match="is a metadata service, not a receiver"):
        hook(f"http://{host}/latest/meta-data/").deliver(EVENTS)


def test_a_name_that_changes_its_address_reaches_no_metadata_service(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = web_address.socket.getaddrinfo
    lookups: list[str] = []

    def changing(host: str, *rest: Any, **more: Any) -> Any:
        lookups.append(host)
        return known("192.0.2.1" if len(lookups) == 1 else host, *rest, **more)

    monkeypatch.setattr(web_address, "_METADATA", (ip_network("127.0.0.0/8"),))
    monkeypatch.setattr(web_address.socket, "getaddrinfo", changing)
    with pytest.raises(OSError, match="is a metadata service"):
        hook(receiver.url).deliver(EVENTS)
    assert receiver.posts == []
