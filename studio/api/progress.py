"""How work tells how far it is, and learns that it was cancelled."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Progress points; each is also a point at which the work can be cancelled."""

    def progress(self, done: float, total: float, text: str = "") -> None:
        """Say how far the work is. A total of 0 means: not known.

        Raises:
            Cancelled: when the user took the work back.
        """

    def log(self, text: str) -> None:
        """Add a line to the job's log."""

    def check(self) -> None:
        """Raise Cancelled when the user took the work back."""


class Silent:
    """A Progress that nobody watches."""

    def progress(self, done: float, total: float, text: str = "") -> None:
        """Do nothing."""

    def log(self, text: str) -> None:
        """Do nothing."""

    def check(self) -> None:
        """Do nothing."""
