"""State of boards from an MQTT broker, which retains the newest message of each board."""

from __future__ import annotations

from urllib.parse import urlsplit

from studio.api import BrokerLogin, Option, Progress, StateFeed, UsageError

_PORTS = {"mqtt": 1883, "mqtts": 8883}


class MqttSource:
    """MQTT brokers."""

    id = "mqtt"
    title = "MQTT broker"
    schemes = ("mqtt", "mqtts")
    options: tuple[Option, ...] = ()

    def open(
        self,
        address: str,
        topic: str,
        login: BrokerLogin,
        progress: Progress,
        *,
        create: bool = False,
    ) -> StateFeed:
        """Connect, and begin with the newest message of each board.

        Raises:
            UsageError: when the address cannot be one.
            TargetError: when the broker does not answer or refuses.
        """
        from studio_mqtt.state_messages import MqttFeed

        try:
            parts = urlsplit(address)
            good = bool(parts.hostname) and not parts.path.strip("/") and "@" not in parts.netloc
            port = parts.port or _PORTS[parts.scheme]
        except (ValueError, KeyError):
            good = False
        if not good:
            raise UsageError(f"{address!r} is not an address such as mqtts://host:8883.")
        return MqttFeed(str(parts.hostname), port, parts.scheme == "mqtts", topic, login)
