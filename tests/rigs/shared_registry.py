"""A plugin of pytest: the registries of the tests are shared ones, on the servers of a rig.

``pytest -p tests.rigs.shared_registry`` with the address of a database in ``SHARED_DATABASE``, and
in ``SHARED_BLOBS`` a bucket with its endpoint. Each folder of a registry gets a schema of its own,
and a prefix of the bucket (without a bucket, a folder).
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from studio.registry import registry
from studio.registry.servers.address import SharedAddress, address_in, use

VARIABLE = "SHARED_DATABASE"
BLOBS = "SHARED_BLOBS"
OF_FILES = (
    *("test_backups.py", "test_schema.py", "test_full_disk.py", "test_transfer.py"),
    "test_zipapp.py",
)
"""Tests of SQLite's file itself (its copies, its migration, its disk, and what leaves it), and of
the runtime's archive, which knows no registry."""

OF_FILE = (
    "test_a_damaged_file_is_said_and_kept",
    "test_a_later_version_is_refused",
    "test_a_registry_that_is_younger_than_its_store_removes_nothing",
    "test_what_a_restore_has_forgotten_stays_until_it_is_named",
)
_DATABASE = os.environ.get(VARIABLE, "")
_original = address_in


def shared_address(folder: Path) -> SharedAddress:
    """Return the address of a folder's registry; its schema is made with the first question."""
    known = _original(folder)
    if known is not None:
        return known
    import psycopg  # no part of the tests' own environment

    name = "t" + hashlib.sha256(str(folder).encode()).hexdigest()[:24]
    with psycopg.connect(_DATABASE, autocommit=True) as connection:
        connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{name}"'.encode())
    blobs, endpoint = _place(folder, name)
    database = f"{_DATABASE}?options=-csearch_path%3D{name}"
    address = SharedAddress.of(database, blobs, endpoint)
    use(folder, address)
    return address


def _place(folder: Path, name: str) -> tuple[str, str]:
    """Return the place of a registry's files, and the endpoint of its bucket."""
    if given := os.environ.get(BLOBS):
        place, _, endpoint = given.partition(" ")
        return f"{place}/{name}", endpoint
    blobs = folder.with_name(f"{folder.name}-blobs")
    blobs.mkdir(parents=True, exist_ok=True)
    return str(blobs), ""


def pytest_configure(config: pytest.Config) -> None:
    """Put shared registries in the place of files."""
    registry.address_in = shared_address  # type: ignore[attr-defined]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is about SQLite's file."""
    left = [i for i in items if i.path.name in OF_FILES or i.name.partition("[")[0] in OF_FILE]
    items[:] = [item for item in items if item not in left]
    config.hook.pytest_deselected(items=left)
