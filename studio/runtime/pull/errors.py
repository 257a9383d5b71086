"""Failures of a pull: those that pass with time, and those that end an action."""

from __future__ import annotations


class PullError(Exception):
    """A failure that ends an action, in one sentence for the server."""


class TryLater(Exception):
    """A failure that may pass: the server is away, or the board is busy.

    Attributes:
        after_s: Seconds after which the server wants to be called; 0 where it named none.
    """

    def __init__(self, message: str, after_s: float = 0.0) -> None:
        super().__init__(message)
        self.after_s = after_s


class CancelledByServer(Exception):
    """The server has cancelled the action."""
