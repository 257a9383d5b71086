"""Connections of a board to a broker: one message out, its acknowledgement back."""

from __future__ import annotations

from typing import Optional, Protocol

from .settings import NATS, FleetSettings

TIMEOUT_S = 10.0


class BrokerLink(Protocol):
    """A connection to a broker."""

    def publish(self, content: bytes, message_id: str) -> None:
        """Publish the state of the board, and wait until the broker has stored it.

        Raises:
            OSError: in a few words, when it has not.
        """

    def close(self) -> None:
        """Disconnect."""


def open_link(settings: FleetSettings, timeout_s: float = TIMEOUT_S) -> BrokerLink:
    """Connect to the broker and log in.

    Args:
        timeout_s: Seconds for each answer.

    Raises:
        OSError: in a few words, when it does not answer or refuses.
    """
    if settings.address.kind == NATS:
        from .nats_link import NatsLink

        return NatsLink(settings, timeout_s)
    from .mqtt_link import MqttLink

    return MqttLink(settings, timeout_s)


def close_link(link: Optional[BrokerLink]) -> None:
    """Disconnect, if there is a connection."""
    if link is not None:
        link.close()
