"""The releases of a machine, from its inventory."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from studio.api import PlatformRelease
from studio.deployment.liveness import SERVING, Liveness
from studio.deployment.results import MachineRelease
from studio.documents.dataclass_json import from_json
from studio.targets import inventory
from studio.targets.inventory import Inventory

ReleaseT = TypeVar("ReleaseT", bound=MachineRelease | PlatformRelease)


def machine_releases(found: Inventory, live: Liveness | None = None) -> tuple[MachineRelease, ...]:
    """Return the releases of a machine, the newest first.

    Args:
        live: State of the server, if it was read.
    """
    live = live or Liveness(SERVING)
    rows = inventory.history(found, live.state)
    for row in rows:
        current = row["state"] == live.state
        row.update(endpoint=live.endpoint if current else "", scheme=live.scheme if current else "")
    return tuple(from_json(MachineRelease, row) for row in rows)


def current_release(releases: Iterable[ReleaseT]) -> ReleaseT | None:
    """Return the active release; None without one."""
    return next((one for one in releases if one.state == SERVING), None)
