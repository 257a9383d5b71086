"""The profiles of a workspace: listed, compared, and written into files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from studio.api import UsageError
from studio.profiling import history
from studio.registry import Registry, RunRecord


class Profiles:
    """The profiles that a registry keeps."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def all(self, model: int | None = None) -> list[RunRecord]:
        """The profiles, the newest first; those of one model where it is given."""
        return history.profiles(self._registry, model)

    def lines(self, model: int | None = None) -> list[dict[str, Any]]:
        """What a list says of each; see ``history.line``."""
        return [history.line(run) for run in self.all(model)]

    def get(self, number: int) -> RunRecord:
        """One profile.

        Raises:
            UsageError: when there is none of this number.
        """
        for run in self.all():
            if run.id == number:
                return run
        raise UsageError(f"There is no profile {number}.", hint="studio profiles list")

    def compare(self, before: int, after: int) -> dict[str, Any]:
        """Two profiles row by row; see ``history.compare``."""
        return history.compare(self.get(before), self.get(after))

    def document(self, number: int) -> dict[str, Any]:
        """One profile with its options, and sizes and metrics of the variants."""
        return history.document(self._registry, self.get(number))

    def save(self, number: int, folder: Path) -> Path:
        """Write the document of one profile into a folder, for the step ``profile-export``."""
        path = folder / "profile.json"
        path.write_text(json.dumps(self.document(number)), encoding="utf-8")
        return path
