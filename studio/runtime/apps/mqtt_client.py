"""Connections to MQTT brokers with paho-mqtt."""

from __future__ import annotations

import threading
from typing import Any, NamedTuple

REQUIREMENTS = {"paho-mqtt": ">=2.1"}
_MISSING = "MQTT needs the Python package paho-mqtt, 2.1 or newer"


class Broker(NamedTuple):
    """Address of a broker, and how to log in.

    Attributes:
        tls: Whether the connection is encrypted; the broker's certificate is then verified.
        ca: File of the certificate authority; empty: those of the system.
    """

    host: str
    port: int
    user: str = ""
    password: str = ""
    tls: bool = False
    ca: str = ""


class BrokerClient:
    """A client that is connected to a broker.

    Attributes:
        client: The client of paho-mqtt, whose own thread keeps the connection.
    """

    def __init__(self, broker: Broker, client_id: str, timeout_s: float) -> None:
        """Prepare a client; ``connect`` opens the connection.

        Raises:
            OSError: without the package, or with an authority that cannot be read.
        """
        paho = _paho()
        self._broker = broker
        self._timeout_s = timeout_s
        self._answered = threading.Event()
        self._refusal = ""
        version = paho.CallbackAPIVersion.VERSION2
        self.client: Any = paho.Client(version, client_id=client_id, reconnect_on_failure=False)
        self.client.on_connect = self._on_connect
        self.client.connect_timeout = timeout_s
        if broker.user:
            self.client.username_pw_set(broker.user, broker.password or None)
        if broker.tls:
            self.client.tls_set(ca_certs=broker.ca or None)

    def connect(self) -> None:
        """Connect and log in.

        Raises:
            OSError: when the broker does not answer or refuses, in words for people.
        """
        place = "{}:{}".format(self._broker.host, self._broker.port)
        try:
            self.client.connect(self._broker.host, self._broker.port, keepalive=15)
        except (OSError, ValueError) as error:
            text = str(getattr(error, "strerror", None) or error)
            raise OSError("the broker {} cannot be reached: {}".format(place, text)) from error
        self.client.loop_start()
        if not self._answered.wait(self._timeout_s):
            self.close()
            raise OSError("the broker {} does not answer".format(place))
        if self._refusal:
            self.close()
            raise OSError("the broker {} refuses: {}".format(place, self._refusal))

    def close(self) -> None:
        """Disconnect."""
        self.client.disconnect()
        self.client.loop_stop()

    def _on_connect(self, client: Any, data: Any, flags: Any, reason: Any, rest: Any) -> None:
        self._refusal = str(reason) if reason.is_failure else ""
        self._answered.set()


def _paho() -> Any:
    try:
        from paho.mqtt import client
    except ImportError:
        raise OSError(_MISSING) from None
    if not hasattr(client, "CallbackAPIVersion"):  # paho-mqtt 1
        raise OSError(_MISSING)
    return client
