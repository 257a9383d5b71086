"""What became of a pipeline: its steps, its gates, its exit code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from studio.documents.dataclass_json import JsonValue, to_json
from studio.registry.run_records import GateReport, StepReport


@dataclass(frozen=True, slots=True)
class PipelineReport:
    """The outcome of a pipeline.

    Attributes:
        exit_code: 0 done, 3 a gate was not met, otherwise that of the step that failed.
        report: Path of the HTML report; empty when it could not be written, for the
            ``report_problem``.
        run: The run's id; its folder has the journal, the results and the report.
        artefacts: Digests of what was made, by ``step.kind``; equal inputs give equal ones.
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
        """Return the document of ``--json``; the id of a step is its ``name`` there."""
        steps = [to_json(step) for step in self.steps]
        for step in steps:
            step["name"] = step.pop("id")
        return {**to_json(self), "steps": steps}


@dataclass(frozen=True, slots=True)
class DrawnGraph:
    """The stored graph of a model that the run has opened."""

    title: str
    path: Path


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """A finished run, and the graphs that its report shows."""

    report: PipelineReport
    graphs: tuple[DrawnGraph, ...]


@dataclass(frozen=True, slots=True)
class ReportFile:
    """The report below the job's folder."""

    path: str
