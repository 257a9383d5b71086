"""The options of a pipeline's run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field

from studio.documents.dataclass_json import JsonValue
from studio.jobs import JobOutcome
from studio.lazy_dataclass import dataclass
from studio.pipelines.pipeline import PipelineStep
from studio.registry.run_records import StepReport

Watcher = Callable[[PipelineStep, int, int], None]
OnStep = Callable[[StepReport], None]
ApprovedRun = Callable[[str, Mapping[str, JsonValue]], JobOutcome]


@dataclass(frozen=True, slots=True)
class RunOptions:
    """Options of a run.

    Attributes:
        fresh: Run every step, even if its result is cached.
        trigger: Cause of the run, for ``${trigger...}``.
        watch: Called before each step with the step, its number from 1, and the number of steps.
        told: Called after each step.
        overwrite: Overwrite files that no pipeline wrote, or that were changed since.
        on: Address of the executor for the steps that can be tasks; empty for this computer.
        run_approved: Waits for the approval of a step that needs one, and runs the step. Without
            it such a step fails.
    """

    fresh: bool = False
    trigger: Mapping[str, JsonValue] = field(default_factory=dict)
    watch: Watcher | None = None
    told: OnStep | None = None
    overwrite: bool = False
    on: str = ""
    run_approved: ApprovedRun | None = None
