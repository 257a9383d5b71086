"""The outcome of a run: its steps, its gates, its exit code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from studio.documents.dataclass_json import JsonValue, to_json
from studio.lazy_dataclass import dataclass
from studio.registry.run_records import GateReport, StepReport


@dataclass(frozen=True, slots=True)
class PipelineReport:
    """The outcome of a run.

    Attributes:
        exit_code: 0 for success, 3 for a failed gate, else that of the failed step.
        report: Path of the HTML report; empty if it could not be written, for the
            ``report_problem``.
        run: Id of the run, whose folder has the journal, the results and the report.
        artefacts: Digests of the artifacts by ``step.kind``; equal inputs give equal ones.
    """

    name: str
    title: str
    steps: tuple[StepReport, ...]
    gates: tuple[GateReport, ...]
    exit_code: int
    report: str = ""
    report_problem: str = ""
    run: str = ""
    folder: str = ""
    artefacts: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, JsonValue]:
        """Return the document of ``--json``, where the id of a step is its ``name``."""
        steps = [to_json(step) for step in self.steps]
        for step in steps:
            step["name"] = step.pop("id")
        return {**to_json(self), "steps": steps}


@dataclass(frozen=True, slots=True)
class DrawnGraph:
    """The stored graph of a model that the run opened."""

    title: str
    path: Path


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """A finished run, and the graphs of its report."""

    report: PipelineReport
    graphs: tuple[DrawnGraph, ...]


@dataclass(frozen=True, slots=True)
class ReportFile:
    """The report's path below the job's folder."""

    path: str
