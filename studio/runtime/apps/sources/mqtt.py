"""Messages of an MQTT broker: numbers, or pictures."""

from __future__ import annotations

import json
import math
import queue
from typing import Any, Callable, Dict, NamedTuple, Optional, Tuple

import numpy as np

from ..items import PICTURES, SIGNAL
from ..mqtt_client import REQUIREMENTS, Broker, BrokerClient
from ..parts import IDLE, AppContext, Capture, SourceFrame, SourceType
from . import pictures
from .table import ROOM

_WAIT_S = 0.2
_ROOM_PICTURES = 16


class MqttSourceSettings(NamedTuple):
    """Settings of an MQTT broker as a source.

    Attributes:
        host, port: Of the broker.
        topic: May have the wildcards ``+`` and ``#``.
        values: For numbers: paths in a message of JSON, such as ``motor.temperature`` or
            ``readings.0``; empty: the whole message is a number, or a list of numbers.
        user, password: To log in; write the password as ``${VARIABLE}``.
        tls: Whether the connection is encrypted.
        ca: File of the certificate authority; empty: those of the system.
        timeout_s: Without a message for that long it counts as lost; 0: never.
    """

    host: str
    topic: str
    port: int = 1883
    values: Tuple[str, ...] = ()
    user: str = ""
    password: str = ""
    tls: bool = False
    ca: str = ""
    timeout_s: float = 0.0


class Subscription:
    """Messages of a topic, each as one frame; those without the numbers or picture are left out."""

    def __init__(
        self,
        settings: MqttSourceSettings,
        read: Callable[[bytes], np.ndarray],
        room: int,
    ) -> None:
        """Connect and subscribe.

        Args:
            read: Turns a message into a frame; raises ValueError when it cannot.
            room: Messages that may wait; the oldest are dropped beyond.

        Raises:
            OSError: when the broker does not answer or refuses.
        """
        self._read = read
        self._messages: queue.Queue[bytes] = queue.Queue(room)
        address = Broker(
            settings.host,
            settings.port,
            settings.user,
            settings.password,
            settings.tls,
            settings.ca,
        )
        self._link = BrokerClient(address, "", settings.timeout_s or 10.0)
        self._link.client.on_message = self._on_message
        self._link.connect()
        try:
            self._link.client.subscribe(settings.topic, qos=1)
        except ValueError:
            self._link.close()
            raise OSError("{!r} is no topic".format(settings.topic[:60])) from None

    def read(self) -> Optional[SourceFrame]:
        """Return the next message as a frame, or ``IDLE``.

        Raises:
            OSError: when the connection is lost.
        """
        try:
            content = self._messages.get(timeout=_WAIT_S)
        except queue.Empty:
            if not self._link.client.is_connected():
                raise OSError("the connection to the broker was lost") from None
            return IDLE
        try:
            return SourceFrame(self._read(content))
        except ValueError:
            return IDLE

    def close(self) -> None:
        """Disconnect."""
        self._link.close()

    def _on_message(self, client: Any, data: Any, message: Any) -> None:
        while True:
            try:
                self._messages.put_nowait(message.payload)
            except queue.Full:
                try:
                    self._messages.get_nowait()
                except queue.Empty:
                    continue
            else:
                return


def numbers_of(content: bytes, paths: Tuple[str, ...]) -> np.ndarray:
    """Return the numbers of a message of JSON as one sample, 1 x channels, float32.

    Raises:
        ValueError: for a message that does not have them.
    """
    try:
        document = json.loads(content)
    except RecursionError:
        raise ValueError("the message is nested too deeply") from None
    if paths:
        found = [_at(document, path) for path in paths]
    else:
        found = document if isinstance(document, list) else [document]
    if not found or not all(_is_number(one) for one in found):
        raise ValueError("the message has no such number")
    return np.array([found], dtype=np.float32)


def _is_number(value: Any) -> bool:
    if isinstance(value, bool):
        return True
    return isinstance(value, (int, float)) and math.isfinite(value) and abs(value) < 3e38


def _at(document: Any, path: str) -> Any:
    for name in path.split("."):
        if isinstance(document, dict):
            document = document.get(name)
        elif isinstance(document, list) and name.isdigit() and int(name) < len(document):
            document = document[int(name)]
        else:
            return None
    return document


def _open_numbers(settings: MqttSourceSettings, context: AppContext) -> Capture:
    return Subscription(settings, lambda content: numbers_of(content, settings.values), ROOM)


def _open_pictures(settings: MqttSourceSettings, context: AppContext) -> Capture:
    return Subscription(settings, pictures.decoded, _ROOM_PICTURES)


_TYPES = (
    SourceType(
        "mqtt",
        "Numbers in messages of an MQTT broker",
        SIGNAL,
        MqttSourceSettings,
        lambda settings: True,
        _open_numbers,
        REQUIREMENTS,
        ROOM,
    ),
    SourceType(
        "mqtt-pictures",
        "Pictures in messages of an MQTT broker",
        PICTURES,
        MqttSourceSettings,
        lambda settings: True,
        _open_pictures,
        {**REQUIREMENTS, **pictures.REQUIREMENTS},
        _ROOM_PICTURES,
    ),
)
TYPES: Dict[str, SourceType] = {one.name: one for one in _TYPES}
