"""A feed from an MQTT broker: its client connects again whenever the broker comes back."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Sequence
from typing import Any

from paho.mqtt.client import Client, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion

from studio.api import BrokerLogin, StateMessage, TargetError

_CONNECT_S = 5.0
_MOST = 1000
_QUIET_S = 0.5
_LARGEST = 64 * 1024


class MqttFeed:
    """Messages of a topic, the retained ones first.

    A broker does not mark the last of the retained messages, so the feed has caught up after half
    a second without a message. When the queue is full, the client reads no further: the broker
    then keeps what it keeps.

    Attributes:
        interruptions: How often the connection was lost.
    """

    def __init__(self, host: str, port: int, tls: bool, topic: str, login: BrokerLogin) -> None:
        """Connect and subscribe.

        Raises:
            TargetError: when the broker does not answer or refuses.
        """
        self.interruptions = 0
        self._topic = topic
        self._place = f"{host}:{port}"
        self._refusal = ""
        self._answered = threading.Event()
        self._closed = False
        self._latest = time.monotonic()
        self._queue: queue.Queue[StateMessage] = queue.Queue(2 * _MOST)
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv311)
        self._client.connect_timeout = _CONNECT_S
        self._client.reconnect_delay_set(1, 5)
        if login.user:
            self._client.username_pw_set(login.user, login.password or None)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_subscribe = lambda *_: self._answered.set()
        self._client.on_message = self._on_message
        self._connect(host, port, login if tls else None)

    def _connect(self, host: str, port: int, login: BrokerLogin | None) -> None:
        try:
            if login is not None:
                self._client.tls_set(login.ca or None, login.certificate or None, login.key or None)
            self._client.connect(host, port, keepalive=15)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise TargetError(f"The broker {self._place} cannot be reached: {reason}.") from None
        self._client.loop_start()
        answered = self._answered.wait(_CONNECT_S)
        if self._refusal or not answered:
            reason = self._refusal or "it does not answer"
            self.close()
            raise TargetError(f"The broker {self._place} refuses: {reason}.")

    @property
    def caught_up(self) -> bool:
        """Whether all that the broker had stored when it was opened has been read."""
        return self._queue.empty() and time.monotonic() - self._latest > _QUIET_S

    def _on_connect(self, client: Any, data: Any, flags: Any, reason: Any, rest: Any) -> None:
        if reason.is_failure:
            self._refusal = str(reason)
            self._answered.set()
            return
        self._refusal = ""
        client.subscribe(f"{self._topic}/+", qos=1)

    def _on_disconnect(self, *rest: Any) -> None:
        if not self._closed:
            self.interruptions += 1

    def _on_message(self, client: Any, data: Any, message: Any) -> None:
        self._latest = time.monotonic()
        if not message.payload:  # a board that was forgotten
            return
        board = message.topic.rpartition("/")[2]
        # One byte more than a board may send is enough to refuse it.
        one = StateMessage(board, message.payload[: _LARGEST + 1])
        while not self._closed:
            try:
                self._queue.put(one, timeout=0.5)
                return
            except queue.Full:
                continue

    def read(self, wait_s: float) -> Sequence[StateMessage]:
        """Return the next messages, at most a thousand, or none after a time.

        Raises:
            TargetError: when the broker refuses for good, in one sentence.
        """
        try:
            found = [self._queue.get(timeout=wait_s)]
        except queue.Empty:
            if self._refusal:
                raise TargetError(f"The broker {self._place} refuses: {self._refusal}.") from None
            return ()
        while len(found) < _MOST:
            try:
                found.append(self._queue.get_nowait())
            except queue.Empty:
                break
        return found

    def forget(self, board: str) -> None:
        """Remove the retained message of a board.

        MQTT 3.1.1 does not say that a login may not publish: the broker then drops it silently.

        Raises:
            TargetError: when the broker does not confirm it.
        """
        done = self._client.publish(f"{self._topic}/{board}", b"", qos=1, retain=True)
        try:
            done.wait_for_publish(_CONNECT_S)
        except (RuntimeError, ValueError) as error:
            raise TargetError(f"The broker {self._place} removes no message: {error}.") from None
        if not done.is_published():
            raise TargetError(f"The broker {self._place} does not confirm that a message is gone.")

    def close(self) -> None:
        """Disconnect."""
        self._closed = True
        self._client.disconnect()
        self._client.loop_stop()
