"""Rules of a file, channels that fail, notices that are sent once."""

from __future__ import annotations

import http.server
import json
import queue
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from studio.api import UsageError
from studio.documents.dataclass_json import from_json, to_json
from studio.monitoring.alerts.channels import ChannelError, Notice, channel_of
from studio.monitoring.alerts.dispatch import Dispatcher, OwnRules
from studio.monitoring.alerts.rules import ChannelSpec, alerts_of, read_alerts
from studio.monitoring.results import TargetSample
from studio.plugin_host import PluginHost
from tests.rigs.boards import until

NOTICE = Notice(
    name="drift",
    level="warning",
    text="What the model sees differs.",
    at="2026-11-26T08:00:00+00:00",
    target="roof",
    state="firing",
)


def no_secret(name: str) -> str:
    return ""


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ({"rule": []}, "Did you mean rules?"),
        ({"rules": [{"metric": "throughput", "abov": 1}]}, "Did you mean above?"),
        ({"rules": [{"metric": "latency_ms.p9", "above": 1}]}, "Did you mean latency_ms.p9"),
        ({"rules": [{"metric": "throughput"}]}, "one limit"),
        ({"rules": [{"metric": "throughput", "above": "many"}]}, "a number"),
        ({"rules": [{"metric": "throughput", "above": 1, "level": "loud"}]}, "critical"),
        ({"channels": [{"kind": "pigeon"}]}, "webhook"),
        ({"channels": [{"kind": "webhook", "url": "ftp://x"}]}, "http"),
        (
            {"channels": [{"kind": "webhook", "url": "http://x", "tokn_secret": "A"}]},
            "token_secret",
        ),
        ({"channels": [{"kind": "email", "host": "x"}]}, "to"),
    ],
)
def test_a_file_that_cannot_be_is_refused(content: dict[str, Any], word: str) -> None:
    with pytest.raises(UsageError) as caught:
        alerts_of(content)
    assert word in caught.value.message + " " + (caught.value.hint or "")


def test_broken_toml_says_where(tmp_path: Path) -> None:
    (tmp_path / "alerts.toml").write_text("[[rules]\n")
    with pytest.raises(UsageError, match=r"alerts.toml is not valid TOML: .*line 1"):
        read_alerts(tmp_path / "alerts.toml")


def sample(**values: Any) -> TargetSample:
    document = {"target": "roof", "latency_ms": {"p99": 30.0}, "requests": 100, "errors": 0}
    return from_json(TargetSample, {**document, **values})


def test_a_limit_must_be_broken_for_a_while() -> None:
    now = [0.0]
    rule = {"name": "slow", "metric": "latency_ms.p99", "above": 20, "for_s": 10}
    rules = OwnRules(alerts_of({"rules": [rule]}).rules, lambda: now[0])
    assert rules.judge(sample()) == []
    now[0] = 9.0
    assert rules.judge(sample(latency_ms={"p99": 10.0})) == []
    assert rules.judge(sample()) == []
    now[0] = 20.0
    (alert,) = rules.judge(sample())
    assert (alert.name, alert.value, alert.limit) == ("slow", 30.0, 20.0)


def test_figures_that_an_older_runtime_does_not_tell_break_no_limit() -> None:
    found = alerts_of({"rules": [{"metric": "accuracy", "below": 0.9}]})
    assert OwnRules(found.rules).judge(sample()) == []


def test_the_rate_of_errors_is_that_since_the_last_look() -> None:
    rules = OwnRules(alerts_of({"rules": [{"metric": "error_rate", "above": 0.1}]}).rules)
    assert rules.judge(sample(requests=1000, errors=0)) == []
    (alert,) = rules.judge(sample(requests=1010, errors=5))
    assert alert.value == 0.5
    # A server that was started again counts from nothing.
    assert rules.judge(sample(requests=4, errors=0)) == []


def alerting(*names: str) -> TargetSample:
    return sample(alerts=[{"name": n, "level": "warning", "text": n, "value": 1} for n in names])


def test_a_notice_when_it_begins_and_one_when_it_ends() -> None:
    sent: list[Notice] = []
    made = Dispatcher({"a": (("warning",), sent.append)}, lambda *_: None)
    for names in ((), ("drift",), ("drift",), ("drift", "latency"), ("latency",), ("latency",)):
        made.dispatch(alerting(*names))
    made.close()
    found = [(one.name, one.state) for one in sent]
    assert found == [("drift", "firing"), ("latency", "firing"), ("drift", "resolved")]


def test_a_channel_that_fails_is_tried_three_times_and_said() -> None:
    tried: list[Notice] = []
    said: list[tuple[str, str]] = []

    def fail(notice: Notice) -> None:
        tried.append(notice)
        raise ChannelError("The webhook at http://x cannot be reached.")

    made = Dispatcher({"hook": (("warning",), fail)}, lambda *say: said.append(say), wait_s=0.01)
    made.dispatch(alerting("drift"))
    made.close()
    assert len(tried) == 3
    assert said == [
        ("hook", "The webhook at http://x cannot be reached. It is tried again."),
        ("hook", "The webhook at http://x cannot be reached. It was tried 3 times."),
    ]


class Hook(http.server.BaseHTTPRequestHandler):
    """Keeps what it is sent."""

    def do_POST(self) -> None:
        size = int(self.headers["Content-Length"])
        self.server.got.put((dict(self.headers), self.rfile.read(size)))  # type: ignore[attr-defined]
        self.send_response(self.server.code)  # type: ignore[attr-defined]
        self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def hook(code: int = 204) -> Iterator[Any]:
    server: Any = http.server.HTTPServer(("127.0.0.1", 0), Hook)
    server.got, server.code = queue.Queue(), code
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_webhook_is_signed_and_its_secrets_stay_out_of_what_is_said() -> None:
    import hashlib
    import hmac

    secrets = {"key": "the signing key", "bearer": "the token"}
    with hook() as server:
        url = f"http://127.0.0.1:{server.server_port}/services/T0/SECRET-PATH"
        options = {"url": url, "signing_secret": "key", "token_secret": "bearer"}
        send = channel_of(ChannelSpec("webhook", "hook", options=options), secrets.__getitem__)
        send(NOTICE)
        headers, body = server.got.get(timeout=5)
    assert json.loads(body) == to_json(NOTICE)
    wanted = hmac.new(b"the signing key", body, hashlib.sha256).hexdigest()
    assert headers["Edgewright-Signature"] == "sha256=" + wanted
    assert headers["Authorization"] == "Bearer the token"
    with pytest.raises(ChannelError) as caught:  # it has gone
        send(NOTICE)
    for secret in ("SECRET-PATH", *secrets.values()):
        assert secret not in str(caught.value)


@pytest.mark.parametrize("code", [302, 404, 500])
def test_a_webhook_that_refuses_or_sends_elsewhere_is_an_error(code: int) -> None:
    with hook(code) as server:
        options = {"url": f"http://127.0.0.1:{server.server_port}/x", "token_secret": "t"}
        send = channel_of(ChannelSpec("webhook", "hook", options=options), lambda _: "token")
        with pytest.raises(ChannelError, match=f"answered {code}"):
            send(NOTICE)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def accepts(port: int) -> bool:
    with socket.socket() as one:
        one.settimeout(1)
        return one.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def process(port: int, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as child:
        try:
            until(lambda: accepts(port), f"{words[0]} at {port}", 20.0)
            yield child
        finally:
            child.terminate()


@pytest.mark.rig
@pytest.mark.needs("aiosmtpd")
def test_a_real_mail_server_takes_a_mail(tmp_path: Path) -> None:
    port, folder = free_port(), tmp_path / "box"
    words = ("-n", "-c", "aiosmtpd.handlers.Mailbox", str(folder))
    with process(port, "aiosmtpd", *words, "-l", f"127.0.0.1:{port}"):
        options = {"host": "127.0.0.1", "port": port, "to": ["ann@example.org"]}
        channel_of(ChannelSpec("email", "mail", options=options), no_secret)(NOTICE)
        (mail,) = list((folder / "new").iterdir())
        text = mail.read_text()
    assert "Subject: roof: drift (warning)" in text
    assert "What the model sees differs." in text
    with pytest.raises(ChannelError, match="took no mail"):
        channel_of(ChannelSpec("email", "mail", options=options), no_secret)(NOTICE)


@pytest.mark.rig
@pytest.mark.needs("mosquitto", "mosquitto_sub")
def test_a_real_broker_takes_an_alert(tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "conf").write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    broker = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
    options = {"host": "127.0.0.1", "port": port, "topic": "plant/alerts"}
    send = channel_of(
        ChannelSpec("mqtt", "mqtt", options=options), no_secret, PluginHost.discover()
    )
    with process(port, broker, "-c", str(tmp_path / "conf")):
        send(replace(NOTICE, target="roof/+#1"))
        words = [
            "mosquitto_sub",
            "-p",
            str(port),
            "-t",
            "plant/alerts/#",
            "-C",
            "1",
            "-W",
            "5",
            "-v",
        ]
        done = subprocess.run(words, capture_output=True, text=True, timeout=20, check=True)
    topic, _, content = done.stdout.strip().partition(" ")
    assert topic == "plant/alerts/roof---1/drift"
    assert json.loads(content)["text"] == NOTICE.text
    with pytest.raises(ChannelError, match="cannot be reached"):
        send(NOTICE)
