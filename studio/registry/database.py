"""The seam between the registry and its database: an SQLite file, or a PostgreSQL server.

Statements are written once, in what both dialects understand: ``?`` for values, ``ON CONFLICT``,
``RETURNING``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

SqlValue = str | int | float | bytes | None
"""A value of a row, or of a parameter."""

WITHOUT_LIMIT = 1 << 62
"""The value of ``LIMIT`` for all rows, as PostgreSQL refuses a negative one."""


class DatabaseRow(Protocol):
    """A row of a result, with columns by name and by number."""

    def keys(self) -> Iterable[str]:
        """Return the names of the columns."""

    def __getitem__(self, key: Any, /) -> Any:
        """Return a column by its name or its number."""

    def __iter__(self) -> Iterator[Any]:
        """Iterate over the values."""


class DatabaseRows(Protocol):
    """The result of a statement."""

    def fetchone(self) -> Any:
        """Return the next row; None after the last."""

    def fetchall(self) -> list[Any]:
        """Return all remaining rows."""

    def __iter__(self) -> Iterator[Any]:
        """Iterate over the remaining rows."""


class DatabaseSession(Protocol):
    """A connection of one thread."""

    def execute(self, statement: str, values: Sequence[SqlValue] = ..., /) -> DatabaseRows:
        """Run a statement."""


class Database(Protocol):
    """The registry's database, safe for several threads and processes."""

    @property
    def connection(self) -> DatabaseSession:
        """The connection of this thread."""

    def write(self) -> AbstractContextManager[DatabaseSession]:
        """Open a transaction that excludes other writers; inside another one, continue that.

        Raises:
            StudioError: when the database is full, damaged or away, or refuses the change.
        """

    def all(self, statement: str, values: tuple[SqlValue, ...] = ()) -> Sequence[DatabaseRow]:
        """Return the rows of a query.

        Raises:
            StudioError: when the database is full, damaged or away.
        """

    def snapshot(self) -> AbstractContextManager[DatabaseSession]:
        """Open a transaction that reads one state, whatever others write in the meantime.

        Raises:
            StudioError: when the database is damaged or away.
        """

    def renumber(self, tables: Sequence[str]) -> None:
        """Let the numbers of new rows follow the highest one, after a copy with numbers."""

    def now(self) -> str:
        """Return the time of the database's computer in the registry's spelling."""

    def close(self) -> None:
        """Close the connections of all threads."""


def added(session: DatabaseSession, statement: str, values: Sequence[SqlValue]) -> int:
    """Run an ``INSERT``, and return the number of the new row."""
    return int(session.execute(f"{statement} RETURNING id", values).fetchall()[0][0])
