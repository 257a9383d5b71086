"""The registry's copies, its condition and its way back; none of it needs a registry that opens."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from studio.api import StudioError, UsageError
from studio.lazy_dataclass import dataclass
from studio.registry.backups import MANUAL, Backup, Backups, DamagedRegistry
from studio.registry.restore import RegistryRestore
from studio.registry.servers.address import address_in
from studio.settings import Paths
from studio.versions.integrity import RegistryCondition, condition, rows_of, set_aside

__all__ = ["Backup", "DamagedRegistry", "Maintenance", "RegistryCondition", "Restored"]


@dataclass(frozen=True, slots=True)
class Restored:
    """The result of a restore.

    Attributes:
        source: The copy that was taken.
        aside: Where that lies which it replaced; None where nothing was.
    """

    source: Path
    aside: Path | None
    condition: RegistryCondition


class Maintenance:
    """The maintenance of a registry: checks, copies and restores.

    Args:
        paths: Whose; by default the user's.
    """

    def __init__(self, paths: Paths | None = None) -> None:
        self._folder = (paths or Paths.of()).registry

    def copies(self) -> list[Backup]:
        """Return every copy, the newest first."""
        return Backups(self._folder).all()

    @property
    def lag(self) -> timedelta:
        """How much younger the last change of the registry is than its newest copy."""
        backups = Backups(self._folder)
        made = max((one.made.timestamp() for one in backups.all()), default=0.0)
        return timedelta(seconds=backups.written() - made)

    def back_up(self, out: Path | None = None) -> RegistryCondition:
        """Make a copy now.

        Args:
            out: A file instead of a place among the registry's own copies.

        Raises:
            StudioError: when there is nothing to copy, it is damaged, or it cannot be written.
        """
        self._require_folder()
        self._require_files("The database server makes the backups of a shared registry.")
        path = Backups(self._folder).make(MANUAL, out)
        return replace(condition(self._folder, thorough=False), path=path, rows=rows_of(path))

    def check(self, *, aside: bool = False) -> RegistryCondition:
        """Check the database and every file that it refers to.

        Args:
            aside: Move altered files out of the store.

        Raises:
            StudioError: when there is no registry, or a later version of the studio wrote it.
        """
        self._require_folder()
        found = condition(self._folder)
        if aside and set_aside(self._folder, found.damaged):
            found = condition(self._folder)
        return found

    def restore(self, source: Path | None = None) -> Restored:
        """Put a copy in the place of the database, which is kept aside.

        Raises:
            UsageError: when there is no such copy.
            StudioError: when the registry is in use, or the disk refuses a write.
        """
        self._require_folder()
        self._require_files("A shared registry is restored on its database server.")
        chosen, kept = RegistryRestore(self._folder).run(source)
        return Restored(chosen, kept, condition(self._folder))

    @property
    def is_shared(self) -> bool:
        """Whether the registry is on a server, which has backups of its own."""
        return address_in(self._folder) is not None

    def _require_files(self, sentence: str) -> None:
        if self.is_shared:
            hint = "Use pg_dump and pg_restore, or copy it to files: studio registry copy --from"
            raise UsageError(sentence, hint=hint)

    def _require_folder(self) -> None:
        if not self._folder.is_dir():
            raise StudioError(f"{self._folder} has no registry.", hint="Open a model first.")
