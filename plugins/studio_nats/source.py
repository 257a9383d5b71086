"""State of boards from a stream of NATS JetStream, which has the newest message of each board."""

from __future__ import annotations

from urllib.parse import urlsplit

from studio.api import BrokerLogin, Option, Progress, StateFeed, Unavailable, UsageError


class NatsSource:
    """NATS servers with JetStream."""

    id = "nats"
    title = "NATS JetStream"
    schemes = ("nats", "tls")
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
            TargetError: when the server does not answer, refuses, or lacks a stream.
            Unavailable: without nats-py.
        """
        checked = _checked(address)
        try:
            from studio_nats.state_messages import NatsFeed
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] != "nats":
                raise
            raise Unavailable(
                "The library nats-py is not installed.",
                hint="Install the extra: edgewright[nats].",
            ) from None
        return NatsFeed(checked, topic.replace("/", "."), login, create=create)


def _checked(address: str) -> str:
    try:
        parts = urlsplit(address)
        good = bool(parts.hostname) and not parts.path.strip("/") and "@" not in parts.netloc
        port = parts.port or 4222
    except ValueError:
        good, port = False, 0
    if not good:
        raise UsageError(f"{address!r} is not an address such as nats://host:4222.")
    host = f"[{parts.hostname}]" if ":" in str(parts.hostname) else parts.hostname
    return f"{parts.scheme}://{host}:{port}"
