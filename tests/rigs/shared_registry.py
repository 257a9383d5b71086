"""A plugin of pytest: the registries of the tests are shared ones, on the server of a rig.

``pytest -p tests.rigs.shared_registry`` with the address of a database in ``SHARED_DATABASE``. Each
folder of a registry gets a schema of its own, and a folder for its files.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import psycopg
import pytest

from studio.registry import registry
from studio.registry.servers.address import SharedAddress, address_in, use

VARIABLE = "SHARED_DATABASE"
OF_FILES = ("test_backups.py", "test_schema.py", "test_full_disk.py")
"""Tests of SQLite's file itself: its copies, its migration, its disk."""

OF_FILE = ("test_a_damaged_file_is_said_and_kept", "test_a_later_version_is_refused")
_DATABASE = os.environ.get(VARIABLE, "")
_original = address_in


def shared_address(folder: Path) -> SharedAddress:
    """Return the address of a folder's registry; its schema is made with the first question."""
    known = _original(folder)
    if known is not None:
        return known
    name = "t" + hashlib.sha256(str(folder).encode()).hexdigest()[:24]
    with psycopg.connect(_DATABASE, autocommit=True) as connection:
        connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{name}"'.encode())
    blobs = folder.with_name(f"{folder.name}-blobs")
    blobs.mkdir(parents=True, exist_ok=True)
    address = SharedAddress.of(f"{_DATABASE}?options=-csearch_path%3D{name}", str(blobs))
    use(folder, address)
    return address


def pytest_configure(config: pytest.Config) -> None:
    """Put shared registries in the place of files."""
    registry.address_in = shared_address  # type: ignore[attr-defined]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is about SQLite's file."""
    left = [i for i in items if i.path.name in OF_FILES or i.name.partition("[")[0] in OF_FILE]
    items[:] = [item for item in items if item not in left]
    config.hook.pytest_deselected(items=left)
