"""The tables of the registry, and how an older file is brought up to date."""

from __future__ import annotations

import sqlite3

VERSION = 1

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


class NewerRegistry(Exception):
    """The file was written by a later version of the studio."""


def prepare(connection: sqlite3.Connection) -> None:
    """Create the tables in a new file.

    Raises:
        NewerRegistry: when the file's version is not known.
    """
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise NewerRegistry
    if version == 0:
        _create(connection)


def _create(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    # Another process may have been faster between the look and the lock.
    if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
        for statement in _TABLES.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version={VERSION}")
    connection.execute("COMMIT")
