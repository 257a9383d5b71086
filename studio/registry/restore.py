"""The restore of a registry from a copy, which keeps the replaced database."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import uuid
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from studio.api import StudioError, UsageError
from studio.registry.activity import now
from studio.registry.backups import (
    DATABASE,
    REPLACED,
    Backups,
    connect,
    copy_database,
    faults_of,
)
from studio.registry.occupancy import Occupancy
from studio.registry.ownership import identity_of, mark
from studio.registry.schema import VERSION, NewerRegistry, prepare
from studio.runtime.shared.files import sync

_ASIDE = re.compile(r"damaged-\d{8}-\d{6}-\d{6}")
_KEPT = 3
_BESIDE = ("-wal", "-shm", "-journal")


class RegistryRestore:
    """A restore of a registry's database.

    At every moment, the old or the new database is in place, complete and with its own log. There
    is always a copy of the other one, so a killed restore can be repeated.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._database = folder / DATABASE
        self._backups = Backups(folder)

    def run(self, source: Path | None = None) -> tuple[Path, Path | None]:
        """Replace the database by a copy.

        Args:
            source: A copy; by default the newest valid one.

        Returns:
            The copy, and the path of the replaced database (None without one).

        Raises:
            UsageError: when there is no copy, or the given file is invalid.
            StudioError: when the registry is in use, or a file cannot be written.
        """
        with Occupancy.alone(self._folder):
            chosen = self._chosen(source)
            passing = self._folder / f".restored-{uuid.uuid4().hex}"
            self._clear()
            try:
                identifier = self._made_ready(chosen, passing)
                aside = self._put_aside()
                mark(self._folder / "store", identifier)
                os.replace(passing, self._database)
                sync(self._folder)
            except OSError as error:
                raise StudioError(
                    f"The registry could not be restored: {error.strerror or error}.",
                    hint="Free disk space or fix the write permission, then try again.",
                ) from None
            finally:
                passing.unlink(missing_ok=True)
            self._prune()
        return chosen, aside

    def _chosen(self, source: Path | None) -> Path:
        if source is None:
            newest = self._backups.newest_whole()
            if newest is None:
                raise UsageError(
                    f"{self._backups.folder} has no intact backup of the registry.",
                    hint="Pass a file: studio registry restore FILE",
                )
            return newest.path
        faults = faults_of(source) if source.is_file() else ["there is no such file"]
        if faults:
            raise UsageError(
                f"{source} is not an intact backup of a registry.",
                hint="Omit the file to restore the newest intact backup: studio registry restore",
                detail="\n".join(faults),
            )
        return source

    def _made_ready(self, chosen: Path, passing: Path) -> str:
        """Prepare the copy in the current schema, marked as restored; return its identity."""
        copy_database(chosen, passing)
        try:
            with closing(connect(passing)) as connection:
                if connection.execute("PRAGMA user_version").fetchone()[0] < 1:
                    raise UsageError(f"{chosen} is not a backup of a registry.")
                prepare(connection, self._folder / "store", lambda: None)
                connection.execute("UPDATE identity SET restored = ?", (now(),))
                connection.execute("PRAGMA journal_mode=DELETE")
                identifier, _restored = identity_of(connection)
        except NewerRegistry:
            raise UsageError(
                f"{chosen.name} was written by a later version of the studio than {VERSION}."
            ) from None
        sync(passing)
        return identifier

    def _put_aside(self) -> Path | None:
        """Keep the present database: a copy if it is valid, else its files.

        Afterwards its log is removed, as SQLite would apply it to the new database.
        """
        if not self._database.exists():
            self._remove_logs()
            return None
        try:
            with closing(connect(self._database)) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                connection.execute("PRAGMA journal_mode=DELETE")
            kept = self._backups.make(REPLACED)
        except (sqlite3.DatabaseError, StudioError):
            kept = self._files_aside()
        self._remove_logs()
        return kept

    def _files_aside(self) -> Path:
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
        aside = self._folder / f"damaged-{stamp}"
        aside.mkdir(mode=0o700)
        for path in (self._database, *self._logs()):
            if path.exists():
                shutil.copy2(path, aside / path.name)
                sync(aside / path.name)
        sync(aside)
        sync(self._folder)
        return aside

    def _logs(self) -> list[Path]:
        return [Path(f"{self._database}{end}") for end in _BESIDE]

    def _remove_logs(self) -> None:
        for path in self._logs():
            path.unlink(missing_ok=True)
        sync(self._folder)

    def _clear(self) -> None:
        """Remove the leftovers of killed restores; the lock excludes running ones."""
        for path in self._folder.glob(".restored-*"):
            path.unlink(missing_ok=True)

    def _prune(self) -> None:
        found = sorted(path for path in self._folder.iterdir() if _ASIDE.fullmatch(path.name))
        for path in found[:-_KEPT]:
            shutil.rmtree(path, ignore_errors=True)
