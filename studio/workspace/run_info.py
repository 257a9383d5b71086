"""A pipeline run as lists show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from studio.documents.dataclass_json import JsonValue
from studio.lazy_dataclass import dataclass
from studio.registry.run_journal import PIPELINE_FILE, REPORT_FILE, RunFolder
from studio.registry.run_records import GateReport, RunJournal, StepReport


@dataclass(frozen=True, slots=True)
class RunInfo:
    """A run as lists show it.

    Attributes:
        state: ``running``, ``succeeded``, ``failed``, ``gate not met``, ``cancelled`` or
            ``interrupted`` (its process ended in the middle).
        journal: The whole record.
    """

    id: str
    name: str
    title: str
    state: str
    started: str
    ended: str
    folder: Path
    journal: RunJournal = field(repr=False, default_factory=RunJournal)

    @classmethod
    def of(cls, folder: RunFolder) -> RunInfo:
        """Return the run of a folder, read from its journal."""
        journal = folder.read()
        head = journal.pipeline
        return cls(
            folder.id,
            head.name,
            head.title,
            journal.state,
            journal.started,
            journal.ended or "",
            folder.folder,
            journal,
        )

    @property
    def steps(self) -> tuple[StepReport, ...]:
        """The outcome of each step, without the results."""
        return self.journal.steps

    @property
    def gates(self) -> tuple[GateReport, ...]:
        """The outcome of each gate."""
        return self.journal.gates

    @property
    def artefacts(self) -> Mapping[str, str]:
        """The digests of what was made."""
        return self.journal.artefacts or {}

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

    def result(self, step: str) -> Mapping[str, JsonValue]:
        """Return the result of a step."""
        return RunFolder(self.folder).result(step)
