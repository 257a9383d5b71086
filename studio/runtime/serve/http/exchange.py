"""One request and the place for its answer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Optional, Protocol, Tuple

from .message import Request, Response

if TYPE_CHECKING:
    from .answer_stream import AnswerStream

_TRACEPARENT = re.compile(
    r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(?:-[\x21-\x7e]{1,64})?"
)


class Client(Protocol):
    """Sender of requests and receiver of the answers.

    Attributes:
        peer: Its address.
    """

    peer: str

    def finish(self, exchange: Exchange, response: Response) -> None:
        """Take the answer."""

    def extend(self) -> None:
        """Wait longer for the answer, which makes progress."""

    def stream(self, exchange: Exchange, response: Response) -> AnswerStream:
        """Begin an answer without an end.

        Raises:
            HttpError: where answers have an end.
        """


class RequestSpan(Protocol):
    """A request in the trace of its client.

    Attributes:
        streamed: It ends with its stream, and not with the head of its answer.
    """

    streamed: bool

    def phase(self, name: str, start: float, end: float, *facts: Tuple[str, object]) -> None:
        """Note one phase of the work.

        Args:
            start, end: Monotonic clocks.
            facts: Its attributes.
        """

    def end(self, status: int) -> None:
        """Note the end of the request."""


class Exchange:
    """One request and the place for its answer.

    Attributes:
        received: Clock of the event loop when the request was complete.
        gone: The client has left and waits for no answer.
        span: In the client's trace; None where it is not traced.
    """

    __slots__ = ("_connection", "gone", "received", "request", "span")

    def __init__(self, connection: Client, request: Request, received: float) -> None:
        self._connection = connection
        self.request = request
        self.received = received
        self.gone = False
        self.span: Optional[RequestSpan] = None

    def answer(self, response: Response) -> None:
        """Send the answer, in the event loop's thread; without effect when the client has left."""
        if not self.gone:
            self._connection.finish(self, response)

    def extend(self) -> None:
        """Note that the answer makes progress: the time until it must be there begins again."""
        if not self.gone:
            self._connection.extend()

    def stream(self, response: Response) -> AnswerStream:
        """Begin an answer whose parts follow, in the event loop's thread.

        Raises:
            HttpError: for a client whose answers have an end.
        """
        return self._connection.stream(self, response)

    @property
    def peer(self) -> str:
        """Address of the client."""
        return self._connection.peer

    @property
    def trace(self) -> str:
        """The client's ``traceparent``, empty when it sent none or an invalid one."""
        value = self.request.headers.get("traceparent")
        return value if value and _TRACEPARENT.fullmatch(value) else ""
