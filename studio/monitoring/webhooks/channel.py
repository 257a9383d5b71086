"""A channel of the kind ``cloudevents``: its secrets, its receiver, and its outbox."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from studio.documents.dataclass_json import JsonValue, from_json
from studio.monitoring.webhooks.delivery import Receiver, secret_of_file
from studio.monitoring.webhooks.event import PREFIX, CloudEvent, message_of
from studio.monitoring.webhooks.options import CloudEventsOptions
from studio.monitoring.webhooks.outbox import Delivered, EventOutbox

Secret = Callable[[str], str]


class EventChannel:
    """A channel that sends events and keeps those that could not be sent.

    Args:
        options: As the alert file has them.
        data: The folder of data.
        secret: Returns a secret by its name.

    Raises:
        UsageError: when a file of a secret may be read by others.
    """

    def __init__(
        self, name: str, options: Mapping[str, object], data: Path, secret: Secret
    ) -> None:
        self.name = name
        self._options = from_json(CloudEventsOptions, options)
        given = self._options
        token = secret_of_file(given.token_file) if given.token_file else secret(given.token_secret)
        self._signing = (
            secret_of_file(given.signing_file)
            if given.signing_file
            else secret(given.signing_secret)
        )
        self._receiver = Receiver(given, token)
        self.outbox = EventOutbox(data, f"{name} {given.url}")

    def add(
        self, kind: str, subject: str, data: Mapping[str, JsonValue], key: str, time: str = ""
    ) -> bool:
        """Put an event into the outbox; False when it was there already, or was sent.

        Args:
            kind: Type without its prefix, such as ``release.deployed``.
            key: Text that is equal for the same event alone.
        """
        source = self._options.source
        return self.outbox.add(CloudEvent.of(PREFIX + kind, subject, data, source, key, time))

    def deliver(self, *, now: bool = False) -> Delivered:
        """Send what waits."""
        return self.outbox.deliver(self._send, now=now)

    def _send(self, event: CloudEvent) -> None:
        self._receiver.send(message_of(event, self._options.mode, self._signing))
