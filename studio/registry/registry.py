"""The registry of models, variants, runs, versions, targets and releases."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.api import Refused, StudioError, UsageError
from studio.registry import counters, rows
from studio.registry.activity import Activity
from studio.registry.backups import DATABASE, Backups
from studio.registry.blob_store import BlobStore
from studio.registry.database import WITHOUT_LIMIT, Database, added
from studio.registry.endpoints import Endpoints
from studio.registry.groups import Groups
from studio.registry.labels import Labels
from studio.registry.names import component
from studio.registry.occupancy import Occupancy
from studio.registry.ownership import identity_of, marked
from studio.registry.records import (
    Artifact,
    ModelRecord,
    RunRecord,
    VariantRecord,
    VersionRecord,
)
from studio.registry.releases import Releases
from studio.registry.schema import TABLES
from studio.registry.servers.address import address_in
from studio.registry.sqlite_database import SqliteDatabase
from studio.registry.startup import make_ready
from studio.registry.targets import Targets
from studio.settings.files import make_private

if TYPE_CHECKING:
    from studio.registry.servers.server_database import SharedParts


class Registry:
    """A registry: a database and a store, safe for several threads, processes and studios.

    The database is an SQLite file, or on a server that several studios share.

    Only the parent process of a worker writes to it, after the work has succeeded. So a worker that
    crashes leaves nothing behind.

    Args:
        folder: The studio's folder for it.
        shared: Database and store of a shared registry; by default files in the folder.

    Attributes:
        shared: The same; None for a local registry.
        ledger: Actions, cached results and aliases.
        history: Releases of targets, with fast queries over all targets.
        releases, add_release: Methods of the history.
        target, targets, add_target, remove_target, facts, set_facts: Methods of the targets.
    """

    def __init__(self, folder: Path, shared: SharedParts | None = None) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder = folder
        self.shared = shared
        self._occupancy = Occupancy.shared(folder)
        self._db: Database = shared.database if shared else SqliteDatabase(folder / DATABASE)
        self._store: BlobStore = shared.store if shared else BlobStore(folder / "store")
        self.backups = Backups(folder)
        self.groups = Groups(self._db)
        self.labels = Labels(self._db)
        self.endpoints = Endpoints(self._db)
        targets = Targets(self._db, self.endpoints)
        self.target, self.targets = targets.one, targets.all
        self.add_target, self.remove_target = targets.add, targets.remove
        self.facts, self.set_facts = targets.facts, targets.set_facts
        self.ledger = Activity(self._db)
        self.history = Releases(self._db)
        self.releases = self.history.all
        self.add_release = self.history.add

    @classmethod
    def open(cls, folder: Path) -> Registry:
        """Open the registry of a folder, or create a new one.

        Raises:
            StudioError: when the database is damaged, lost, away, or written by a later version.
        """
        address = address_in(folder)
        if address is not None:
            from studio.registry.servers.server_database import SharedParts  # few have a server

            return cls(folder, SharedParts.open(folder, address))
        registry = cls(folder)
        try:
            assert isinstance(registry._db, SqliteDatabase)
            make_ready(folder, registry._db, registry.store, registry.backups)
            make_private(folder)
        except StudioError:
            registry.close()
            raise
        return registry

    def close(self) -> None:
        """Close the connections of all threads."""
        self._db.close()
        self._occupancy.end()

    def back_up(self) -> None:
        """Make the daily copy if it is due; a failure is no error.

        ``studio doctor`` reports the age of the last copy. A server has backups of its own.
        """
        if self.shared is not None:
            return
        with contextlib.suppress(StudioError, OSError, sqlite3.Error):
            if self.models() or len(self.targets()) > 1:
                self.backups.daily(identity_of(self._db.connection)[0])

    @property
    def restored(self) -> str:
        """The time of the last restore; empty without one, and for a shared registry."""
        if self.shared is not None:
            return ""
        return identity_of(self._db.connection)[1]

    @property
    def owns_store(self) -> bool:
        """Whether the store belongs to this registry, not to an earlier one in its place."""
        identity = self.shared.identity if self.shared else identity_of(self._db.connection)[0]
        return identity == marked(self.store)

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Lock the registry for writers of other processes, in one transaction."""
        with self._db.write():
            yield

    @property
    def store(self) -> Path:
        """Folder of the artifacts, which workers may read."""
        return self._store.folder

    def adopt(self, path: Path, name: str | None = None) -> Artifact:
        """Move a file or folder into the store.

        Raises:
            Refused: when the name or the source is not allowed in the store.
        """
        return self._store.adopt(path, name)

    def fetch(self, path: Path) -> None:
        """Make a path of the store usable: a shared store's file is copied when it is needed.

        Raises:
            StudioError: when the shared store has lost it, altered it, or cannot be reached.
        """
        self._store.fetch(path)

    def has(self, path: Path) -> bool:
        """Return whether a path exists, or can be fetched.

        Raises:
            StudioError: when the shared store cannot be reached.
        """
        return self._store.has(path)

    def adopt_made(self, path: Path, name: str) -> Artifact:
        """Move a worker's output into the store.

        Raises:
            Refused: when it is outside of the studio's data folder, or inside the registry.
        """
        return self._store.adopt_made(path, name)

    def count_rows(self) -> int:
        """Return the number of rows in all tables."""
        counts = (self._db.all(f"SELECT count(*) FROM {table}") for table in TABLES)
        return sum(int(found[0][0]) for found in counts)

    # Models and variants

    def add_model(self, name: str) -> int:
        """Return the number of the model with a name, and create the model if it is new.

        Raises:
            Refused: when the name is not allowed in file names.
        """
        component(name, "A model")
        with self._db.write() as db:
            db.execute(
                "INSERT INTO models (name, created) VALUES (?, ?) ON CONFLICT DO NOTHING",
                (name, self._db.now()),
            )
            return int(db.execute("SELECT id FROM models WHERE name = ?", (name,)).fetchone()[0])

    def models(self) -> list[ModelRecord]:
        """Return all models, the newest first."""
        found = self._db.all("SELECT id, name, created FROM models ORDER BY id DESC")
        return [ModelRecord(*row) for row in found]

    def add_variant(
        self,
        model: int,
        name: str,
        artifact: Artifact,
        *,
        format: str,
        precision: str,
        parent: int | None = None,
        step: str = "open",
        options: Mapping[str, Any] | None = None,
        summary: Mapping[str, Any] | None = None,
        graph: Artifact | None = None,
        created: str | None = None,
    ) -> VariantRecord:
        """Add a variant; a name that is in use gets a number (``int8-2``)."""
        with self._db.write() as db:
            taken = {
                row[0] for row in db.execute("SELECT name FROM variants WHERE model = ?", (model,))
            }
            identifier = added(
                db,
                "INSERT INTO variants (model, name, digest, path, size, format, precision, parent,"
                " step, options, summary, graph, created) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
                (
                    *(model, _free(name, taken), artifact.digest, str(artifact.path)),
                    *(artifact.size, format, precision, parent, step),
                    *(_json(options), _json(summary), str(graph.path) if graph else None),
                    created or self._db.now(),
                ),
            )
        return self.variant(identifier)

    def variants(self, model: int | None = None) -> list[VariantRecord]:
        """Return the variants of a model (of all), in the order of their creation."""
        where, values = ("WHERE v.model = ?", (model,)) if model is not None else ("", ())
        return [
            rows.variant(row) for row in self._db.all(f"{_VARIANTS} {where} ORDER BY v.id", values)
        ]

    def variant(self, identifier: int) -> VariantRecord:
        """Return a variant.

        Raises:
            UsageError: when the number does not exist.
        """
        found = self._db.all(f"{_VARIANTS} WHERE v.id = ?", (identifier,))
        if not found:
            raise UsageError(f"Unknown variant: #{identifier}.")
        return rows.variant(found[0])

    def variant_by_digest(self, digest: str, model: int | None = None) -> VariantRecord | None:
        """Return the first variant with a digest (of a model); None without one."""
        found = self._db.all(f"{_VARIANTS} WHERE v.digest = ? ORDER BY v.id", (digest,))
        variants = [rows.variant(row) for row in found]
        return next((v for v in variants if model is None or v.model == model), None)

    def opened_again(
        self, variant: VariantRecord, file: Path, consent: Mapping[str, str] | None = None
    ) -> None:
        """Record the file that an original was opened from last, and the consent given for it."""
        options = {**variant.options, "model": str(file), **(consent or {})}
        if variant.source_file is None or options == variant.options:
            return
        with self._db.write() as db:
            text = _json(options)
            db.execute("UPDATE variants SET options = ? WHERE id = ?", (text, variant.id))

    def original(self, variant: VariantRecord) -> VariantRecord:
        """Return the model that a variant was made of, through all its parents."""
        while variant.parent is not None:
            variant = self.variant(variant.parent)
        return variant

    def find(self, text: str) -> VariantRecord:
        """Return the variant of ``name``, ``name:variant`` or ``#number``.

        Raises:
            UsageError: when the variant does not exist.
        """
        if text.startswith("#") and text[1:].isdecimal() and len(text) <= _DIGITS:
            return self.variant(int(text[1:]))
        name, _, variant = text.partition(":")
        found = self._db.all(f"{_VARIANTS} WHERE m.name = ? ORDER BY v.id", (name,))
        for row in found:
            if not variant or row["name"] == variant:
                return rows.variant(row)
        raise UsageError(
            f"No file or registered model named {text!r}.",
            hint="Pass a model file, NAME:VARIANT or #NUMBER.",
        )

    # Runs

    def add_run(
        self,
        step: str,
        variant: int | None,
        options: Mapping[str, Any],
        result: Mapping[str, Any],
        artifacts: Mapping[str, Artifact] | None = None,
    ) -> RunRecord:
        """Record a run of a step."""
        kept = {k: [a.digest, str(a.path), a.size] for k, a in (artifacts or {}).items()}
        with self._db.write() as db:
            identifier = added(
                db,
                "INSERT INTO runs (step, variant, options, result, artifacts, created)"
                " VALUES (?,?,?,?,?,?)",
                (step, variant, _json(options), _json(result), _json(kept), self._db.now()),
            )
        return rows.run(self._db.all("SELECT * FROM runs WHERE id = ?", (identifier,))[0])

    def runs(
        self, step: str | None = None, variant: int | None = None, most: int | None = None
    ) -> list[RunRecord]:
        """Return the runs of a step and a variant, the newest first, with an optional limit.

        A result may be large: a caller that needs only the newest one sets the limit to one.
        """
        given = {"step": step, "variant": variant}
        wanted = {name: value for name, value in given.items() if value is not None}
        where = " AND ".join(f"{name} = ?" for name in wanted) or "1 = 1"
        found = self._db.all(
            f"SELECT * FROM runs WHERE {where} ORDER BY id DESC LIMIT ?",
            (*wanted.values(), WITHOUT_LIMIT if most is None else most),
        )
        return [rows.run(row) for row in found]

    # Versions

    def add_version(
        self,
        model: int,
        variant: int,
        bundle: Artifact,
        manifest_digest: str,
        counter: int,
        *,
        number: int | None = None,
        created: str | None = None,
    ) -> VersionRecord:
        """Record a bundle as a version; return the existing version of an equal manifest.

        Args:
            number, created: Of a version from another computer; by default the next number, now.

        Raises:
            Refused: for a counter that leaves no higher ones.
        """
        if not 0 <= counter <= counters.MOST:
            raise Refused(f"The release counter {counter} is none that a bundle can have.")
        with self._db.write() as db:
            last = "SELECT coalesce(max(number), 0) + 1 FROM versions WHERE model = ?"
            chosen = db.execute(last, (model,)).fetchone()[0] if number is None else number
            db.execute(
                "INSERT INTO versions (model, number, variant, digest, path, counter, created)"
                " VALUES (?,?,?,?,?,?,?) ON CONFLICT DO NOTHING",
                (
                    *(model, chosen, variant, manifest_digest, str(bundle.path), counter),
                    created or self._db.now(),
                ),
            )
        return rows.version(
            self._db.all("SELECT * FROM versions WHERE digest = ?", (manifest_digest,))[0]
        )

    def versions(self, model: int | None = None) -> list[VersionRecord]:
        """Return the versions of a model (of all), the newest first."""
        where, values = ("", ()) if model is None else ("WHERE model = ?", (model,))
        found = self._db.all(f"SELECT * FROM versions {where} ORDER BY id DESC", values)
        return [rows.version(row) for row in found]

    def next_counter(self) -> int:
        """Return a release counter above all earlier ones."""
        found = self._db.all(
            "SELECT coalesce(max(counter), 0) + 1 FROM versions WHERE counter <= ?",
            (counters.MOST,),
        )
        return int(found[0][0])


_DIGITS = 18  # a longer number does not fit into a column of a database

_VARIANTS = "SELECT v.*, m.name AS model_name FROM variants v JOIN models m ON m.id = v.model"


def _json(value: Any) -> str:
    return json.dumps({} if value is None else dict(value), separators=(",", ":"), default=str)


def _free(name: str, taken: set[str]) -> str:
    number, candidate = 1, name
    while candidate in taken:
        number += 1
        candidate = f"{name}-{number}"
    return candidate
