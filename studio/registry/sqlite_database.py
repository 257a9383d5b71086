"""The registry's database as an SQLite file: connections, one per thread."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from studio.registry.activity import now
from studio.registry.backups import damaged
from studio.registry.database import SqlValue
from studio.settings.disk_space import is_full, no_room

_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_OF_DISK = frozenset({sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN})
_PRIMARY = 0xFF
"""The lowest byte of an error code is its class; the others are details."""


def is_damage(error: sqlite3.DatabaseError) -> bool:
    """Return whether an error means that the file is damaged."""
    return (getattr(error, "sqlite_errorcode", 0) & _PRIMARY) in _DAMAGE


def is_without_room(error: sqlite3.DatabaseError, folder: Path) -> bool:
    """Return whether an error means that the disk of the file is full."""
    kind = getattr(error, "sqlite_errorcode", 0) & _PRIMARY
    return kind == sqlite3.SQLITE_FULL or (kind in _OF_DISK and is_full(folder))


class SqliteDatabase:
    """The registry's database in a file, safe for several threads and processes."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []

    def close(self) -> None:
        """Close the connections of all threads."""
        while self._connections:
            self._connections.pop().close()

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection of this thread."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(
                self._file, timeout=10.0, isolation_level=None, check_same_thread=False
            )
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA foreign_keys=ON")
            self._local.connection = connection
            self._connections.append(connection)
        return connection

    def now(self) -> str:
        """Return the time of this computer in the registry's spelling."""
        return now()

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Open a transaction; inside another one, continue that.

        Raises:
            StudioError: when the disk is full, or the file is damaged, with the command to
                restore it.
        """
        connection = self.connection
        if connection.in_transaction:
            yield connection
            return
        with self._disk_errors_reported():
            # IMMEDIATE takes the write lock now; a later upgrade could fail with SQLITE_BUSY.
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                _roll_back(connection)
                raise
            connection.execute("COMMIT")

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """Open a transaction that reads one state, whatever others write in the meantime.

        Raises:
            StudioError: when the file is damaged, with the command to restore it.
        """
        with self._disk_errors_reported():
            self.connection.execute("BEGIN")
            try:
                yield self.connection
            finally:
                _roll_back(self.connection)

    def renumber(self, tables: Sequence[str]) -> None:
        """Do nothing: SQLite's numbers always follow the highest one."""

    def all(self, statement: str, values: tuple[SqlValue, ...] = ()) -> list[sqlite3.Row]:
        """Return the rows of a query.

        Raises:
            StudioError: when the disk is full, or the file is damaged, with the command to
                restore it.
        """
        with self._disk_errors_reported():
            return self.connection.execute(statement, values).fetchall()

    @contextmanager
    def _disk_errors_reported(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            if is_damage(error):
                raise damaged(self._file.parent, str(error)) from None
            if is_without_room(error, self._file.parent):
                raise no_room(self._file.parent) from None
            raise


def _roll_back(connection: sqlite3.Connection) -> None:
    """End a transaction, unless a disk error has ended it already."""
    if connection.in_transaction:
        connection.execute("ROLLBACK")
