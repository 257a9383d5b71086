"""A client of MQTT that publishes with quality of service 1 (MQTT 3.1.1, OASIS standard)."""

from __future__ import annotations

import struct
from typing import Tuple

from .settings import FleetSettings
from .wire import Wire

_CONNECT, _CONNACK, _PUBLISH_QOS1_RETAINED, _PUBACK, _DISCONNECT = 0x10, 0x20, 0x33, 0x40, 0xE0
_LONGEST_ANSWER = 4096
_MOST = 256 * 1024
_REASONS = {
    1: "it does not speak MQTT 3.1.1",
    2: "it refuses the name of the client",
    3: "it is not available",
    4: "it refuses the login",
    5: "it refuses this client",
}
_STRANGE = "it does not answer as MQTT does"


class MqttLink:
    """A connection to an MQTT broker, on which one message after the other is acknowledged.

    Messages are retained: the broker keeps the newest of each board for later readers.
    """

    def __init__(self, settings: FleetSettings, timeout_s: float) -> None:
        """Connect, with TLS where it is wanted, and log in.

        Raises:
            OSError: in a few words.
        """
        self._topic = _text("{}/{}".format(settings.topic, settings.board))
        self._number = 0
        self._wire = Wire(settings, timeout_s)
        try:
            if settings.address.secure:
                self._wire.begin_tls()
            self._log_in(settings)
        except BaseException:
            self._wire.close()
            raise

    def _log_in(self, settings: FleetSettings) -> None:
        flags, login = 0x02, b""  # a clean session
        if settings.user:
            flags |= 0x80
            login = _text(settings.user)
            if settings.password:
                flags |= 0x40
                login += _text(settings.password)
        quiet_s = min(65_535, int(2 * settings.every_s) + 30)
        head = _text("MQTT") + struct.pack("!BBH", 4, flags, quiet_s)
        client = _text("edgewright-state-" + settings.board)
        self._wire.send(_packet(_CONNECT, head + client + login))
        kind, body = self._packet_in()
        if kind & 0xF0 != _CONNACK or len(body) != 2:
            raise OSError(_STRANGE)
        if body[1]:
            raise OSError(_REASONS.get(body[1], "it refuses ({})".format(body[1])))

    def publish(self, content: bytes, message_id: str) -> None:
        """Publish the state of the board, and wait until the broker has stored it.

        Raises:
            OSError: in a few words, when it has not.
        """
        if len(content) > _MOST:
            raise OSError("the message has {} bytes".format(len(content)))
        self._number = self._number % 65_535 + 1
        number = struct.pack("!H", self._number)
        self._wire.send(_packet(_PUBLISH_QOS1_RETAINED, self._topic + number + content))
        while True:
            kind, body = self._packet_in()
            if kind & 0xF0 == _PUBACK and body[:2] == number:
                return

    def _packet_in(self) -> Tuple[int, bytes]:
        """Read one packet: its first byte and its body."""
        kind = self._wire.exactly(1)[0]
        size = shift = 0
        for _ in range(4):
            one = self._wire.exactly(1)[0]
            size |= (one & 0x7F) << shift
            shift += 7
            if not one & 0x80:
                break
        if size > _LONGEST_ANSWER:
            raise OSError(_STRANGE)
        return kind, self._wire.exactly(size)

    def close(self) -> None:
        """Disconnect."""
        try:
            self._wire.send(_packet(_DISCONNECT, b""))
        except OSError:
            pass
        self._wire.close()


def _text(text: str) -> bytes:
    content = text.encode("utf-8")
    if len(content) > 65_535:
        raise OSError("a text has {} bytes".format(len(content)))
    return struct.pack("!H", len(content)) + content


def _packet(kind: int, body: bytes) -> bytes:
    size, left = bytearray(), len(body)
    while True:
        left, low = divmod(left, 128)
        size.append(low | 0x80 if left else low)
        if not left:
            return bytes([kind]) + bytes(size) + body
