"""Requests of the verbs that change what is served."""

from __future__ import annotations

from typing import Mapping, NamedTuple, Optional


class SwitchRequest(NamedTuple):
    """How a release is to be served; what is not given stays as it is.

    Attributes:
        release: Digest of the release.
        host: Address to listen on.
        port: None for the endpoint's own; 0 chooses anew.
        usual_port: The first to be tried where none is in use.
        access: An ``access.AccessChange`` in JSON form.
        ready_s: Longest time until it is ready.
        soak_s: How long it is watched.
        quality: Values of the trial's rule; None where it must stay up and answer, no more.
    """

    release: str = ""
    host: str = ""
    port: Optional[int] = None
    usual_port: int = 0
    access: Optional[Mapping[str, object]] = None
    ready_s: float = 0.0
    soak_s: float = 0.5
    quality: Optional[Mapping[str, object]] = None


class RollbackRequest(NamedTuple):
    """The release to go back to: a version's number or a digest; empty for the last before."""

    to: str = ""


class StartRequest(NamedTuple):
    """A start of the server; ``anew``: also when it runs, which is ended before."""

    anew: bool = False


class StopRequest(NamedTuple):
    """A stop of the server, and how long it may finish its requests."""

    seconds: float = 15.0


class PastRelease(NamedTuple):
    """An entry of the history."""

    release: str = ""
    state: str = ""
    reason: str = ""
