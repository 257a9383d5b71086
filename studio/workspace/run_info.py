"""A pipeline run as lists show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from studio.registry.run_journal import INTERRUPTED, PIPELINE_FILE, REPORT_FILE, RunFolder, head_of


@dataclass(frozen=True, slots=True)
class RunInfo:
    """A run as lists show it.

    Attributes:
        state: ``running``, ``succeeded``, ``failed``, ``gate not met``, ``cancelled`` or
            ``interrupted`` (its process ended in the middle).
        document: The journal.
    """

    id: str
    name: str
    title: str
    state: str
    started: str
    ended: str
    folder: Path
    document: Mapping[str, Any] = field(repr=False, default_factory=dict)

    @classmethod
    def of(cls, folder: RunFolder) -> RunInfo:
        """Return the run of a folder, read from its journal."""
        document = folder.read()
        pipeline = head_of(document)
        return cls(
            folder.id,
            str(pipeline.get("name") or ""),
            str(pipeline.get("title") or ""),
            str(document.get("state") or INTERRUPTED),
            str(document.get("started") or ""),
            str(document.get("ended") or ""),
            folder.folder,
            document,
        )

    @property
    def steps(self) -> list[Mapping[str, Any]]:
        """What became of each step, without the results."""
        return list(self.document.get("steps") or ())

    @property
    def gates(self) -> list[Mapping[str, Any]]:
        """What became of each gate."""
        return list(self.document.get("gates") or ())

    @property
    def artefacts(self) -> Mapping[str, str]:
        """The digests of what was made."""
        return dict(self.document.get("artefacts") or {})

    @property
    def report(self) -> Path:
        """Where its HTML report lies, if it was written."""
        return self.folder / REPORT_FILE

    @property
    def pipeline(self) -> str:
        """The text of the pipeline as it was run."""
        try:
            return (self.folder / PIPELINE_FILE).read_text(encoding="utf-8")
        except OSError:
            return ""

    def result(self, step: str) -> Mapping[str, Any]:
        """What a step gave."""
        return RunFolder(self.folder).result(step)
