"""The writing of a pipeline's report, in a worker of its own."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studio.jobs import JobOutcome, JobSpec
from studio.pipelines.run_report import PipelineReport
from studio.registry import Registry, below
from studio.settings import write_atomically
from studio.steps.runner import StepRunner


def write_report(runner: StepRunner, report: PipelineReport, path: Path) -> JobOutcome:
    """Write the report of a run to ``path``; return how its worker ended."""
    spec = JobSpec(
        id=uuid.uuid4().hex[:12],
        title=f"Report of {report.name}",
        entry="studio.pipelines.report:render",
        arguments={"report": report.to_json(), "graphs": _graphs(runner.registry, report)},
    )

    def keep(result: dict[str, Any], folder: Path) -> Mapping[str, Any]:
        write_atomically(path, below(folder, result["path"]).read_bytes())
        return {"path": str(path)}

    outcome = runner.jobs.start(spec, keep).wait()
    assert outcome is not None
    return outcome


def _graphs(registry: Registry, report: PipelineReport) -> list[dict[str, str]]:
    """Title and path of the graph of each model that the run has opened."""
    numbers = [step.result.get("variant") for step in report.steps if step.step == "open"]
    variants = [registry.variant(number) for number in numbers if number is not None]
    return [
        {"title": f"{variant.model_name} {variant.name}", "path": str(variant.graph_path)}
        for variant in variants
        if variant.graph_path is not None
    ]
