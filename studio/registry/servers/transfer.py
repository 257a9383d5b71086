"""The copy of a registry as a whole: from a studio's files to a server, and back.

Numbers, times and digests stay. Both sides then have the same digest over all rows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from studio.api import StudioError, UsageError
from studio.lazy_dataclass import dataclass
from studio.registry.backups import DATABASE, Backups
from studio.registry.blob_store import BlobStore
from studio.registry.database import Database, DatabaseSession, SqlValue
from studio.registry.schema import TABLES
from studio.registry.servers.dialect import spellings
from studio.registry.servers.postgres import TOKEN
from studio.registry.servers.server_database import SharedParts
from studio.registry.sqlite_database import SqliteDatabase
from studio.registry.startup import make_ready

_AT_ONCE = 400
"""Rows of one statement; SQLite limits the number of values in it."""

_NUMBERED = tuple(table for table, key in TABLES.items() if key == "id")
_PATHS = (
    ("variants", "path"),
    ("variants", "graph"),
    ("versions", "path"),
)


@dataclass(frozen=True, slots=True)
class CopiedRegistry:
    """The result of a copy.

    Attributes:
        rows: Number of rows in all tables.
        files: Number of files and folders of the store.
        absent: Number of those that the source had no more, such as collected bundles.
        digest: SHA-256 over all rows, the same on both sides.
    """

    rows: int
    files: int
    absent: int
    digest: str


@dataclass(frozen=True, slots=True)
class RegistrySide:
    """One side of a copy: a database, and the store of its files."""

    database: Database
    store: BlobStore

    @classmethod
    def of_files(cls, folder: Path) -> RegistrySide:
        """Return the registry in a studio's own files; create it if it is new.

        Raises:
            StudioError: when it is damaged, or written by a later version.
        """
        folder.mkdir(parents=True, exist_ok=True)
        database, store = SqliteDatabase(folder / DATABASE), BlobStore(folder / "store")
        try:
            make_ready(folder, database, store.folder, Backups(folder))
        except StudioError:
            database.close()
            raise
        return cls(database, store)

    @classmethod
    def of_server(cls, parts: SharedParts) -> RegistrySide:
        """Return a shared registry."""
        return cls(parts.database, parts.store)

    @property
    def home(self) -> str:
        """The start of a path in the store."""
        return f"{self.store.folder}/"

    @property
    def is_empty(self) -> bool:
        """Whether no table has a row."""
        return not any(self.database.all(f"SELECT 1 FROM {one} LIMIT 1") for one in TABLES)


def copy_registry(source: RegistrySide, target: RegistrySide) -> CopiedRegistry:
    """Copy all rows and files of a registry into an empty one; a failure leaves it empty.

    Raises:
        UsageError: when the target is not empty.
        StudioError: when a side cannot be reached, or the copy differs from the source.
    """
    if not target.is_empty:
        raise UsageError(
            "The registry to copy to is not empty.",
            hint="Choose an empty one, or copy single models: studio versions export, import",
        )
    with source.database.snapshot() as read:
        files, absent = _copy_files(read, source, target)
        with target.database.write() as write:
            rows = sum(_copy_table(one, read, write, (source, target)) for one in TABLES)
            digests = {_digest(read, source), _digest(write, target)}
            if len(digests) > 1:
                raise StudioError("The copy of the registry differs from its source.")
            target.database.renumber(_NUMBERED)
    return CopiedRegistry(rows, files, absent, digests.pop())


def digest_of(side: RegistrySide) -> str:
    """Return the SHA-256 over all rows of a registry, whatever its kind and place."""
    with side.database.snapshot() as session:
        return _digest(session, side)


def _digest(session: DatabaseSession, side: RegistrySide) -> str:
    found = hashlib.sha256()
    for table in TABLES:
        for part in _parts(session, table):
            for row in part:
                values = [_moved(value, side.home, TOKEN) for value in row]
                found.update(json.dumps([table, *values]).encode() + b"\n")
    return found.hexdigest()


def _copy_table(
    table: str,
    read: DatabaseSession,
    write: DatabaseSession,
    sides: tuple[RegistrySide, RegistrySide],
) -> int:
    source, target = sides
    rows = 0
    for part in _parts(read, table):
        names = ", ".join(part[0].keys())
        marks = ", ".join(["(" + ", ".join("?" * len(part[0])) + ")"] * len(part))
        values = [_moved(value, source.home, target.home) for row in part for value in row]
        write.execute(f"INSERT INTO {table} ({names}) VALUES {marks}", values)
        rows += len(part)
    return rows


def _parts(session: DatabaseSession, table: str) -> Iterator[list[Any]]:
    """Yield the rows of a table in order, some at a time."""
    names = _COLUMNS[table]
    if table not in _NUMBERED:
        rows = session.execute(f"SELECT {names} FROM {table} ORDER BY 1, 2").fetchall()
        yield from (rows[at : at + _AT_ONCE] for at in range(0, len(rows), _AT_ONCE))
        return
    last = 0
    statement = f"SELECT {names} FROM {table} WHERE id > ? ORDER BY id LIMIT {_AT_ONCE}"
    while part := session.execute(statement, (last,)).fetchall():
        yield part
        last = int(part[-1]["id"])


def _moved(value: SqlValue, before: str, after: str) -> SqlValue:
    if isinstance(value, str):
        for spelled in spellings(before):
            value = value.replace(spelled, after)
    return value


def _copy_files(
    read: DatabaseSession, source: RegistrySide, target: RegistrySide
) -> tuple[int, int]:
    """Copy what rows refer to; return the number of copies, and of absent ones."""
    copied = absent = 0
    for digest, name in sorted(_referred(read, source)):
        path = source.store.folder / digest / name
        if not source.store.has(path):
            absent += 1
            continue
        source.store.fetch(path)
        target.store.take(digest, path)
        copied += 1
    return copied, absent


def _referred(read: DatabaseSession, side: RegistrySide) -> set[tuple[str, str]]:
    texts = []
    for table, column in _PATHS:
        texts += [row[0] for row in read.execute(f"SELECT {column} FROM {table}").fetchall()]
    for row in read.execute("SELECT artifacts FROM runs").fetchall():
        texts += [facts[1] for facts in json.loads(row[0]).values()]
    found = set()
    for text in filter(None, texts):
        parts = text.removeprefix(side.home).split("/")
        if text.startswith(side.home) and len(parts) > 1:
            found.add((parts[0], parts[1]))
    return found


_COLUMNS = {
    "models": "id, name, created",
    "variants": "id, model, name, digest, path, size, format, precision, parent, step, options,"
    " summary, graph, created",
    "runs": "id, step, variant, options, result, artifacts, created",
    "versions": "id, model, number, variant, digest, path, counter, created",
    "targets": "name, url, host_key, settings, facts",
    "releases": "id, target, version, digest, state, details, created",
    "kept": "key, step, run, result, created",
    "actions": "id, step, options, result, source, created",
    "aliases": "model, name, version",
    "moves": "id, model, alias, version, before, why, evidence, by, created",
}
"""Columns of each table, in an order that does not depend on migrations."""
