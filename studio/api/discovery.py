"""What a connector may tell beside a channel: targets that can be found, to be added by a click."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Protocol, runtime_checkable

from studio.api.progress import Progress
from studio.lazy_dataclass import dataclass

WAYS = ("config", "mdns", "subnet")
"""The user's own configuration; announcements on the network; each address of a subnet."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something that may be a target; nothing was asked of it, and nothing is trusted.

    Attributes:
        name: To call it by; a network may claim any name.
        way: One of ``WAYS``.
        settings: As in ``TargetSpec``.
        text: How it was found, for people.
    """

    name: str
    url: str
    way: str
    settings: Mapping[str, str] = field(default_factory=dict)
    text: str = ""


@runtime_checkable
class Finder(Protocol):
    """A connector that can look for its targets."""

    def find(
        self, ways: Sequence[str], subnet: str, seconds: float, progress: Progress
    ) -> Sequence[Candidate]:
        """Look for targets.

        Args:
            ways: Of ``WAYS``; a way that this kind of target does not have finds nothing.
            subnet: ``192.168.1.0/24``, for the way ``subnet``.
            seconds: How long announcements are listened for.

        Raises:
            Unavailable: when a library for it is missing, with the line that installs it.
            UsageError: when the subnet is none, or too large to be asked.
        """
