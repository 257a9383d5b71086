"""The model that a job works on, as seen through the plugins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studio.api import (
    Backend,
    Extension,
    Format,
    Limits,
    Progress,
    Session,
    Unavailable,
    Value,
)
from studio.plugin_host import PluginHost
from studio.registry import ModelRef


@dataclass(frozen=True, slots=True)
class Subject:
    """A variant with what must be known to feed it.

    Attributes:
        nbytes: Size of all of its files.
    """

    ref: ModelRef
    path: Path
    inputs: tuple[Value, ...]
    nbytes: int
    backend: Backend

    @classmethod
    def of(cls, reference: Mapping[str, Any], host: PluginHost, progress: Progress) -> Subject:
        """Look at the variant that a MODEL argument names.

        Raises:
            InvalidModel: when it cannot be read.
            Unavailable: when nothing here can run its format.
        """
        ref = ModelRef.from_json(reference)
        path = Path(ref.path)
        reader: Format = host.get(Extension.FORMAT, ref.format)
        inputs = reader.read(path, progress).graph.inputs
        return cls(ref, path, inputs, stored_bytes(reader, path), _backend(host, ref.format))

    def session(self, path: Path | None = None, threads: int = 0) -> Session:
        """Load the model, or a transformed one of the same format."""
        return self.backend.load(path or self.path, {"threads": threads})


def stored_bytes(reader: Format, path: Path) -> int:
    """Size of a model's files, external tensors included."""
    return sum(file.stat().st_size for file in reader.intake(path, Limits()).files)


def _backend(host: PluginHost, wanted: str) -> Backend:
    for capability in host.all(Extension.BACKEND):
        if wanted in capability.extra.get("formats", (wanted,)):
            backend: Backend = host.create(capability)
            return backend
    raise Unavailable(f"No backend here can run {wanted} models.")
