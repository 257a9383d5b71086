"""How a release is run on a target."""

from __future__ import annotations

from typing import NamedTuple, Tuple


class Binding(NamedTuple):
    """The interpreter and the runtime of a release.

    Attributes:
        probe_s: Time that its probe took; 0 where that is not known.
    """

    runtime: str
    env: str
    python: str
    probe_s: float = 0.0


class InstalledEnvironment(NamedTuple):
    """Part of an environment's record.

    Attributes:
        blobs: SHA-256 of each wheel; empty if an earlier runtime installed it.
    """

    blobs: Tuple[str, ...] = ()
