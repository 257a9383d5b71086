"""The checks that a request must pass before its body is received."""

from __future__ import annotations

from typing import Optional

from .message import Head, HttpError

_BUSY = "There are too many connections."


class Admission:
    """Admits every request; a server with rules of its own overrides the methods."""

    def check_head(self, head: Head) -> None:
        """Check a head that was not seen before; one that passes is not checked again.

        Raises:
            HttpError: when it is refused.
        """

    def check_body(self, head: Head) -> Optional[int]:
        """Check a request whose body has not come as a whole.

        Returns:
            Bytes that the body may have; None for the limit of the server.

        Raises:
            HttpError: when nothing of the body is to be received.
        """

    def is_probe(self, method: str, path: str) -> bool:
        """Return whether a request asks for no more than whether the server lives."""
        return False


def too_many_connections() -> HttpError:
    """Return the error for a client for which there is no room."""
    return HttpError(503, _BUSY, headers="Retry-After: 1\r\n", close=True)
