"""The record of models, variants, runs, versions, targets and releases."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from studio.api import Refused, StudioError, TargetSpec, UsageError
from studio.registry import counters, rows
from studio.registry.backups import DATABASE, MIGRATION, Backups, damaged, lost_database
from studio.registry.database import Database, is_damage
from studio.registry.endpoints import SIGN as BELOW
from studio.registry.endpoints import Endpoints, endpoint_of, target_of_row
from studio.registry.groups import KEY, Groups
from studio.registry.groups import SIGN as GROUP
from studio.registry.ledger import Ledger, now
from studio.registry.names import below, component, is_component
from studio.registry.occupancy import Occupancy
from studio.registry.ownership import entries, identity_of, marked
from studio.registry.records import (
    Artifact,
    ModelRecord,
    RunRecord,
    VariantRecord,
    VersionRecord,
)
from studio.registry.releases import Releases
from studio.registry.schema import NewerRegistry, prepare
from studio.registry.store import Store

LOCAL = TargetSpec("local", "local:")
"""This computer: a target that is always there."""


class Registry:
    """One SQLite file and one store. Safe to use from several threads and processes.

    Only the parent of a worker writes here, after the worker's work has succeeded, so a worker
    that dies in the middle leaves nothing behind.

    Attributes:
        ledger: What was done, kept results, aliases.
        history: What targets serve and served; of all targets at once without reading all.
        releases, add_release: Of the history.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._occupancy = Occupancy.shared(folder)
        self._db = Database(folder / DATABASE)
        self._store = Store(folder / "store")
        self.backups = Backups(folder)
        self.groups = Groups(self._db)
        self.endpoints = Endpoints(self._db)
        self.ledger = Ledger(self._db)
        self.history = Releases(self._db)
        self.releases = self.history.all
        self.add_release = self.history.add

    @classmethod
    def open(cls, folder: Path) -> Registry:
        """Open the registry of a folder, or make a new one.

        Raises:
            StudioError: when the file is damaged, lost, or was written by a later version.
        """
        registry = cls(folder)
        try:
            registry._require_database()
            prepare(
                registry._db.connection,
                registry.store,
                lambda: registry.backups.make(MIGRATION),
            )
        except NewerRegistry:
            registry.close()
            raise StudioError(
                f"The registry in {folder} was written by a later version of the studio.",
                hint="Install that version, or use another folder with EDGEWRIGHT_HOME.",
            ) from None
        except sqlite3.DatabaseError as error:
            registry.close()
            if is_damage(error):
                raise damaged(folder, str(error)) from None
            raise StudioError(f"The registry in {folder} cannot be opened: {error}.") from None
        except StudioError:
            registry.close()
            raise
        return registry

    def _require_database(self) -> None:
        """No empty database is made where one is lost: everything would seem to be gone."""
        path = self.folder / DATABASE
        lost = not path.exists() or path.stat().st_size == 0
        if lost and entries(self.store) and self.backups.newest_whole() is not None:
            raise lost_database(self.folder)

    def close(self) -> None:
        """Close the connections of all threads."""
        self._db.close()
        self._occupancy.end()

    def back_up(self) -> None:
        """Make the copy of the day if it is due. Nothing fails because it could not be made.

        ``studio doctor`` tells how old the last one is.
        """
        with contextlib.suppress(StudioError, OSError, sqlite3.Error):
            if self.models() or len(self.targets()) > 1:
                self.backups.daily(identity_of(self._db.connection)[0])

    @property
    def restored(self) -> str:
        """When it was last put back from a copy; empty for never."""
        return identity_of(self._db.connection)[1]

    @property
    def owns_store(self) -> bool:
        """Whether what lies in the store is this registry's, and not that of one before it."""
        return identity_of(self._db.connection)[0] == marked(self.store)

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """A time in which no other process writes here; what this one writes is one transaction."""
        with self._db.write():
            yield

    @property
    def store(self) -> Path:
        """Folder of the artefacts, for workers to read."""
        return self.folder / "store"

    def adopt(self, path: Path, name: str | None = None) -> Artifact:
        """Move a file or folder into the store.

        Raises:
            Refused: when the name, or what is to be moved, cannot be one of the store's.
        """
        return self._store.adopt(path, name)

    def adopt_made(self, path: Path, name: str) -> Artifact:
        """Move what a worker says that it has made: it cannot have the user's files moved away.

        Raises:
            Refused: when it lies outside the folder in which the studio keeps its data, or in here.
        """
        made = below(self.folder.parent, path)
        if made.resolve().is_relative_to(self.folder.resolve()):
            raise Refused(f"{path.name} is a part of the registry itself.", detail=str(path))
        return self.adopt(made, name)

    # Models and variants

    def add_model(self, name: str) -> int:
        """The number of the model of this name, which is made if it is new.

        Raises:
            Refused: when files cannot be named after it.
        """
        component(name, "A model")
        with self._db.write() as db:
            db.execute("INSERT OR IGNORE INTO models (name, created) VALUES (?, ?)", (name, now()))
            return int(db.execute("SELECT id FROM models WHERE name = ?", (name,)).fetchone()[0])

    def models(self) -> list[ModelRecord]:
        """All models, the newest first."""
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
        """Add a variant. A name that is taken gets a number behind it (``int8-2``)."""
        with self._db.write() as db:
            taken = {
                row[0] for row in db.execute("SELECT name FROM variants WHERE model = ?", (model,))
            }
            cursor = db.execute(
                "INSERT INTO variants (model, name, digest, path, size, format, precision, parent,"
                " step, options, summary, graph, created) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
                (
                    model,
                    _free(name, taken),
                    artifact.digest,
                    str(artifact.path),
                    artifact.size,
                    format,
                    precision,
                    parent,
                    step,
                    _json(options),
                    _json(summary),
                    str(graph.path) if graph else None,
                    created or now(),
                ),
            )
            identifier = int(cursor.lastrowid or 0)
        return self.variant(identifier)

    def variants(self, model: int | None = None) -> list[VariantRecord]:
        """The variants of a model (of all), in the order in which they were made."""
        where, values = ("WHERE v.model = ?", (model,)) if model is not None else ("", ())
        return [
            rows.variant(row) for row in self._db.all(f"{_VARIANTS} {where} ORDER BY v.id", values)
        ]

    def variant(self, identifier: int) -> VariantRecord:
        """One variant.

        Raises:
            UsageError: when there is none of this number.
        """
        found = self._db.all(f"{_VARIANTS} WHERE v.id = ?", (identifier,))
        if not found:
            raise UsageError(f"There is no variant #{identifier}.")
        return rows.variant(found[0])

    def variant_by_digest(self, digest: str, model: int | None = None) -> VariantRecord | None:
        """The first variant with this content (of this model), or None."""
        found = self._db.all(f"{_VARIANTS} WHERE v.digest = ? ORDER BY v.id", (digest,))
        variants = [rows.variant(row) for row in found]
        return next((v for v in variants if model is None or v.model == model), None)

    def find(self, text: str) -> VariantRecord:
        """The variant that ``name``, ``name:variant`` or ``#number`` means.

        Raises:
            UsageError: when there is none.
        """
        if text.startswith("#") and text[1:].isdigit():
            return self.variant(int(text[1:]))
        name, _, variant = text.partition(":")
        found = self._db.all(f"{_VARIANTS} WHERE m.name = ? ORDER BY v.id", (name,))
        for row in found:
            if not variant or row["name"] == variant:
                return rows.variant(row)
        raise UsageError(
            f"There is no file and no model in the registry called {text!r}.",
            hint="Give the path of a model, or name:variant, or #number.",
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
        """Record what a step did."""
        kept = {k: [a.digest, str(a.path), a.size] for k, a in (artifacts or {}).items()}
        with self._db.write() as db:
            cursor = db.execute(
                "INSERT INTO runs (step, variant, options, result, artifacts, created)"
                " VALUES (?,?,?,?,?,?)",
                (step, variant, _json(options), _json(result), _json(kept), now()),
            )
            identifier = int(cursor.lastrowid or 0)
        return rows.run(self._db.all("SELECT * FROM runs WHERE id = ?", (identifier,))[0])

    def runs(
        self, step: str | None = None, variant: int | None = None, most: int | None = None
    ) -> list[RunRecord]:
        """The runs of a step and a variant, the newest first; at most so many.

        A result may be large: who needs the newest one asks for one.
        """
        given = {"step": step, "variant": variant}
        wanted = {name: value for name, value in given.items() if value is not None}
        where = " AND ".join(f"{name} = ?" for name in wanted) or "1"
        found = self._db.all(
            f"SELECT * FROM runs WHERE {where} ORDER BY id DESC LIMIT ?",
            (*wanted.values(), -1 if most is None else most),
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
        """Record a bundle; one with the same manifest is returned as it is.

        Args:
            number, created: Of a version that was made elsewhere; else the next one, made now.

        Raises:
            Refused: for a counter after which none would be left.
        """
        if not 0 <= counter <= counters.MOST:
            raise Refused(f"The release counter {counter} is none that a bundle can have.")
        with self._db.write() as db:
            db.execute(
                "INSERT OR IGNORE INTO versions"
                " (model, number, variant, digest, path, counter, created) VALUES (?1, coalesce("
                "?7, (SELECT coalesce(max(number), 0) + 1 FROM versions WHERE model = ?1)),"
                " ?2, ?3, ?4, ?5, ?6)",
                (
                    *(model, variant, manifest_digest, str(bundle.path), counter),
                    *(created or now(), number),
                ),
            )
        return rows.version(
            self._db.all("SELECT * FROM versions WHERE digest = ?", (manifest_digest,))[0]
        )

    def versions(self, model: int | None = None) -> list[VersionRecord]:
        """The versions of a model (of all), the newest first."""
        found = self._db.all(
            "SELECT * FROM versions WHERE ?1 IS NULL OR model = ?1 ORDER BY id DESC", (model,)
        )
        return [rows.version(row) for row in found]

    def next_counter(self) -> int:
        """A release counter above all that were given out."""
        found = self._db.all(
            "SELECT coalesce(max(counter), 0) + 1 FROM versions WHERE counter <= ?",
            (counters.MOST,),
        )
        return int(found[0][0])

    # Targets

    def add_target(self, target: TargetSpec) -> None:
        """Add a target, or change the one of this name; what is known of it is kept."""
        if target.endpoint_name:  # it is reached as its target is
            base = target.name.partition(BELOW)[0]
            target = replace(target, name=base, endpoint_name="")
        if target.name == LOCAL.name:
            raise UsageError("The name 'local' means this computer.", hint="Choose another name.")
        if target.name.startswith(GROUP):
            raise UsageError(f"A target's name cannot begin with {GROUP}, as a group's does.")
        if BELOW in target.name:
            raise UsageError(
                f"A target's name cannot contain {BELOW}: it stands before an endpoint's name.",
                hint=f"An endpoint needs no adding: studio deploy MODEL --target {target.name}",
            )
        if not is_component(target.name):
            raise UsageError(f"A target cannot be called {target.name!r}.", hint="Choose another.")
        with self._db.write() as db:
            before = db.execute("SELECT settings FROM targets WHERE name = ?", (target.name,))
            kept = json.loads((before.fetchone() or ["{}"])[0]).get(KEY)
            settings = {**target.settings, **({KEY: kept} if kept else {})}
            db.execute(
                "INSERT INTO targets (name, url, host_key, settings, facts) VALUES (?,?,?,?,'{}')"
                " ON CONFLICT (name) DO UPDATE SET url = excluded.url,"
                " host_key = excluded.host_key, settings = excluded.settings",
                (target.name, target.url, target.host_key, _json(settings)),
            )

    def target(self, name: str) -> TargetSpec:
        """One target, or an endpoint of one (``TARGET/NAME``), whether it was used yet or not.

        Raises:
            UsageError: when there is none of this name.
        """
        known = {target.name: target for target in self.targets()}
        base, below, endpoint = name.partition(BELOW)
        if name in known:
            return known[name]
        if below and base in known:
            return endpoint_of(known[base], endpoint)
        raise UsageError(
            f"There is no target {base if below else name!r}.",
            hint=f"Known: {', '.join(known)}. Add one with: studio target add NAME ssh://user@host",
        )

    def targets(self) -> list[TargetSpec]:
        """This computer, then the others by name, each followed by its endpoints."""
        found = self._db.all(
            "SELECT name, url, host_key, settings FROM targets WHERE name <> ? ORDER BY name",
            (LOCAL.name,),
        )
        owners = {str(row[0]): target_of_row(row[3]) for row in found}
        targets = [LOCAL] + [
            TargetSpec(r[0], r[1], r[2], _settings(r[3])) for r in found if not owners[str(r[0])]
        ]
        below = {name: owner for name, owner in owners.items() if owner}
        return [one for target in targets for one in (target, *_endpoints(target, below))]

    def remove_target(self, name: str) -> None:
        """Forget a target and its endpoints; what runs there goes on. Its history is kept."""
        self.target(name)
        if name == LOCAL.name:
            raise UsageError("This computer cannot be removed.")
        with self._db.write() as db:
            for one in (name, *self.endpoints.of(name)):
                db.execute("DELETE FROM targets WHERE name = ?", (one,))

    def set_facts(self, name: str, facts: Mapping[str, Any]) -> None:
        """Keep what was learned of a target."""
        with self._db.write() as db:
            if name == LOCAL.name:
                db.execute(
                    "INSERT OR IGNORE INTO targets VALUES (?, ?, '', '{}', '{}')", (name, LOCAL.url)
                )
            db.execute("UPDATE targets SET facts = ? WHERE name = ?", (_json(facts), name))

    def facts(self, name: str) -> dict[str, Any]:
        """What was last learned of a target; empty when it was never probed.

        An endpoint that was not probed itself is on the machine of its target.
        """
        for one in (name, name.partition(BELOW)[0]):
            found = self._db.all("SELECT facts FROM targets WHERE name = ?", (one,))
            if found and found[0][0] != "{}":
                return dict(json.loads(found[0][0]))
        return {}


_VARIANTS = "SELECT v.*, m.name AS model_name FROM variants v JOIN models m ON m.id = v.model"


def _json(value: Any) -> str:
    return json.dumps({} if value is None else dict(value), separators=(",", ":"), default=str)


def _settings(text: str) -> dict[str, str]:
    """Those of its connector, without what the registry itself keeps beside them."""
    return {key: value for key, value in json.loads(text).items() if key != KEY}


def _endpoints(target: TargetSpec, owners: Mapping[str, str]) -> list[TargetSpec]:
    """Those of a target, among endpoints by name with the names of their targets."""
    names = [name for name, owner in owners.items() if owner == target.name]
    return [endpoint_of(target, name.partition(BELOW)[2]) for name in names]


def _free(name: str, taken: set[str]) -> str:
    number, candidate = 1, name
    while candidate in taken:
        number += 1
        candidate = f"{name}-{number}"
    return candidate
