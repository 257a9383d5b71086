"""A job packed as a task: its document, and its inputs by their SHA-256."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path

from studio.documents.dataclass_json import to_json
from studio.features.spread.archive import pack
from studio.features.spread.document import INPUT, TaskDocument, TaskInput, replaced
from studio.jobs.spec import JobSpec
from studio.lazy_dataclass import dataclass
from studio.plugin_host import PluginHost
from studio.plugin_host.tool_versions import tools


@dataclass(frozen=True, slots=True)
class TaskParcel:
    """A task, ready to travel.

    Attributes:
        inputs: Files here by their SHA-256.
        names: The path here of each input, by its name in texts that travel.
    """

    document: TaskDocument
    inputs: Mapping[str, Path]
    names: Mapping[str, str]


@dataclass(frozen=True)
class Packer:
    """What makes parcels.

    Attributes:
        readable: Folders that a worker may always read. Of the first, the store, whole entries
            travel: a model may have further files.
        scratch: For archives of folders.
    """

    readable: Sequence[Path]
    scratch: Path
    _digests: dict[tuple[str, int, int], str] = field(default_factory=dict)

    def parcel(self, spec: JobSpec) -> TaskParcel:
        """Pack a job.

        Raises:
            OSError: when an input cannot be read.
        """
        found = _Places(self.readable)
        for path in (*spec.reads, *([spec.preprocess] if spec.preprocess else ())):
            found.add(path)
        allowed = (*self.readable, *spec.reads)
        arguments = replaced(to_json(spec.arguments), lambda text: found.named(text, allowed))
        inputs, files = [], {}
        for unit, place in found.places.items():
            digest, file = self._content(unit)
            inputs.append(TaskInput(place, digest, unit.is_dir()))
            files[digest] = file
        document = TaskDocument(
            step=spec.step,
            title=spec.title,
            arguments=arguments,
            inputs=tuple(inputs),
            tools=tools(PluginHost.again()),
            limits=spec.limits,
            preprocess=found.name(spec.preprocess) if spec.preprocess else "",
        )
        names = {INPUT + place: str(unit) for unit, place in found.places.items()}
        return TaskParcel(document, files, names)

    def _content(self, unit: Path) -> tuple[str, Path]:
        """Return the SHA-256 of what travels, and the file with it."""
        if unit.is_dir():
            archive = self.scratch / f"{hashlib.sha256(os.fsencode(unit)).hexdigest()}.tar"
            pack(unit, archive)
            return _digest(archive), archive
        status = unit.stat()
        key = (str(unit), status.st_size, status.st_mtime_ns)
        if key not in self._digests:
            self._digests[key] = _digest(unit)
        return self._digests[key], unit


class _Places:
    """The inputs of a task; neighbours here are neighbours on the node."""

    def __init__(self, readable: Sequence[Path]) -> None:
        self.places: dict[Path, str] = {}
        self._store, self._kept_back = readable[0], frozenset(readable)
        self._folders: dict[Path, int] = {}

    def add(self, path: Path) -> Path:
        """Count a path among the inputs; returns the file or folder that travels for it."""
        unit = self._unit(path)
        number = self._folders.setdefault(unit.parent, len(self._folders))
        self.places.setdefault(unit, f"{number}/{unit.name}")
        return unit

    def name(self, path: Path) -> str:
        """Return the name of a path in texts that travel."""
        unit = self.add(path)
        rest = path.relative_to(unit).as_posix()
        return INPUT + self.places[unit] + ("" if rest == "." else f"/{rest}")

    def named(self, text: str, allowed: Sequence[Path]) -> str:
        """Return the name of an input where a text is a path that the job may read."""
        if not os.path.isabs(text) or "\n" in text or len(text) > os.pathconf("/", "PC_PATH_MAX"):
            return text
        path = Path(text)
        if ".." in path.parts or not any(path.is_relative_to(place) for place in allowed):
            return text
        if path in self._kept_back or not path.exists():
            return text
        return self.name(path)

    def _unit(self, path: Path) -> Path:
        if not path.is_relative_to(self._store):
            return path
        parts = path.relative_to(self._store).parts
        return self._store.joinpath(*parts[:2])


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
