"""How a release is run on a target."""

from __future__ import annotations

from typing import NamedTuple, Tuple

_READY_S = 60.0
_READY_PROBES = 8.0
"""Times of the probe, which did the same work: a slow board is no failure."""


class Binding(NamedTuple):
    """The interpreter and the runtime of a release.

    Attributes:
        probe_s: Time that its probe took; 0 where that is not known.
    """

    runtime: str
    env: str
    python: str
    probe_s: float = 0.0

    @property
    def ready_s(self) -> float:
        """Seconds that the release has until it is ready, derived from its probe."""
        return max(_READY_S, _READY_PROBES * self.probe_s)


class InstalledEnvironment(NamedTuple):
    """Part of an environment's record.

    Attributes:
        blobs: SHA-256 of each wheel; empty if an earlier runtime installed it.
    """

    blobs: Tuple[str, ...] = ()
