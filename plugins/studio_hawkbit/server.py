"""What a publication needs of a server, whichever it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from studio.api import Progress
from studio_hawkbit.container import ReleaseName

WAITING, RUNNING, FAILED, DONE = "waiting", "running", "failed", "done"


@dataclass(frozen=True, slots=True)
class Software:
    """An artefact at the server.

    Attributes:
        release: Release in it; None for a file of another program.
    """

    id: int
    release: ReleaseName | None
    size: int


@dataclass(frozen=True, slots=True)
class FleetOffer:
    """An offer of one artefact to a group.

    Attributes:
        at: When it was made, seconds since the epoch.
        paused: Whether no more boards are offered it.
        succeeded, failed: Boards that have reported so.
    """

    id: int
    software: int
    at: float
    paused: bool
    succeeded: int
    failed: int


@dataclass(frozen=True, slots=True)
class FleetBoard:
    """A board as the server knows it.

    Attributes:
        version: Version that it reports (``2.2.0+ab12...``).
        state: ``waiting``, ``running``, ``failed`` or ``done``.
        seen_s: Seconds since its last poll; None before the first.
    """

    id: str
    version: str
    state: str
    seen_s: float | None


class FleetServer(Protocol):
    """A server with a group of boards."""

    def who(self) -> str:
        """Return the name and version of the server."""

    def software(self) -> list[Software]:
        """Return the artefacts, the newest last."""

    def add(self, file: Path, release: ReleaseName, progress: Progress) -> int:
        """Upload an artefact; return its number."""

    def rollouts(self) -> list[FleetOffer]:
        """Return the offers to the group, the newest last."""

    def offer(self, software: Software, title: str, most_failed: float) -> None:
        """Offer an artefact to the group, also to boards whose last action failed."""

    def pause(self, rollouts: list[FleetOffer]) -> None:
        """Offer these to no more boards."""

    def boards(self) -> list[FleetBoard]:
        """Return the boards of the group."""

    def confirms(self, board: FleetBoard, release: ReleaseName) -> bool:
        """Return whether a board has reported the success of this release's installation."""

    def log(self, board: str) -> str:
        """Return the last feedback of a board."""

    def delete(self, software: Software, rollouts: list[FleetOffer]) -> None:
        """Delete an artefact and its offers."""
