"""Attacks on the state of a board by another login, at brokers as the docs set them up."""

from __future__ import annotations

import json
import re
import socket
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.runtime.fleet.link import open_link
from studio.runtime.fleet.settings import settings_of
from tests.conftest import _need
from tests.integration.apps.broker import BrokerProcess
from tests.rigs.nats_server import NatsServer

PAGE = Path(__file__).parents[3] / "docs" / "fleet-state.md"
OURS, THEIRS = "edgewright.state.nano", "edgewright.state.roof"
TOPIC = "edgewright/state/nano"
TRUE = b'{"board": "nano"}'


def block(begin: str) -> str:
    """A block of the page, with a second board."""
    text = re.findall(r"```\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (chosen,) = (one for one in text if one.startswith(f"{begin}\n"))
    return str(chosen)


def published(kind: str, port: int, board: str) -> None:
    """Publish as a board does, and wait for the acknowledgement."""
    login = {"url": f"{kind}://127.0.0.1:{port}", "board": board, "user": board, "password": board}
    link = open_link(settings_of(login))
    link.publish(TRUE, "message-1")
    link.close()


class NatsClient:
    """A client that sends any line, and reads what comes within half a second."""

    def __init__(self, port: int, user: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), 10)
        self.sent(f"CONNECT {json.dumps({'user': user, 'pass': user, 'verbose': False})}")

    def sent(self, line: str, content: str = "", until: str = "PONG\r\n") -> str:
        body = f"{content}\r\n" if line.startswith("PUB") else ""
        ping = "PING\r\n" if until.startswith("PONG") else ""
        self._socket.sendall(f"{line}\r\n{body}{ping}".encode())
        return self.read(until)

    def read(self, until: str = "") -> str:
        self._socket.settimeout(0.5 if not until else 10)
        received = b""
        while not until or until.encode() not in received:
            try:
                received += self._socket.recv(1 << 16)
            except TimeoutError:
                break
        return received.decode()

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def nats(tmp_path: Path) -> Iterator[NatsServer]:
    rules = block("# nats-server")
    other = re.search(r"\{ user: nano.*?\} \}", rules, re.DOTALL)
    assert other is not None
    rules = rules.replace(other[0], other[0] + "\n" + other[0].replace("nano", "roof"))
    for user in ("studio", "nano", "roof"):
        rules = re.sub(rf'(user: {user}, password: )"\.\.\."', rf'\1"{user}"', rules)
    server = NatsServer(tmp_path / "nats", rules)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def desk(nats: NatsServer) -> Iterator[NatsClient]:
    """The studio's login, with the stream that ``fleet status --create`` makes."""
    client = NatsClient(nats.port, "studio")
    client.sent("SUB answers 1")
    stream = {"name": "S", "subjects": ["edgewright.state.*"], "max_msgs_per_subject": 1}
    content = json.dumps({**stream, "retention": "limits", "storage": "file"})
    assert '"created"' in asked(client, "STREAM.CREATE.S", content)
    yield client
    client.close()


def asked(client: NatsClient, subject: str, content: str) -> str:
    """The JSON of an answer of JetStream; pings of the server may come before it."""
    answer = client.sent(f"PUB $JS.API.{subject} answers {len(content)}", content, until="}\r\n")
    return answer[answer.index("{") :]


def stored(desk: NatsClient) -> str:
    """The last message under the name of the attacked board."""
    return asked(desk, "STREAM.MSG.GET.S", json.dumps({"last_by_subj": OURS}))


@pytest.mark.parametrize(
    ("line", "content"),
    [
        (f"PUB {OURS} 1", "X"),
        (f"PUB {THEIRS} {OURS} 1", "X"),
        (f"PUB {THEIRS} $JS.API.STREAM.PURGE.S 1", "X"),
        (f"PUB {THEIRS} $JS.API.STREAM.DELETE.S 1", "X"),
        ("PUB $JS.API.STREAM.PURGE.S 0", ""),
        (f"PUB $KV.{OURS} 1", "X"),
        ("PUB edgewright.state.* 1", "X"),
        ("PUB edgewright.state.nano.x 1", "X"),
    ],
)
def test_no_message_of_another_login_changes_the_state_of_a_board(
    nats: NatsServer, desk: NatsClient, line: str, content: str
) -> None:
    published("nats", nats.port, "nano")
    before = stored(desk)
    assert '"seq":1,' in before
    other = NatsClient(nats.port, "roof")
    for _ in range(3):
        other.sent(line, content)
        other.read()
    other.close()
    assert stored(desk) == before
    published("nats", nats.port, "nano")
    assert f'"subject":"{OURS}"' in stored(desk)


@pytest.mark.parametrize(
    "subject", ["_INBOX.>", "_INBOX.nano.>", "edgewright.state.>", ">", "_R_.>"]
)
def test_no_board_reads_the_state_of_another(
    nats: NatsServer, desk: NatsClient, subject: str
) -> None:
    other = NatsClient(nats.port, "roof")
    assert "Permissions Violation" in other.sent(f"SUB {subject} 9")
    published("nats", nats.port, "nano")
    assert "MSG" not in other.read()
    other.close()


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[BrokerProcess]:
    passwords = tmp_path / "passwords"
    for number, user in enumerate(("studio", "nano", "roof")):
        words = [_need("mosquitto_passwd"), "-b", *(["-c"] if not number else [])]
        subprocess.run([*words, str(passwords), user, user], check=True)
    rules = block("# Mosquitto, acl_file")
    nano = "user nano\ntopic write edgewright/state/nano\n"
    assert nano in rules
    (tmp_path / "acl").write_text(rules + nano.replace("nano", "roof"))
    settings = block("# Mosquitto").replace("/etc/mosquitto", str(tmp_path))
    broker = BrokerProcess(tmp_path / "mqtt", settings)
    broker.start()
    yield broker
    broker.kill()


def text(content: bytes) -> bytes:
    return struct.pack("!H", len(content)) + content


class MqttClient:
    """A client of MQTT 3.1.1 that sends any packet."""

    def __init__(self, port: int, user: str, client: str = "", will: bytes = b"") -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), 10)
        flags = 0xC2 | (0x2C if will else 0)  # a retained will of QoS 1
        head = text(b"MQTT") + struct.pack("!BBH", 4, flags, 60)
        login = text(client.encode()) + (text(will) + text(b"X") if will else b"")
        self.send(0x10, head + login + text(user.encode()) * 2)
        self.accepted = self.read()[:4]

    def send(self, kind: int, body: bytes) -> None:
        self._socket.sendall(bytes([kind, len(body)]) + body)

    def read(self) -> bytes:
        """What comes within half a second; empty also at the end of the connection."""
        self._socket.settimeout(0.5)
        try:
            return self._socket.recv(1 << 16)
        except (TimeoutError, ConnectionResetError):
            return b""

    def lives(self) -> bool:
        """Whether the broker still answers on this connection."""
        self.send(0xC0, b"")
        return self.read() == b"\xd0\x00"

    def drop(self) -> None:
        """End the connection as a power cut does, which publishes the will."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()


def retained(port: int) -> bytes:
    """The retained messages, as the studio's login reads them."""
    client = MqttClient(port, "studio")
    client.send(0x82, b"\x00\x01" + text(b"edgewright/state/+") + b"\x00")
    messages = client.read() + client.read()
    client.drop()
    return messages


def test_no_client_of_another_login_changes_the_state_of_a_board(mosquitto: BrokerProcess) -> None:
    port = mosquitto.port
    published("mqtt", port, "nano")
    for content in (b"X", b""):
        other = MqttClient(port, "roof")
        other.send(0x33, text(TOPIC.encode()) + b"\x00\x01" + content)
        other.read()
        other.drop()
    MqttClient(port, "roof", will=TOPIC.encode()).drop()
    messages = retained(port)
    assert TRUE in messages
    assert text(TOPIC.encode()) + b"X" not in messages


def test_no_client_reads_the_state_of_another(mosquitto: BrokerProcess) -> None:
    published("mqtt", mosquitto.port, "nano")
    other = MqttClient(mosquitto.port, "roof")
    other.send(0x82, b"\x00\x01" + text(b"#") + b"\x00")
    assert TRUE not in other.read() + other.read()
    other.drop()


def test_the_client_name_of_another_board_does_not_disconnect_it(mosquitto: BrokerProcess) -> None:
    name = "edgewright-state-nano"
    nano = MqttClient(mosquitto.port, "nano", name)
    assert nano.accepted == b"\x20\x02\x00\x00"
    other = MqttClient(mosquitto.port, "roof", name)
    assert nano.lives()
    nano.drop()
    other.drop()


def test_nobody_connects_without_a_login(mosquitto: BrokerProcess) -> None:
    client = MqttClient(mosquitto.port, "stranger")
    assert client.accepted[3:] not in (b"", b"\x00")
    client.drop()
