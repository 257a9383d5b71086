"""The pipelines of projects: written for a model, and run on this computer."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from studio.conversion.step import CODE_DIGEST
from studio.documents.dataclass_json import read_parts
from studio.lazy_dataclass import dataclass
from studio.registry import LOCAL, file_digest
from studio.registry.endpoints import SIGN

if TYPE_CHECKING:
    from studio.projects.projects import Projects
    from studio.registry import Registry, VariantRecord
    from studio.registry.run_records import GateReport
    from studio.workspace.run_info import RunInfo
    from studio.workspace.runs import RunningPipeline, Runs

_LONGEST = 63
_OTHERS = re.compile(r"[^A-Za-z0-9._-]+")


class ProjectRuns:
    """The pipelines of a registry's models."""

    def __init__(self, registry: Registry, projects: Projects, runs: Runs) -> None:
        self._registry, self._projects, self._runs = registry, projects, runs

    def text(
        self, variant: VariantRecord, folder: Path | None = None, file: Path | None = None
    ) -> str:
        """Return the pipeline of a variant's model, from its file to a served endpoint.

        Args:
            folder: Where the pipeline will be; files below it are named from there.
            file: The file that is meant; by default the one that it was opened from last.
        """
        from studio.pipelines.project_pipeline import ProjectModel, project_pipeline

        original = self._registry.original(variant)
        source = file or original.source_file
        known = source if source is not None and source.is_file() else None
        model = ProjectModel(
            original.model_name,
            known,
            original.name,
            original.step,
            known is not None and _may_run_code(known, original),
        )
        project = self._projects.of(variant, file)
        return project_pipeline(project, model, self.target(original.model_name), folder)

    def target(self, model: str) -> str:
        """Return where a model is deployed: this computer, or an endpoint where another is served.

        Nothing is replaced: what another model serves stays.
        """
        running = self._registry.history.running().get(LOCAL.name)
        served = running.facts.name or "" if running is not None else model
        return LOCAL.name if served == model else f"{LOCAL.name}{SIGN}{endpoint_name(model)}"

    def start(self, variant: VariantRecord) -> RunningPipeline:
        """Run the pipeline of a variant's model on a thread of its own.

        Raises:
            UsageError: when it cannot be run; nothing was started.
        """
        folder = self._registry.folder
        return self._runs.start_text(self.text(variant), "pipeline.toml", folder)


def _may_run_code(file: Path, original: VariantRecord) -> bool:
    """Return whether the code of a file was allowed to run; one that changed since was not."""
    allowed = original.options.get(CODE_DIGEST)
    return bool(allowed) and allowed == file_digest(file)


def endpoint_name(model: str) -> str:
    """Return the name of an endpoint for a model that is served next to another one."""
    return _OTHERS.sub("-", model).strip("._-")[:_LONGEST] or "model"


@dataclass(frozen=True, slots=True)
class RunEnd:
    """The outcome of a run in one sentence.

    Attributes:
        tone: ``good``, ``warning`` or ``bad``.
        served: Whether its model is served now.
        variant, target: What is served, and where; 0 and empty where nothing is.
    """

    text: str
    tone: str
    served: bool = False
    variant: int = 0
    target: str = ""


@dataclass(frozen=True, slots=True)
class _StepResult:
    """The parts of the steps' results that say what is served, and where."""

    variant: int = 0
    target: str = ""


def run_end(run: RunInfo) -> RunEnd:
    """Return what came of a run, with the reason where it ended early."""
    if run.state == "succeeded":
        passed = len(run.gates)
        checks = "1 check" if passed == 1 else f"{passed} checks"
        text = f"{run.name} int8 is served on this computer. {checks} passed."
        variant = read_parts(_StepResult, run.result("int8")).variant
        target = read_parts(_StepResult, run.result("deploy")).target
        return RunEnd(text, "good", served=True, variant=variant, target=target)
    if run.state == "cancelled":
        return RunEnd("Run it all was cancelled. Earlier results are kept.", "warning")
    served = any(one.id == "deploy" and one.done for one in run.steps)
    missed = next((one for one in run.gates if not one.passed and one.value is not None), None)
    if run.state == "gate not met" and missed is not None:
        return RunEnd(_missed(missed, served), "bad")
    failed = next((one for one in run.steps if one.state == "failed"), None)
    if failed is None:
        return RunEnd("Run it all failed.", "bad")
    return RunEnd(f"Run it all stopped: {failed.message} {failed.hint}".strip(), "bad")


def _missed(gate: GateReport, served: bool) -> str:
    outcome = "The model is still served." if served else "Nothing was deployed."
    return f"Check failed: {gate.name} ({gate.value:.3g}, {gate.limit}). {outcome}"
