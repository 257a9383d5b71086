"""Copies of the registry's database: consistent, complete under their name, and few.

The store is not copied: its files are named by their content and never change.
"""

from __future__ import annotations

import fcntl
import os
import re
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

from studio.api import StudioError
from studio.lazy_dataclass import dataclass
from studio.registry.ownership import identity_of, marked
from studio.runtime.shared.files import sync

DATABASE = "registry.sqlite"
FOLDER = "backups"
KEPT = 7
"""Number of copies to keep, per kind and per registry."""

DAILY, MIGRATION, MANUAL, REPLACED = "daily", "migration", "manual", "replaced"
_KINDS = "|".join((DAILY, MIGRATION, MANUAL, REPLACED))
_NAME = re.compile(rf"(\d{{8}}-\d{{6}}-\d{{6}})-({_KINDS})-([0-9a-f]{{12}})\.sqlite", re.ASCII)
_PASSING = re.compile(r"\.new-[0-9a-f]{32}(-journal|-wal|-shm)?")
_STAMP = "%Y%m%d-%H%M%S-%f"
_DAY = timedelta(days=1)
_NOBODY = "0" * 12


@dataclass(frozen=True, slots=True)
class Backup:
    """A copy of the database.

    Attributes:
        owner: First characters of the registry's identity.
    """

    path: Path
    made: datetime
    kind: str
    owner: str

    @property
    def day(self) -> str:
        """The time of the copy, for people."""
        return f"{self.made:%Y-%m-%d %H:%M} UTC"


class Backups:
    """The copies in the folder of a registry.

    Args:
        folder: Folder of the registry.
    """

    def __init__(self, folder: Path) -> None:
        self._home = folder
        self.folder = folder / FOLDER
        self._database = folder / DATABASE

    def all(self) -> list[Backup]:
        """Return all copies, the newest first; copies of this registry come before others."""
        try:
            names = os.listdir(self.folder)
        except OSError:
            return []
        found = [one for name in names if (one := self._read(name)) is not None]
        owner = marked(self._home / "store")[:12]
        return sorted(found, key=lambda one: (one.owner == owner, one.made), reverse=True)

    def make(self, kind: str, out: Path | None = None) -> Path:
        """Make and verify a copy, and remove the oldest of its kind.

        Args:
            out: Path for a single copy outside the folder, which is not counted.

        Raises:
            StudioError: when it cannot be written, or the database is damaged.
        """
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            with self._alone():
                self._clear()
                passing = (out.parent if out else self.folder) / f".new-{uuid.uuid4().hex}"
                owner = copy_database(self._database, passing)
                final = out or self.folder / _name(kind, owner)
                os.replace(passing, final)
                sync(final.parent)
                if out is None:
                    self._prune(kind, owner)
        except OSError as error:
            raise StudioError(f"The registry backup failed: {error.strerror or error}.") from None
        return final

    def daily(self, identity: str) -> Path | None:
        """Make the daily copy, unless there is one, or nothing was written since the last.

        Args:
            identity: Identity of the present registry.

        Raises:
            StudioError: as ``make`` does.
        """
        mine = (DAILY, identity[:12])
        last = next((one for one in self.all() if (one.kind, one.owner) == mine), None)
        if last is not None and abs(datetime.now(UTC) - last.made) < _DAY:
            return None
        if last is not None and self.written() < last.made.timestamp():
            return None
        return self.make(DAILY)

    def newest_whole(self) -> Backup | None:
        """Return the newest valid copy that was not set aside by a restore."""
        usable = (one for one in self.all() if one.kind != REPLACED)
        return next((one for one in usable if not faults_of(one.path)), None)

    def _read(self, name: str) -> Backup | None:
        found = _NAME.fullmatch(name)
        if found is None:
            return None
        made = datetime.strptime(found[1], _STAMP).replace(tzinfo=UTC)
        return Backup(self.folder / name, made, found[2], found[3])

    def written(self) -> float:
        """Return the time of the last write to the database."""
        files = (self._database, Path(f"{self._database}-wal"))
        return max((file.stat().st_mtime for file in files if file.exists()), default=0.0)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Lock the folder for one process, and remove the leftovers of a killed one."""
        handle = os.open(self.folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _clear(self) -> None:
        for name in os.listdir(self.folder):
            if _PASSING.fullmatch(name):
                (self.folder / name).unlink(missing_ok=True)

    def _prune(self, kind: str, owner: str) -> None:
        same = [one for one in self.all() if (one.kind, one.owner) == (kind, owner[:12])]
        for one in same[KEPT:]:
            one.path.unlink(missing_ok=True)


def copy_database(source: Path, target: Path) -> str:
    """Copy a database, which others may write to, into a file that is flushed to the disk.

    Returns:
        Identity of the registry in it; ``0`` for an older schema.

    Raises:
        StudioError: when the source or the copy is damaged; then no target is left.
    """
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with closing(connect(source)) as read, closing(connect(target)) as write:
            write.execute("PRAGMA synchronous=OFF")  # the whole file is flushed below
            read.backup(write)
            write.execute("PRAGMA journal_mode=DELETE")  # a single file, whatever the source has
            faults = _faults(write)
            identifier, _restored = identity_of(write)
        if faults:
            raise damaged(source.parent, faults[0])
        os.fsync(handle)
    except sqlite3.DatabaseError as error:
        target.unlink(missing_ok=True)
        raise damaged(source.parent, str(error)) from None
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    finally:
        os.close(handle)
    return identifier or _NOBODY


def connect(path: Path) -> sqlite3.Connection:
    """Open a connection to an existing database; create none.

    Raises:
        sqlite3.OperationalError: when the file does not exist.
    """
    where = f"file:{quote(str(path.absolute()))}?mode=rw"
    return sqlite3.connect(where, uri=True, timeout=10.0, isolation_level=None)


def faults_of(path: Path) -> list[str]:
    """Return the faults of a database without writers; empty if it is valid."""
    try:
        with closing(connect(path)) as connection:
            return _faults(connection)
    except sqlite3.DatabaseError as error:
        return [str(error)]


def _faults(connection: sqlite3.Connection) -> list[str]:
    found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(20)")]
    found = [] if found == ["ok"] else found
    broken = connection.execute("PRAGMA foreign_key_check").fetchmany(20)
    return found + [f"row {row[1]} of {row[0]} refers to nothing in {row[2]}" for row in broken]


class DamagedRegistry(StudioError):
    """The error for a damaged or lost database.

    Attributes:
        copy: Copy to restore; None without one.
    """

    def __init__(self, message: str, copy: Backup | None, *, hint: str, detail: str = "") -> None:
        super().__init__(message, hint=hint, detail=detail)
        self.copy = copy


def damaged(folder: Path, reason: str) -> DamagedRegistry:
    """Return the error for a damaged registry, with the command to restore it."""
    return _with_way_back(folder, f"The registry in {folder} is damaged.", reason)


def lost_database(folder: Path) -> DamagedRegistry:
    """Return the error for a lost database whose store still exists."""
    sentence = f"The registry in {folder} has lost its database, {DATABASE}."
    return _with_way_back(folder, sentence, "")


def _with_way_back(folder: Path, sentence: str, reason: str) -> DamagedRegistry:
    last = Backups(folder).newest_whole()
    if last is not None:
        hint = f"Restore the backup of {last.day} with: studio registry restore"
    else:
        hint = (
            f"There is no backup. Move the folder {folder} away, then import an export: "
            "studio versions import FILE"
        )
    return DamagedRegistry(sentence, last, hint=hint, detail=reason)


def _name(kind: str, owner: str) -> str:
    return f"{datetime.now(UTC).strftime(_STAMP)}-{kind}-{owner[:12]}.sqlite"
