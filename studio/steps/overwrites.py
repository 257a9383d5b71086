"""Files that a step would overwrite, and those that a pipeline has written itself."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from studio.api import Kind, UsageError
from studio.jobs import AnyStep
from studio.packages.bundle import is_bundle
from studio.registry import Registry
from studio.settings import full_path, write_atomically
from studio.steps.inputs import path_digest

_MOST = 10_000
"""Files that are remembered; the oldest are forgotten first."""


def outputs(step: AnyStep, given: Mapping[str, Any]) -> list[Path]:
    """Return the files and folders that the options of a step name to be written."""
    named = (given.get(option.name) for option in step.form if option.kind is Kind.OUTPUT)
    return [full_path(str(value)) for value in named if value]


def in_the_way(paths: Iterable[Path]) -> list[Path]:
    """Return the paths that would be overwritten: a file, or a bundle's folder.

    Into any other folder a step writes files of its own names.
    """
    return [path for path in paths if os.path.lexists(path) and _is_replaced(path)]


def _is_replaced(path: Path) -> bool:
    return not path.is_dir() or is_bundle(path)


def refusal(paths: Iterable[Path]) -> UsageError:
    """Return the error for files that would be overwritten without a confirmation."""
    names = ", ".join(str(path) for path in paths)
    return UsageError(
        f"{names} exists already; --force overwrites it.", hint="Or give another name."
    )


class OwnOutputs:
    """The outputs of pipelines by digest: a pipeline may overwrite an unchanged one."""

    def __init__(self, registry: Registry) -> None:
        self._file = registry.folder.parent / "recipe-outputs.json"

    def in_the_way(self, paths: Iterable[Path]) -> list[Path]:
        """Return the existing paths that no pipeline wrote, or that changed since."""
        found = in_the_way(paths)
        known = self._read() if found else {}
        return [path for path in found if not _is_same(path, known.get(str(path)))]

    def note(self, paths: Iterable[Path]) -> None:
        """Store the digests of the files as outputs of a pipeline."""
        written = {str(path): path_digest(path) for path in in_the_way(paths)}
        if written:
            others = {path: one for path, one in self._read().items() if path not in written}
            rows = list({**others, **written}.items())[-_MOST:]
            write_atomically(self._file, json.dumps(dict(rows)).encode())

    def _read(self) -> dict[str, str]:
        try:
            return dict(json.loads(self._file.read_bytes()))
        except (OSError, ValueError):
            return {}


def _is_same(path: Path, digest: str | None) -> bool:
    try:
        return digest is not None and path_digest(path) == digest
    except (OSError, ValueError):
        return False
