"""The registry that several studios share: its address, its copies, and who changed what."""

from __future__ import annotations

from contextlib import closing

from studio.api import StudioError
from studio.lazy_dataclass import dataclass
from studio.registry.occupancy import Occupancy
from studio.registry.servers.address import SharedAddress, address_in, use
from studio.registry.servers.changes import RecordedChange, recorded
from studio.registry.servers.server_database import SharedParts
from studio.registry.servers.server_schema import roles
from studio.registry.servers.transfer import CopiedRegistry, RegistrySide, copy_registry
from studio.settings import Paths

__all__ = [
    "CopiedRegistry",
    "RecordedChange",
    "SharedAddress",
    "SharedRegistry",
    "SharedState",
    "roles",
]


@dataclass(frozen=True, slots=True)
class SharedState:
    """The registry that a studio uses.

    Attributes:
        database, blobs, endpoint: Its address; empty for the studio's own files.
        role: The database role of this studio.
        identity: Identity of the shared registry.
    """

    database: str = ""
    blobs: str = ""
    endpoint: str = ""
    role: str = ""
    identity: str = ""


class SharedRegistry:
    """The choice between the studio's own registry and a shared one, and copies between them.

    Args:
        paths: Whose; by default the user's.
    """

    def __init__(self, paths: Paths | None = None) -> None:
        self._folder = (paths or Paths.of()).registry

    def state(self) -> SharedState:
        """Return the registry in use.

        Raises:
            StudioError: when the server cannot be reached.
        """
        address = address_in(self._folder)
        if address is None:
            return SharedState()
        parts = SharedParts.open(self._folder, address)
        with closing(parts.database):
            return _state(parts)

    def use(self, address: SharedAddress | None) -> SharedState:
        """Use a shared registry from now on, or the studio's own files (None).

        Raises:
            StudioError: when the server or the place of the files cannot be reached; then
                nothing is changed.
        """
        if address is None:
            use(self._folder, None)
            return SharedState()
        parts = SharedParts.open(self._folder, address)
        with closing(parts.database):
            parts.store.require_common()
            state = _state(parts)
        use(self._folder, address)
        return state

    def copy_to(self, address: SharedAddress) -> CopiedRegistry:
        """Copy the studio's own registry into an empty shared one.

        Raises:
            UsageError: when the shared one is not empty.
            StudioError: when a side cannot be reached, or refuses a change.
        """
        return self._copied(address, out=True)

    def copy_from(self, address: SharedAddress) -> CopiedRegistry:
        """Copy a shared registry into the studio's own empty one.

        Raises:
            UsageError: when the studio's own is not empty.
            StudioError: when a side cannot be reached.
        """
        return self._copied(address, out=False)

    def changes(self, most: int) -> list[RecordedChange]:
        """Return the newest changes with their database roles, the newest first.

        Raises:
            StudioError: for a local registry, or a server that cannot be reached.
        """
        address = address_in(self._folder)
        if address is None:
            raise StudioError(
                "The local registry has one user, so it records no roles.",
                hint="See the changes on targets: studio releases --everywhere",
            )
        parts = SharedParts.open(self._folder, address)
        with closing(parts.database):
            return recorded(parts.database, most)

    def _copied(self, address: SharedAddress, *, out: bool) -> CopiedRegistry:
        parts = SharedParts.open(self._folder, address)
        with closing(parts.database), Occupancy.shared(self._folder):
            here, there = RegistrySide.of_files(self._folder), RegistrySide.of_server(parts)
            with closing(here.database):
                return copy_registry(here, there) if out else copy_registry(there, here)


def _state(parts: SharedParts) -> SharedState:
    address = parts.address
    return SharedState(
        address.database, address.blobs, address.endpoint, parts.database.role, parts.identity
    )
