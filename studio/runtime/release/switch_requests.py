"""Requests of the verbs that change what is served."""

from __future__ import annotations

from typing import Iterable, List, Mapping, NamedTuple, Optional

from ..shared.records import read


class SwitchRequest(NamedTuple):
    """Request to serve a release; omitted values stay as they are.

    Attributes:
        release: Digest of the release.
        host: Address to listen on.
        port: None for the endpoint's own; 0 chooses another.
        usual_port: The first to be tried where none is in use.
        access: An ``access.AccessChange`` in JSON form.
        ready_s: Longest time until it is ready.
        soak_s: How long it is watched.
        providers: Execution providers of the server (see ``backends.providers.wanted``).
        quality: Values of the trial's rule; None if it must only stay up and answer.
    """

    release: str = ""
    host: str = ""
    port: Optional[int] = None
    usual_port: int = 0
    access: Optional[Mapping[str, object]] = None
    ready_s: float = 0.0
    soak_s: float = 0.5
    providers: Optional[str] = None
    quality: Optional[Mapping[str, object]] = None


class RollbackRequest(NamedTuple):
    """Release to roll back to: a version's number or a digest; empty for the previous one."""

    to: str = ""


class StartRequest(NamedTuple):
    """Request to start the server; with the flag it restarts a running one."""

    anew: bool = False


class StopRequest(NamedTuple):
    """Stop of the server, and its time to finish requests."""

    seconds: float = 15.0


class PastRelease(NamedTuple):
    """An entry of the history."""

    release: str = ""
    state: str = ""
    reason: str = ""

    @classmethod
    def all(cls, history: Iterable[Mapping[str, object]]) -> List[PastRelease]:
        """Return the entries of a history, the oldest first."""
        return [read(cls, entry) for entry in history]
