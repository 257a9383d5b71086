"""Count of the boards of a group: who serves a release, who failed, and who is not believed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from studio_hawkbit.container import ReleaseName
from studio_hawkbit.server import DONE, FAILED, FleetBoard, FleetOffer, FleetServer

_NAMED = 20
"""Boards that are named with a reason; the others are only counted."""
_NO_VERSION = ("", "none", "damaged")
_FAILED = "It reports the release, and its last action has failed."
_UNCONFIRMED = "It reports a success, and no message of its installation names the release."
_NEVER = "It reports the release, and never reported its installation."
_FOREIGN = "It reports version {}, which is not at this server."


@dataclass(frozen=True, slots=True)
class FleetCount:
    """How far the boards of a group are with a release.

    Attributes:
        serving: Boards that report it and whose success was confirmed.
        failed: Boards whose last action has failed.
        doubted: Boards that report it and are not believed, with the reason.
        foreign: Boards that report a release which is not at the server, with a sentence.
    """

    boards: int
    serving: int
    failed: int
    doubted: Mapping[str, str] = field(default_factory=dict)
    foreign: Mapping[str, str] = field(default_factory=dict)

    @property
    def share(self) -> int:
        """Percent of the boards that serve it."""
        return 100 * self.serving // self.boards if self.boards else 0

    @property
    def settled(self) -> bool:
        """Whether nothing more is to be expected of any board."""
        doubted = sum(why != _FAILED for why in self.doubted.values())
        return self.serving + self.failed + doubted >= self.boards > 0

    def facts(self) -> dict[str, object]:
        """Return it for the record of a deployment."""
        counts = {"boards": self.boards, "serving": self.serving, "failed": self.failed}
        found: dict[str, object] = {**counts, "not_believed": len(self.doubted)}
        if self.foreign:
            found["unknown_release"] = len(self.foreign)
        why = {**self.doubted, **self.foreign}
        if why:
            found["why"] = dict(sorted(why.items())[:_NAMED])
        return found

    def __str__(self) -> str:
        return f"{self.serving} of {self.boards} boards serve it, {self.failed} have failed"


class FleetTally:
    """Counts boards, and remembers whose success the server's record confirms."""

    def __init__(self, server: FleetServer) -> None:
        self._server = server
        self._confirmed: set[tuple[str, str]] = set()

    def count(
        self, boards: Sequence[FleetBoard], release: ReleaseName, known: Collection[str] = ()
    ) -> FleetCount:
        """Return how far the boards are with a release, each success confirmed once.

        Args:
            known: Versions at the server; empty where no foreign ones are searched for.
        """
        reporting = [one for one in boards if one.version == release.text]
        doubted = {one.id: self._doubt(one, release) for one in reporting}
        doubted = {name: why for name, why in doubted.items() if why}
        # goosebit's own counts miss some of the answers that arrive at one moment.
        failed = sum(one.state == FAILED for one in boards)
        serving = len(reporting) - len(doubted)
        return FleetCount(len(boards), serving, failed, doubted, _foreign(boards, known))

    def quick(
        self, boards: Sequence[FleetBoard], release: ReleaseName, offers: Sequence[FleetOffer]
    ) -> FleetCount:
        """Return the same from the lists alone, unless more report it than have succeeded."""
        done = [one for one in boards if one.version == release.text and one.state == DONE]
        if len(done) > sum(one.succeeded for one in offers):
            return self.count(boards, release)
        failed = sum(one.state == FAILED for one in boards)
        return FleetCount(len(boards), len(done), failed)

    def _doubt(self, board: FleetBoard, release: ReleaseName) -> str:
        """Return why a board that reports the release is not believed; empty if it is."""
        if board.state == FAILED:
            return _FAILED
        if board.state != DONE:
            return _NEVER
        mark = (board.id, release.digest)
        if mark not in self._confirmed:
            if not self._server.confirms(board, release):
                return _UNCONFIRMED
            self._confirmed.add(mark)
        return ""


def _foreign(boards: Sequence[FleetBoard], known: Collection[str]) -> dict[str, str]:
    if not known:
        return {}
    usual = {*known, *_NO_VERSION}
    return {one.id: _FOREIGN.format(one.version[:60]) for one in boards if one.version not in usual}
