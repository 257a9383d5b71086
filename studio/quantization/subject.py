"""The model that a job works on, as seen through the plugins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studio.api import Backend, Progress, Session, Value
from studio.models.backends import backend_for
from studio.models.opening import look
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
        opened = look(Path(ref.path), progress, host=host)
        nbytes = sum(file.stat().st_size for file in opened.files)
        backend = backend_for(ref.format, host)
        return cls(ref, opened.path, opened.model.graph.inputs, nbytes, backend)

    def session(self, path: Path | None = None, threads: int = 0) -> Session:
        """Load the model, or a transformed one of the same format."""
        return self.backend.load(path or self.path, {"threads": threads})
