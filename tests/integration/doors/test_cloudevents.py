"""A deployment arrives as CloudEvents that the SDK of CloudEvents reads, in both modes."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Studio
from tests.rigs.event_receiver import EventReceiver, event_receiver

HERE = Path(__file__).parent


def read(clients: Path, receiver: EventReceiver) -> list[dict[str, Any]]:
    """The events as the SDK reads them."""
    done = subprocess.run(
        [str(clients), str(HERE / "read_events.py")],
        input=json.dumps([one.document for one in receiver.posts]),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def channel(desk: Studio, url: str, mode: str) -> None:
    folder = desk.home / "edgewright" / "config"
    folder.mkdir(parents=True, exist_ok=True)
    text = f'[[channels]]\nkind = "cloudevents"\nurl = "{url}"\nmode = "{mode}"\n'
    (folder / "alerts.toml").write_text(text)


@pytest.mark.parametrize("mode", ["binary", "structured"])
def test_a_deployment_and_its_end_arrive(
    mode: str, desk: Studio, clients: Path, digits: Path
) -> None:
    with event_receiver() as receiver:
        channel(desk, receiver.url, mode)
        deployed = desk.ok("deploy", digits / "digits.onnx", "--target", "local", "--replace")
        desk.ok("undeploy", "--target", "local")
        events = read(clients, receiver)
    types = [one["attributes"]["type"] for one in events]
    assert types == ["edgewright.release.deployed", "edgewright.release.undeployed"]
    assert {one["attributes"]["subject"] for one in events} == {"local"}
    assert events[0]["data"]["release"] == deployed["release"]
    assert len({one["attributes"]["id"] for one in events}) == 2


def test_what_cannot_be_sent_waits_and_is_sent_once(
    desk: Studio, clients: Path, digits: Path
) -> None:
    with event_receiver() as receiver:
        channel(desk, receiver.url, "binary")
        receiver.statuses = [503, 503]
        desk.ok("deploy", digits / "digits.onnx", "--target", "local", "--replace")
        waiting = desk.ok("events", "list")["waiting"]
        assert [one["event"]["type"] for one in waiting] == ["edgewright.release.deployed"]
        desk.run("events", "send")
        sent = desk.ok("events", "send")["channels"]["cloudevents"]
        assert sent["sent"] == 1
        assert desk.ok("events", "list")["waiting"] == []
        events = read(clients, receiver)
    assert len({one["attributes"]["id"] for one in events}) == 1
    assert len(events) == 3
