"""Who changed what in a shared registry, as its server has recorded it."""

from __future__ import annotations

from datetime import UTC

from studio.lazy_dataclass import dataclass
from studio.registry.activity import spelled
from studio.registry.servers.postgres import PostgresDatabase


@dataclass(frozen=True, slots=True)
class RecordedChange:
    """A change of a row, recorded by the server in the same transaction.

    Attributes:
        role: The database role that logged in.
        client: User and computer, as the studio named them; not checked by the server.
        change: ``insert``, ``update`` or ``delete``.
        subject: Name of the table.
        key: Number or name of the row.
    """

    id: int
    at: str
    role: str
    client: str
    change: str
    subject: str
    key: str


def recorded(database: PostgresDatabase, most: int) -> list[RecordedChange]:
    """Return the newest changes, the newest first.

    Raises:
        StudioError: when the server cannot be reached.
    """
    found = database.all(
        "SELECT id, at, role, client, change, subject, key FROM changes ORDER BY id DESC LIMIT ?",
        (most,),
    )
    return [RecordedChange(row[0], spelled(row[1].astimezone(UTC)), *row[2:]) for row in found]
