"""Every event that the store has taken arrives, whatever is killed in the middle of a burst."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.runtime.apps.parts import IDLE
from studio.runtime.apps.reader import LOST, RUNNING
from studio.runtime.apps.sinks.mqtt import MqttSettings, MqttSink
from tests.integration.apps.broker import BrokerProcess, Subscriber
from tests.integration.apps.cameras import Desk, report
from tests.rigs.boards import until
from tests.unit.runtime.apps.parts import Context, event

pytestmark = [pytest.mark.rig, pytest.mark.needs("mosquitto")]

EVENTS = 2000


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[BrokerProcess]:
    found = BrokerProcess(tmp_path / "broker")
    found.start()
    yield found
    found.kill()


@pytest.fixture
def subscriber(broker: BrokerProcess) -> Iterator[Subscriber]:
    found = Subscriber(broker.port, "edgewright/#")
    yield found
    found.close()


def burst(folder: Path, port: int, first: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-P", "-m", "tests.integration.apps.burst", str(folder)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.Popen(
        [*command, str(port), str(first), str(EVENTS)],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )


def taken(process: subprocess.Popen[str], count: int) -> list[str]:
    """The next lines of a burst."""
    assert process.stdout is not None
    return [process.stdout.readline() for _ in range(count)]


def test_a_burst_survives_kills_of_the_app_and_of_the_broker(
    broker: BrokerProcess, subscriber: Subscriber, tmp_path: Path
) -> None:
    lines: list[str] = []
    first = 0
    for count in (500, 400, 300):
        with burst(tmp_path / "store", broker.port, first) as process:
            lines += taken(process, count)
            broker.kill()
            lines += taken(process, 50)
            process.kill()
            assert process.stdout is not None
            lines += process.stdout.readlines()
        broker.start()
        lines = [line for line in lines if line.endswith("\n")]
        first = int(lines[-1].split()[0]) + 1
        assert first < EVENTS, "the burst ended before the kill"
    with burst(tmp_path / "store", broker.port, first) as process:
        lines += taken(process, (EVENTS - first) // 2)
        broker.kill()
        time.sleep(0.5)
        broker.start()
        assert process.stdout is not None
        lines += process.stdout.readlines()
        assert process.wait(120) == 0
    ids = [line.split()[1] for line in lines]
    until(lambda: set(ids) <= set(subscriber.topics), "every event has arrived", 60)
    assert len(ids) == len(set(ids)) >= EVENTS - 3 * 1  # one event may be cut with its line
    assert set(subscriber.topics.values()) == {"edgewright/yard/crossing"}
    report(
        f"burst: {len(ids)} events stored, {len(subscriber.topics)} arrived in "
        f"{subscriber.copies} messages, {len(set(ids) - set(subscriber.topics))} lost"
    )


def test_levels_of_a_topic_cannot_be_forged_by_an_event(
    broker: BrokerProcess, subscriber: Subscriber
) -> None:
    sink = MqttSink("a", MqttSettings("127.0.0.1", broker.port), Context())
    events = [
        event(kind="a/b+#")._replace(id="yard-abcdef-1"),
        event()._replace(id="yard-abcdef-2"),
    ]
    sink.deliver(events)
    until(lambda: len(subscriber.topics) == 2, "both events arrive")
    sink.close()
    assert subscriber.topics["yard-abcdef-1"] == "edgewright/yard/a_b__"


def test_a_broker_that_is_gone_or_refuses_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "none").write_text("")
    locked = BrokerProcess(tmp_path / "locked", f"password_file {tmp_path}/none\n")
    text = locked._file.read_text().replace("allow_anonymous true", "allow_anonymous false")
    locked._file.write_text(text)
    locked.start()
    sink = MqttSink("a", MqttSettings("127.0.0.1", locked.port, user="u", password="p"), Context())
    with pytest.raises(OSError, match=rf"the broker 127.0.0.1:{locked.port} refuses: "):
        sink.deliver([event()._replace(id="yard-abcdef-1")])
    locked.kill()
    with pytest.raises(OSError, match=rf"127.0.0.1:{locked.port} cannot be reached: StepInput ref"):
        sink.deliver([event()._replace(id="yard-abcdef-1")])


def test_a_broker_is_a_source_that_can_be_lost(broker: BrokerProcess) -> None:
    source = {
        "type": "mqtt",
        "host": "127.0.0.1",
        "port": broker.port,
        "topic": "machine/+",
        "values": ["motor.t", "rpm.0"],
    }
    desk = Desk({"machine": source})
    reader = desk.reader("machine")
    publisher = Subscriber(broker.port, "none")

    def publish() -> bool:
        for body in (b"no json", b'{"motor": {"t": "x"}}', b'{"motor": {"t": 20.5}, "rpm": [900]}'):
            publisher._client.publish("machine/1", body)
        return reader.state == RUNNING

    until(publish, "numbers come")
    until(lambda: "machine" in desk.engine.latest, "they go through the graph")
    assert desk.engine.latest["machine"].values["machine"].tolist() == [[20.5, 900.0]]
    broker.kill()
    until(lambda: reader.state == LOST, "the loss is noticed")
    broker.start()
    until(publish, "numbers come again")
    desk.engine.stop()
    publisher.close()
    assert desk.kinds("machine") == ["source-lost", "source-back"]
    assert IDLE.data.size == 0
