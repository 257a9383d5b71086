"""A refusal on its way out of what reads a request."""

from __future__ import annotations

from ..http.message import Response


class Refusal(Exception):
    """A request that is answered with an error.

    Attributes:
        response: The answer to send.
    """

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response
