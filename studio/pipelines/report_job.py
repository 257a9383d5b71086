"""The job that writes a pipeline's report in a worker."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

from studio.documents.dataclass_json import from_json, to_json
from studio.jobs import JobOutcome, JobSpec
from studio.pipelines.run_report import DrawnGraph, PipelineReport, ReportFile, ReportOptions
from studio.registry import Registry, below
from studio.settings import write_atomically
from studio.steps.runner import StepRunner


def write_report(runner: StepRunner, report: PipelineReport, path: Path) -> JobOutcome:
    """Write the report of a run to ``path``; return the outcome of the worker."""
    spec = JobSpec(
        id=uuid.uuid4().hex[:12],
        title=f"Report of {report.name}",
        entry="studio.pipelines.report:render",
        arguments=to_json(ReportOptions(report, _graphs(runner.registry, report))),
        options="studio.pipelines.run_report:ReportOptions",
    )

    def store(result: dict[str, Any], folder: Path) -> ReportFile:
        made = from_json(ReportFile, result)
        write_atomically(path, below(folder, made.path).read_bytes())
        return ReportFile(str(path))

    outcome = runner.jobs.start(spec, store).wait()
    assert outcome is not None
    return outcome


def _graphs(registry: Registry, report: PipelineReport) -> tuple[DrawnGraph, ...]:
    """Return the graph of each model that the run opened."""
    numbers = [step.product.variant for step in report.steps if step.step == "open"]
    variants = [registry.variant(number) for number in numbers if number is not None]
    return tuple(
        DrawnGraph(f"{variant.model_name} {variant.name}", variant.graph_path)
        for variant in variants
        if variant.graph_path is not None
    )
