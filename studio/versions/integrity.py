"""The integrity of a registry: its database, and each file that a row refers to."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from studio.api import StudioError
from studio.documents.dataclass_json import JsonValue, to_json
from studio.lazy_dataclass import dataclass
from studio.registry import Registry, file_digest, folder_digest
from studio.registry.backups import DATABASE, connect, faults_of
from studio.registry.ownership import entries
from studio.registry.servers.address import address_in
from studio.registry.servers.server_database import COPIES
from studio.versions.garbage import needed

_ONE = 1
"""The newest version of each model is never collected, so its bundle must exist."""


@dataclass(frozen=True, slots=True)
class Damage:
    """A missing or altered file, or a damaged database.

    Attributes:
        name: The row that refers to it: ``digits:3``, ``run 12``, or the database itself.
        why: ``is missing`` ...
    """

    name: str
    path: str
    why: str


@dataclass(frozen=True, slots=True)
class RegistryCondition:
    """The result of an integrity check.

    Attributes:
        path: Path of the database, or of a copy.
        rows: Number of rows in all tables.
        blobs: Number of existing folders of the store with references.
        unknown: Number of folders of the store without references.
        restocked: Number of files that a shared store had lost, and has again from this studio.
    """

    path: Path
    rows: int
    blobs: int
    unknown: int
    damaged: tuple[Damage, ...]
    restocked: int = 0

    def to_json(self) -> dict[str, JsonValue]:
        """Return the document of ``--json``."""
        return dict(to_json(self))


def condition(folder: Path, *, thorough: bool = True) -> RegistryCondition:
    """Check a registry, even a damaged one.

    Args:
        thorough: Compare every file with its digest, not only whether it exists.

    Raises:
        StudioError: when a later version of the studio has written it.
    """
    if address_in(folder) is not None:
        return _shared_condition(folder, thorough)
    database = folder / DATABASE
    faults = faults_of(database) if database.is_file() else ["is missing"]
    found = [Damage(DATABASE, str(database), fault) for fault in faults]
    if found:
        return RegistryCondition(database, 0, 0, len(entries(folder / "store")), tuple(found))
    with closing(Registry.open(folder)) as registry:
        listed = entries(registry.store)
        homes = {home for path in _referred(registry) if (home := _home(registry, path))}
        damage = tuple(_damage(registry, thorough))
    present = homes & set(listed)
    unknown = len(set(listed) - homes)
    return RegistryCondition(database, rows_of(database), len(present), unknown, damage)


def _shared_condition(folder: Path, thorough: bool) -> RegistryCondition:
    """Check a shared registry: this studio's copies, and what its store has of the rest."""
    with closing(Registry.open(folder)) as registry:
        listed = entries(registry.store)
        homes = {home for path in _referred(registry) if (home := _home(registry, path))}
        damage = list(_damage(registry, thorough))
        restocked = _restocked(registry, damage) if thorough else 0
        rows = registry.count_rows()
    unknown = len(set(listed) - homes)
    return RegistryCondition(registry.store, rows, len(homes), unknown, tuple(damage), restocked)


def _restocked(registry: Registry, damage: list[Damage]) -> int:
    """Store again what the shared store has lost of this studio's intact files.

    Args:
        damage: What is known; what the store refuses to take again is added.
    """
    assert registry.shared is not None
    registry.shared.store.require_common()
    altered, stored = {one.path for one in damage}, 0
    for path, name in _kept(registry).items():
        if str(path) in altered:
            continue
        try:
            stored += registry.shared.store.restock(path)
        except StudioError as error:
            damage.append(Damage(name, str(path), f"is only here: {error.message}"))
    return stored


def _kept(registry: Registry) -> dict[Path, str]:
    """Return what the store has of the required paths as a whole: a file, or its folder."""
    found: dict[Path, str] = {}
    for path, name in _referred(registry).items():
        if _home(registry, path):
            parts = path.relative_to(registry.store).parts[:2]
            found.setdefault(registry.store.joinpath(*parts), name)
    return found


def rows_of(database: Path) -> int:
    """Return the number of rows in all tables of a valid database."""
    with closing(connect(database)) as connection:
        named = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        names = [str(row[0]) for row in connection.execute(named)]
        counts = (connection.execute(f'SELECT count(*) FROM "{name}"').fetchone() for name in names)
        return sum(int(row[0]) for row in counts)


def set_aside(folder: Path, damaged: tuple[Damage, ...]) -> int:
    """Move altered files out of the store, so that intact ones can replace them.

    Returns:
        The number of moved folders, which are next to the store.
    """
    stores = (folder / "store", *(folder / "store").glob(f"{COPIES}*"))
    listed = {home for store in stores for home in entries(store).values()}
    homes = {Path(one.path).parent for one in damaged if Path(one.path).exists()} & listed
    if not homes:
        return 0
    aside = folder / f"damaged-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"
    aside.mkdir(mode=0o700)
    for home in sorted(homes):
        os.rename(home, aside / home.name)
    return len(homes)


def _referred(registry: Registry) -> dict[Path, str]:
    """Return the path of every required file or folder, with the row that requires it."""
    found: dict[Path, str] = {}
    for variant in registry.variants():
        name = f"{variant.model_name} {variant.name}"
        found.setdefault(variant.path, name)
        if variant.graph_path is not None:
            found.setdefault(variant.graph_path, f"graph of {name}")
    for run in registry.runs():
        for artifact in run.artifacts.values():
            found.setdefault(artifact.path, f"run {run.id}")
    names = {model.id: model.name for model in registry.models()}
    must = {identifier for identifier, _why in needed(registry, _ONE)}
    for version in registry.versions():
        if version.id in must or version.path.exists():
            found.setdefault(version.path, f"{names[version.model]}:{version.number}")
    return found


def _home(registry: Registry, path: Path) -> str:
    """Return the folder of the store that contains a path; empty for a path outside."""
    if path == registry.store or not path.is_relative_to(registry.store):
        return ""
    return path.relative_to(registry.store).parts[0]


def _damage(registry: Registry, thorough: bool) -> Iterator[Damage]:
    seen: set[Path] = set()
    for path, name in _referred(registry).items():
        home, kept = _home(registry, path), path
        if home:  # adopted as a whole: a file, or a folder with the file in it
            kept = registry.store.joinpath(*path.relative_to(registry.store).parts[:2])
        if not registry.has(path):
            yield Damage(name, str(path), "is missing")
        elif home and thorough and kept not in seen and kept.exists() and _digest(kept) != home:
            yield Damage(name, str(kept), "is not what it was")
        seen.add(kept)


def _digest(path: Path) -> str:
    try:
        return folder_digest(path) if path.is_dir() else file_digest(path)
    except (OSError, ValueError):  # unreadable, or replaced by a link
        return ""
