"""State of boards at a broker: where boards publish it, and how the studio reads it.

The content of a message is not trusted. A plugin hands over the bytes with the name of
the board that the broker knows, which is a level of the subject or topic.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import Protocol

from studio.api.options import Option
from studio.api.progress import Progress
from studio.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class StateMessage:
    """A message as it came.

    Attributes:
        board: Name of the board, from the subject or the topic.
        content: At most what the broker takes; nothing of it is checked.
        age_s: Seconds that the broker has held it, by its clock; 0 where it does not tell.
    """

    board: str
    content: bytes
    age_s: float = 0.0


@dataclass(frozen=True, slots=True)
class BrokerLogin:
    """Login at a broker, and files for TLS; empty for none.

    Attributes:
        ca: File of the certificate authority; empty for those of the system.
        certificate: File of a certificate of this studio, with its key in ``key``.
    """

    user: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    ca: str = ""
    certificate: str = ""
    key: str = ""


class StateFeed(Protocol):
    """An open connection, which comes back by its own means when the broker does.

    Attributes:
        interruptions: How often the connection was lost.
        caught_up: Whether all that the broker had stored when it was opened has been read.
    """

    @property
    def interruptions(self) -> int: ...

    @property
    def caught_up(self) -> bool: ...

    def read(self, wait_s: float) -> Sequence[StateMessage]:
        """Return the next messages, at most a thousand, or none after a time.

        The newest message of each board comes at least once. The same one may come again.

        Raises:
            TargetError: when the broker refuses for good, in one sentence.
        """

    def forget(self, board: str) -> None:
        """Remove the message of a board from the broker; without effect where there is no message.

        Raises:
            TargetError: when the broker refuses, in one sentence.
        """

    def close(self) -> None:
        """Disconnect."""


class StateSource(Protocol):
    """A kind of broker that boards publish their state to (NATS, MQTT).

    Attributes:
        schemes: The URL schemes of its addresses.
    """

    id: str
    title: str
    schemes: tuple[str, ...]
    options: Sequence[Option]

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

        Args:
            address: A URL without a login.
            topic: Levels before the board's name, with slashes between them.
            create: Whether to create what the broker must have (a stream) where it is missing.

        Raises:
            UsageError: when the address cannot be one.
            TargetError: when the broker does not answer, refuses, or lacks a stream.
        """
