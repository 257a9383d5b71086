"""The schema of the registry, and the migration of older files."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from studio.registry.activity import now
from studio.registry.ownership import identify

VERSION = 6
_IDENTIFIED = 4
"""The schema version that introduced the identity of a registry."""

_TABLES = """
CREATE TABLE models (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, created TEXT NOT NULL
) STRICT;
CREATE TABLE variants (
    id INTEGER PRIMARY KEY, model INTEGER NOT NULL REFERENCES models(id),
    name TEXT NOT NULL, digest TEXT NOT NULL, path TEXT NOT NULL, size INTEGER NOT NULL,
    format TEXT NOT NULL, precision TEXT NOT NULL, parent INTEGER REFERENCES variants(id),
    step TEXT NOT NULL, options TEXT NOT NULL, summary TEXT NOT NULL, graph TEXT,
    created TEXT NOT NULL, UNIQUE (model, name)
) STRICT;
CREATE INDEX variants_digest ON variants (digest);
CREATE TABLE runs (
    id INTEGER PRIMARY KEY, step TEXT NOT NULL, variant INTEGER REFERENCES variants(id),
    options TEXT NOT NULL, result TEXT NOT NULL, artifacts TEXT NOT NULL, created TEXT NOT NULL
) STRICT;
CREATE INDEX runs_step ON runs (step, variant);
CREATE TABLE versions (
    id INTEGER PRIMARY KEY, model INTEGER NOT NULL REFERENCES models(id), number INTEGER NOT NULL,
    variant INTEGER NOT NULL REFERENCES variants(id), digest TEXT NOT NULL UNIQUE,
    path TEXT NOT NULL, counter INTEGER NOT NULL, created TEXT NOT NULL, UNIQUE (model, number)
) STRICT;
CREATE TABLE targets (
    name TEXT PRIMARY KEY, url TEXT NOT NULL, host_key TEXT NOT NULL, settings TEXT NOT NULL,
    facts TEXT NOT NULL
) STRICT;
CREATE TABLE releases (
    id INTEGER PRIMARY KEY, target TEXT NOT NULL, version INTEGER REFERENCES versions(id),
    digest TEXT NOT NULL, state TEXT NOT NULL, details TEXT NOT NULL, created TEXT NOT NULL
) STRICT;
CREATE INDEX releases_target ON releases (target);
"""

_SECOND = """
CREATE TABLE IF NOT EXISTS kept (
    key TEXT PRIMARY KEY, step TEXT NOT NULL, run TEXT NOT NULL, result TEXT NOT NULL,
    created TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS actions (
    id INTEGER PRIMARY KEY, step TEXT NOT NULL, options TEXT NOT NULL, result TEXT NOT NULL,
    source TEXT NOT NULL, created TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS aliases (
    model INTEGER NOT NULL REFERENCES models(id), name TEXT NOT NULL,
    version INTEGER NOT NULL REFERENCES versions(id), PRIMARY KEY (model, name)
) STRICT;
CREATE TABLE IF NOT EXISTS moves (
    id INTEGER PRIMARY KEY, model INTEGER NOT NULL REFERENCES models(id), alias TEXT NOT NULL,
    version INTEGER REFERENCES versions(id), before INTEGER REFERENCES versions(id),
    why TEXT NOT NULL, evidence TEXT NOT NULL, by TEXT NOT NULL, created TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS moves_model ON moves (model, alias);
"""
"""Cached results, actions, aliases and their moves."""

_THIRD = """
CREATE INDEX IF NOT EXISTS releases_state ON releases (target, state);
CREATE INDEX IF NOT EXISTS releases_version ON releases (version)
"""
"""Indexes for queries over all releases."""


_FOURTH = """
CREATE TABLE IF NOT EXISTS identity (
    id TEXT NOT NULL, created TEXT NOT NULL, restored TEXT
) STRICT
"""
"""The identity of the registry, and the time of its last restore."""


_FIFTH = """
CREATE INDEX IF NOT EXISTS releases_created ON releases (target, created, state)
"""
"""An index for the releases of many targets at a time."""

_SIXTH = """
CREATE INDEX IF NOT EXISTS releases_last ON releases (target, state, id);
DROP INDEX IF EXISTS releases_state
"""
"""An index for the last change of each target to a state, in place of a shorter one."""

MIGRATIONS = (_TABLES, _SECOND, _THIRD, _FOURTH, _FIFTH, _SIXTH)
"""The statements of each version of the schema, in SQLite's types."""

TABLES = {
    "models": "id",
    "variants": "id",
    "runs": "id",
    "versions": "id",
    "targets": "name",
    "releases": "id",
    "kept": "key",
    "actions": "id",
    "aliases": "name",
    "moves": "id",
}
"""The tables of the registry with the column that names a row, parents before children."""


class NewerRegistry(Exception):
    """The error for a file from a later version of the studio."""


def prepare(
    connection: sqlite3.Connection, store: Path, before_migration: Callable[[], object]
) -> None:
    """Create the tables in a new file, or migrate an older one.

    Args:
        store: Folder of the artifacts, which is marked as the registry's own.
        before_migration: Called before an older file is changed.

    Raises:
        NewerRegistry: when the version of the file is unknown.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise NewerRegistry
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    if version < VERSION:
        if version > 0:
            before_migration()
        _bring_up(connection, store)


def _bring_up(connection: sqlite3.Connection, store: Path) -> None:
    """Create missing tables in one transaction."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Another process may have migrated the file before this one acquired the lock.
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        for number, tables in enumerate(MIGRATIONS, 1):
            if version < number:
                for statement in tables.split(";"):
                    connection.execute(statement)
        if version < _IDENTIFIED:
            identify(connection, store, new=version == 0, moment=now())
        connection.execute(f"PRAGMA user_version={max(version, VERSION)}")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
