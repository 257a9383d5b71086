"""Events as webhooks: both forms, signatures, the handshake, and the outbox."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.api import UsageError
from studio.monitoring.alerts.channels import ChannelError, Notice, to_events
from studio.monitoring.alerts.rules import alerts_of
from studio.monitoring.webhooks.channel import EventChannel
from studio.monitoring.webhooks.delivery import DeliveryError, secret_of_file
from studio.monitoring.webhooks.event import CloudEvent, header_text, message_of
from studio.monitoring.webhooks.outbox import TRIES, EventOutbox
from tests.rigs.event_receiver import EventReceiver, event_receiver

EVENT = CloudEvent.of("edgewright.test", "bench pi", {"value": 1}, "/edgewright/desk", "k", "T")


@pytest.fixture
def receiver() -> Iterator[EventReceiver]:
    with event_receiver() as running:
        yield running


def channel(receiver: EventReceiver, data: Path, **options: object) -> EventChannel:
    given = {"url": receiver.url, **options}
    return EventChannel("hook", given, data, lambda name: "s3cret" if name else "")


def test_the_binary_form_has_attributes_as_headers() -> None:
    message = message_of(EVENT, "binary")
    assert message.headers["ce-specversion"] == "1.0"
    assert message.headers["ce-subject"] == "bench%20pi"
    assert message.headers["Content-Type"] == "application/json"
    assert json.loads(message.body) == {"value": 1}


def test_the_structured_form_is_one_document() -> None:
    message = message_of(EVENT, "structured")
    document = json.loads(message.body)
    assert message.headers["Content-Type"].startswith("application/cloudevents+json")
    assert document["subject"] == "bench pi"
    assert document["data"] == {"value": 1}
    assert document["id"] == EVENT.id


def test_a_header_takes_no_line_break() -> None:
    assert header_text('a\r\nX: "1"%\u20ac') == "a%0D%0AX:%20%221%22%25%E2%82%AC"


@pytest.mark.parametrize("mode", ["binary", "structured"])
def test_the_signature_covers_attributes_and_body(mode: str) -> None:
    message = message_of(EVENT, mode, "key")
    head = f"{EVENT.id}\n{EVENT.source}\n{EVENT.type}\n{EVENT.subject}\n{EVENT.time}\n"
    expected = hmac.new(b"key", head.encode() + message.body, hashlib.sha256).hexdigest()
    assert message.headers["Edgewright-Signature"] == f"sha256={expected}"


def test_equal_events_have_equal_ids() -> None:
    again = CloudEvent.of("edgewright.test", "bench pi", {"value": 2}, "/edgewright/desk", "k")
    other = CloudEvent.of("edgewright.test", "bench pi", {"value": 1}, "/edgewright/desk", "l")
    assert again.id == EVENT.id
    assert other.id != EVENT.id


def test_the_receiver_is_asked_once(receiver: EventReceiver, tmp_path: Path) -> None:
    hook = channel(receiver, tmp_path, token_secret="name", origin="desk")
    hook.add("test", "bench", {}, "1")
    hook.add("test", "bench", {}, "2")
    assert hook.deliver().sent == 2
    methods = [one.method for one in receiver.requests]
    assert methods == ["OPTIONS", "POST", "POST"]
    assert receiver.requests[0].headers["webhook-request-origin"] == "desk"
    assert "authorization" not in receiver.requests[0].headers
    assert receiver.posts[0].headers["authorization"] == "Bearer s3cret"


@pytest.mark.parametrize("allowed", ["", "other.example.org"])
def test_a_receiver_that_does_not_allow_gets_nothing(
    receiver: EventReceiver, tmp_path: Path, allowed: str
) -> None:
    receiver.allowed = allowed
    hook = channel(receiver, tmp_path)
    hook.add("test", "bench", {}, "1")
    done = hook.deliver()
    assert "does not allow" in done.error
    assert done.waiting == 1
    assert receiver.posts == []


def test_a_sent_event_is_not_sent_again(receiver: EventReceiver, tmp_path: Path) -> None:
    for _ in range(3):
        hook = channel(receiver, tmp_path)
        hook.add("test", "bench", {}, "1")
        hook.deliver()
    assert len(receiver.posts) == 1


def test_a_failure_keeps_order_and_id(receiver: EventReceiver, tmp_path: Path) -> None:
    receiver.statuses = [500, 302]
    hook = channel(receiver, tmp_path, handshake=False)
    hook.add("test", "bench", {"n": 1}, "1")
    hook.add("test", "bench", {"n": 2}, "2")
    first, second, third = (hook.deliver(now=True) for _ in range(3))
    assert (first.sent, second.sent, third.sent) == (0, 0, 2)
    assert "answered 500" in first.error
    assert "secret-path" not in first.error
    assert [json.loads(one.body)["n"] for one in receiver.posts] == [1, 1, 1, 2]
    assert len({one.headers["ce-id"] for one in receiver.posts}) == 2


def test_the_next_try_is_later(receiver: EventReceiver, tmp_path: Path) -> None:
    receiver.statuses, receiver.more = [429], {"Retry-After": "30"}
    hook = channel(receiver, tmp_path)
    hook.add("test", "bench", {}, "1")
    assert hook.deliver().error
    assert hook.deliver().error == ""
    assert len(receiver.posts) == 1
    (waiting,) = hook.outbox.waiting()
    assert waiting.tries == 1
    assert "429" in waiting.error


def test_a_receiver_that_is_gone_ends_it(receiver: EventReceiver, tmp_path: Path) -> None:
    receiver.statuses = [410]
    hook = channel(receiver, tmp_path)
    hook.add("test", "bench", {}, "1")
    done = hook.deliver()
    assert done.given_up == 1
    assert hook.outbox.waiting() == []


def test_the_outbox_is_bounded_and_drops_the_oldest(tmp_path: Path) -> None:
    outbox = EventOutbox(tmp_path, "hook", most=5)
    events = [CloudEvent.of("t", "s", {}, "/x", str(n), "T") for n in range(8)]
    assert all(outbox.add(one) for one in events)
    waiting = [one.event.id for one in outbox.waiting()]
    assert waiting == [one.id for one in events[3:]]
    assert not outbox.add(events[-1])


def test_an_event_is_given_up_after_many_tries(tmp_path: Path) -> None:
    outbox = EventOutbox(tmp_path, "hook")
    outbox.add(EVENT)

    def fail(_: CloudEvent) -> None:
        raise DeliveryError("no")

    done = [outbox.deliver(fail, now=True) for _ in range(TRIES)]
    assert [one.given_up for one in done] == [0] * (TRIES - 1) + [1]


def test_a_damaged_file_of_the_outbox_is_removed(tmp_path: Path) -> None:
    outbox = EventOutbox(tmp_path, "hook")
    outbox.add(EVENT)
    (file,) = tmp_path.rglob(f"*-{EVENT.id}.json")
    file.write_text("{")
    assert outbox.deliver(lambda _: None).sent == 0
    assert not file.exists()


def test_a_secret_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("abc\n")
    path.chmod(0o644)
    with pytest.raises(UsageError, match="Others may read"):
        secret_of_file(str(path))
    path.chmod(0o600)
    assert secret_of_file(str(path)) == "abc"
    path.write_text("abc\ndef\n")
    with pytest.raises(UsageError, match="one secret"):
        secret_of_file(str(path))


def test_files_of_the_outbox_are_private(tmp_path: Path) -> None:
    EventOutbox(tmp_path, "hook").add(EVENT)
    (file,) = tmp_path.rglob(f"*-{EVENT.id}.json")
    assert os.stat(file).st_mode & 0o077 == 0


def test_a_token_needs_encryption(tmp_path: Path) -> None:
    options = {"url": "http://example.org/x", "token_secret": "name"}
    with pytest.raises(UsageError, match="https"):
        EventChannel("hook", options, tmp_path, lambda _: "s3cret")


def test_an_alert_and_a_drift_have_types_of_their_own(
    receiver: EventReceiver, tmp_path: Path
) -> None:
    hook = channel(receiver, tmp_path)
    to_events(Notice("latency", "warning", "slow", 2.0, 1.0, "T", target="bench"), hook)
    to_events(Notice("drift", "warning", "drifts", target="bench", state="resolved"), hook)
    types = [one.headers["ce-type"] for one in receiver.posts]
    assert types == ["edgewright.alert.firing", "edgewright.drift.resolved"]


def test_an_alert_that_cannot_be_sent_is_reported_and_kept(
    receiver: EventReceiver, tmp_path: Path
) -> None:
    receiver.statuses = [503]
    hook = channel(receiver, tmp_path)
    notice = Notice("latency", "warning", "slow", 2.0, 1.0, "T", target="bench")
    with pytest.raises(ChannelError, match="503"):
        to_events(notice, hook)
    to_events(notice, hook)
    assert len({one.headers["ce-id"] for one in receiver.posts}) == 1
    assert len(receiver.posts) == 2


@pytest.mark.parametrize(
    "table", [{"url": "ftp://x"}, {"url": "http://x", "mode": "other"}, {"url": "http://x", "u": 1}]
)
def test_a_wrong_channel_is_refused(table: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        alerts_of({"channels": [{"kind": "cloudevents", **table}]})
