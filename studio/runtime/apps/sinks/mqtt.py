"""Events as JSON to an MQTT broker."""

from __future__ import annotations

import json
import re
import time
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

from ..items import Event
from ..mqtt_client import REQUIREMENTS, Broker, BrokerClient
from ..parts import AppContext, SinkType
from ..settings import AppError

_NO_LEVEL = re.compile(r"[/+#\x00-\x1f]")
_PLACE = re.compile(r"\{(\w+)\}")
_PLACES = frozenset(["app", "kind", "source", "step"])


class MqttSettings(NamedTuple):
    """Settings of an MQTT broker as a sink.

    Attributes:
        host, port: Of the broker.
        topic: With ``{app}``, ``{kind}``, ``{source}`` and ``{step}`` in it.
        user, password: To log in; write the password as ``${VARIABLE}``.
        tls: Whether the connection is encrypted.
        ca: File of the certificate authority; empty: those of the system.
        timeout_s: Seconds for the answers to one batch.
    """

    host: str
    port: int = 1883
    topic: str = "edgewright/{app}/{kind}"
    user: str = ""
    password: str = ""
    tls: bool = False
    ca: str = ""
    timeout_s: float = 10.0


class MqttSink:
    """Publishes events with QoS 1, and waits until the broker has acknowledged each.

    A batch that is not acknowledged in time is published again on a new connection, with the same
    ids of its events. The client id names app, store and sink, so that boards do not collide.
    """

    def __init__(self, name: str, settings: MqttSettings, context: AppContext) -> None:
        """Check the topic; the connection is opened with the first batch.

        Raises:
            AppError: for a topic that cannot be used.
        """
        unknown = set(_PLACE.findall(settings.topic)) - _PLACES
        if unknown or not settings.topic or re.search(r"[+#\x00]", settings.topic):
            raise AppError("sinks.{}: {!r} is no topic.".format(name, settings.topic[:60]))
        if not 1 <= settings.port <= 65535:
            raise AppError("sinks.{}: port is from 1 to 65535.".format(name))
        self._name = name
        self._settings = settings
        self._link: Optional[BrokerClient] = None

    def deliver(self, events: Sequence[Event]) -> None:
        """Publish the events, and wait for the acknowledgement of each.

        Raises:
            OSError: when the broker has not acknowledged all in time.
        """
        store = events[0].id.rpartition("-")[0]
        try:
            link = self._connected("edgewright-{}-{}".format(store, self._name))
            self._publish(link.client, events, store.rpartition("-")[0])
        except (RuntimeError, ValueError) as error:  # paho's, for a connection that has just ended
            self.close()
            raise OSError("the broker takes no message: {}".format(error)) from error
        except BaseException:
            self.close()
            raise

    def _connected(self, client_id: str) -> BrokerClient:
        if self._link is not None and not self._link.client.is_connected():
            self.close()
        if self._link is None:
            set_ = self._settings
            broker = Broker(set_.host, set_.port, set_.user, set_.password, set_.tls, set_.ca)
            link = BrokerClient(broker, client_id, set_.timeout_s)
            link.connect()
            self._link = link
        return self._link

    def _publish(self, client: Any, events: Sequence[Event], app: str) -> None:
        sent: List[Any] = []
        for event in events:
            body = json.dumps(event.to_json()).encode("ascii")
            sent.append(client.publish(self._topic(event, app), body, qos=1))
        deadline = time.monotonic() + self._settings.timeout_s
        for one in sent:
            while not one.is_published():
                if not client.is_connected():
                    raise OSError("the connection to the broker was lost")
                if time.monotonic() > deadline:
                    raise OSError("the broker does not acknowledge")
                one.wait_for_publish(0.2)

    def _topic(self, event: Event, app: str) -> str:
        levels = {
            "app": app,
            "kind": event.kind,
            "source": event.stamp.source,
            "step": event.step,
        }
        return _PLACE.sub(
            lambda found: _NO_LEVEL.sub("_", levels[found.group(1)]) or "_", self._settings.topic
        )

    def close(self) -> None:
        """Disconnect."""
        link, self._link = self._link, None
        if link is not None:
            link.close()


TYPES: Dict[str, SinkType] = {
    "mqtt": SinkType("mqtt", "MQTT broker, QoS 1", MqttSettings, MqttSink, REQUIREMENTS)
}
