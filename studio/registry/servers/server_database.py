"""The opening of a shared registry: its database, and this studio's copies of its files."""

from __future__ import annotations

from pathlib import Path

from studio.api import StudioError
from studio.lazy_dataclass import dataclass
from studio.registry.ownership import mark, marked
from studio.registry.servers.address import SharedAddress
from studio.registry.servers.oci import OciRepository
from studio.registry.servers.postgres import PostgresDatabase
from studio.registry.servers.s3 import Bucket
from studio.registry.servers.server_schema import prepare
from studio.registry.servers.shared_files import CommonPlace, MountedFolder, SharedStore
from studio.registry.servers.shared_plans import SharedPlans

COPIES = "shared-"
"""The start of the name of a folder with copies of a shared registry's files."""


@dataclass(frozen=True, slots=True)
class SharedParts:
    """A database on a server, and a store with a common place.

    Attributes:
        identity: Identity of the registry.
    """

    database: PostgresDatabase
    store: SharedStore
    identity: str
    address: SharedAddress

    @property
    def plans(self) -> SharedPlans:
        """The plans of all studios."""
        return SharedPlans(self.database)

    @classmethod
    def open(cls, folder: Path, address: SharedAddress) -> SharedParts:
        """Connect to a shared registry; create its tables in an empty database.

        Args:
            folder: The studio's folder of the registry.

        Raises:
            StudioError: when the database cannot be reached, or a later version has written it.
        """
        database = PostgresDatabase(address.database)
        try:
            identity = prepare(database)
            # Copies of another registry must not count as this one's; workers read below `store`.
            store = folder / "store" / f"{COPIES}{identity[:12]}"
            store.mkdir(parents=True, exist_ok=True)
            if marked(store) != identity:
                mark(store, identity)
            database.keep_below(store)
        except StudioError:
            database.close()
            raise
        return cls(database, SharedStore(store, folder, common_place(address)), identity, address)


def common_place(address: SharedAddress) -> CommonPlace:
    """Return the common place of an address; nothing is connected yet."""
    if address.blobs.startswith("s3://"):
        return Bucket(address.blobs, address.endpoint)
    if address.blobs.startswith("oci://"):
        return OciRepository(address.blobs)
    return MountedFolder(Path(address.blobs))
