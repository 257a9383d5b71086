"""Interfaces of a connection: its server, and the fast path for repeated requests."""

from __future__ import annotations

from typing import Any, Callable, Optional, Protocol, TypeVar

from .budget import BodyBudget
from .exchange import Exchange
from .message import Request, Response
from .parser import HeadReader
from .timed_connection import TimeoutHost

ConnectionT = TypeVar("ConnectionT", contravariant=True)


class KnownAnswer(Protocol[ConnectionT]):
    """Answers requests that differ from one before in their values alone.

    Attributes:
        size: Bytes of such a request.
        place: Preferred buffer, inside the one that all connections share.
    """

    size: int
    place: memoryview

    def try_answer(self, connection: ConnectionT) -> Optional[bool]:
        """Answer the received request now or later; return None if it does not match.

        Returns:
            Otherwise, whether all work is done (see ``selector.Callback``).
        """


AnswerRequest = Callable[[Exchange], Optional[Response]]
"""Answers an exchange at once, or returns None and answers it later; may raise HttpError."""

LearnRequest = Callable[[bytes, Request, Response], Optional[KnownAnswer[Any]]]
"""What answers a request that comes again: from the bytes of its head, it, and its answer."""


class ConnectionHost(TimeoutHost, Protocol[ConnectionT]):
    """The server, as its connections see it.

    Attributes:
        application: Answers the requests.
        budget: Memory for large bodies.
        date: The line of the Date header, as it is now.
        heads: Reads the heads of all connections.
        learn: Finds what answers requests that come again.
        place: Where all connections receive; what they keep of it they copy.
    """

    application: AnswerRequest
    budget: BodyBudget
    date: bytes
    heads: HeadReader
    learn: LearnRequest
    place: memoryview

    def admit(self, connection: ConnectionT) -> bool:
        """Take a new connection; False when only a probe may be answered in it."""

    def forget(self, connection: ConnectionT) -> None:
        """Remove a closed connection."""

    def answered(self, exchange: Exchange, response: Response) -> None:
        """Record that an answer was written."""

    def refused(self, connection: ConnectionT, response: Response) -> None:
        """Bytes that were no request were answered with an error."""
