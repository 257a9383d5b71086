"""The runs of pipelines: started, taken up again, listed, compared."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from studio.api import StudioError, UsageError
from studio.documents.dataclass_json import JsonValue
from studio.lazy_dataclass import dataclass
from studio.registry.run_journal import (
    JUNIT_FILE,
    PIPELINE_FILE,
    REPORT_FILE,
    RunFolder,
    RunFolders,
)
from studio.settings import full_path, write_atomically
from studio.workspace.events import Events, RunChanged
from studio.workspace.run_info import RunInfo

if TYPE_CHECKING:
    from studio.pipelines.execution import ApprovedRun, OnStep, PipelineRun, Watcher
    from studio.pipelines.pipeline import Pipeline, PipelineStep
    from studio.pipelines.results import RunComparison
    from studio.pipelines.run_report import PipelineReport
    from studio.registry import Registry
    from studio.registry.run_records import RunJournal, StepReport
    from studio.steps.runner import StepRunner


@dataclass(frozen=True, slots=True)
class RunRequest:
    """The settings of one run of a pipeline.

    Attributes:
        variables: Values of its variables, as texts.
        fresh: Run every step, also when a kept result could be taken.
        trigger: What started it, for ``${trigger...}``.
        report, junit, artefacts: Paths of these in addition to the run's own folder.
        on: Address of the executor for steps that can be tasks; empty for this computer.
        overwrite: Also files that no pipeline wrote, or that were changed since.
        watch, on_finish: Called before and after each step.
        run_approved: Waits for the approval of a step that needs one, and runs the step.
        no_deploy: Leave out the steps on targets, and the gates on them.
    """

    variables: Mapping[str, str] = field(default_factory=dict)
    fresh: bool = False
    trigger: Mapping[str, JsonValue] = field(default_factory=dict)
    report: Path | None = None
    junit: Path | None = None
    artefacts: Path | None = None
    overwrite: bool = False
    on: str = ""
    watch: Watcher | None = None
    on_finish: OnStep | None = None
    run_approved: ApprovedRun | None = None
    no_deploy: bool = False


class RunningPipeline:
    """A pipeline that runs on a thread of its own.

    Attributes:
        steps: The name of the step behind each of its identifiers.
        report: Its outcome; None while it runs, and when it could not be run.
        error: Why it could not be run.
    """

    def __init__(self, id: str, steps: Mapping[str, str]) -> None:
        self.id = id
        self.steps = steps
        self.report: PipelineReport | None = None
        self.error: Exception | None = None
        self._run: PipelineRun | None = None
        self._thread: threading.Thread | None = None
        self._cancelled = False

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._thread is not None and self._thread.is_alive()

    def cancel(self) -> None:
        """End the step that runs, and begin no other."""
        self._cancelled = True
        if self._run is not None:
            self._run.cancel()

    def wait(self, timeout: float | None = None) -> None:
        """Wait for the end."""
        if self._thread is not None:
            self._thread.join(timeout)


class Runs:
    """The runs of a workspace.

    Args:
        folder: Where their journals lie.
    """

    def __init__(self, folder: Path, steps: StepRunner, registry: Registry, events: Events) -> None:
        self._folders = RunFolders(folder)
        self._steps, self._registry, self._events = steps, registry, events
        self._running: list[RunningPipeline] = []

    def close(self) -> None:
        """Cancel what runs."""
        for one in self._running:
            one.cancel()
        for one in self._running:
            one.wait(15.0)

    # Running

    def read(self, path: Path, variables: Mapping[str, str] | None = None) -> Pipeline:
        """Return a pipeline's file, checked.

        Raises:
            UsageError: with line and column.
        """
        from studio.pipelines.parser import read_pipeline  # the window's start needs it not

        return read_pipeline(path, variables)

    def check(self, text: str, name: str, folder: Path) -> Pipeline:
        """Return a pipeline's text, checked.

        Raises:
            UsageError: with line and column.
        """
        from studio.pipelines.parser import parse_pipeline

        return parse_pipeline(text, name, folder)

    def run(self, path: Path, wish: RunRequest | None = None) -> PipelineReport:
        """Run a pipeline to its end and write its report; blocks.

        Raises:
            UsageError: when the pipeline cannot be read; nothing was run.
        """
        wish = wish or RunRequest()
        pipeline = self.read(path, wish.variables)
        return self._carry_out(pipeline, self._folders.new(pipeline.name), wish, None)

    def in_the_way(self, pipeline: Pipeline | None, files: Sequence[Path] = ()) -> list[Path]:
        """Return the files that a run would overwrite and that no pipeline wrote unchanged.

        Args:
            files: What is to be written besides what the pipeline names.
        """
        from studio.pipelines.artefacts import pipeline_outputs
        from studio.steps.overwrites import OwnOutputs

        named = pipeline_outputs(pipeline) if pipeline is not None else []
        return OwnOutputs(self._registry).in_the_way([*named, *files])

    def take_over(self, files: Sequence[Path]) -> None:
        """Record the files as outputs of a pipeline, as the user confirmed to overwrite them."""
        from studio.steps.overwrites import OwnOutputs

        OwnOutputs(self._registry).note(files)

    def resume(self, name: str, wish: RunRequest | None = None) -> PipelineReport:
        """Resume a run that was interrupted, failed or was cancelled; blocks.

        Raises:
            UsageError: when there is no such run, or it has reached its end.
        """
        folder, before = self._to_resume(name)
        wish = replace(wish or RunRequest(), trigger=before.trigger, fresh=before.fresh)
        return self._carry_out(self._pipeline_of(folder, before), folder, wish, before)

    def start(self, path: Path, wish: RunRequest | None = None) -> RunningPipeline:
        """Run a pipeline on a thread of its own; events tell how far it is.

        Raises:
            UsageError: when the pipeline cannot be read; nothing was started.
        """
        wish = wish or RunRequest()
        pipeline = self.read(path, wish.variables)
        return self._start(pipeline, self._folders.new(pipeline.name), wish, None)

    def start_text(self, text: str, name: str, folder: Path) -> RunningPipeline:
        """Run a pipeline that is in no file, on a thread of its own.

        Args:
            name: How messages call it.
            folder: Base of its relative paths.

        Raises:
            UsageError: when the pipeline cannot be read; nothing was started.
        """
        pipeline = self.check(text, name, folder)
        return self._start(pipeline, self._folders.new(pipeline.name), RunRequest(), None)

    def start_again(self, name: str) -> RunningPipeline:
        """Resume a run on a thread of its own.

        Raises:
            UsageError: as ``resume``.
        """
        folder, before = self._to_resume(name)
        wish = RunRequest(trigger=before.trigger, fresh=before.fresh)
        return self._start(self._pipeline_of(folder, before), folder, wish, before)

    def running(self) -> list[RunningPipeline]:
        """Return the active runs of this process."""
        return [one for one in self._running if one.running]

    # What was run

    def all(self) -> list[RunInfo]:
        """Return every run with a readable journal, the newest first."""
        found = []
        for folder in self._folders.all():
            try:
                found.append(RunInfo.of(folder))
            except UsageError:
                continue
        return found

    def get(self, name: str) -> RunInfo:
        """Return a run by its id, the beginning of one, or ``last``.

        Raises:
            UsageError: when the run does not exist.
        """
        return RunInfo.of(self._folders.find(name))

    def forget(self, name: str) -> None:
        """Remove a run's folder; its outputs stay.

        Raises:
            UsageError: when the run does not exist, or is active.
        """
        folder = self._folders.find(name)
        if folder.is_locked():
            raise UsageError(f"The run {folder.id} resumes.")
        self._folders.remove(folder.id)

    def compare(self, a: str, b: str) -> RunComparison:
        """How two runs differ: steps, figures, gates, digests.

        Raises:
            UsageError: when one of them is not there.
        """
        from studio.pipelines.run_diff import compare

        first, second = self.get(a), self.get(b)
        results = [{step.id: run.result(step.id) for step in run.steps} for run in (first, second)]
        return compare(first.journal, second.journal, *results)

    # The work

    def _carry_out(
        self,
        pipeline: Pipeline,
        folder: RunFolder,
        wish: RunRequest,
        before: RunJournal | None,
    ) -> PipelineReport:
        run = self._pipeline_run(pipeline, folder, wish)
        return self._finish(run, run.run(before), wish)

    def _pipeline_run(self, pipeline: Pipeline, folder: RunFolder, wish: RunRequest) -> PipelineRun:
        from studio.pipelines.execution import PipelineRun, RunOptions
        from studio.pipelines.order import without_targets

        def watch(step: PipelineStep, number: int, total: int) -> None:
            self._events.publish(RunChanged(folder.id, "running", step.id, number, total))
            if wish.watch is not None:
                wish.watch(step, number, total)

        def finish(report: StepReport) -> None:
            self._events.publish(RunChanged(folder.id, "running", report.id))
            if wish.on_finish is not None:
                wish.on_finish(report)

        how = RunOptions(
            wish.fresh, wish.trigger, watch, finish, wish.overwrite, wish.on, wish.run_approved
        )
        carried_out = without_targets(pipeline) if wish.no_deploy else pipeline
        return PipelineRun(carried_out, self._steps, folder, how)

    def _finish(self, run: PipelineRun, report: PipelineReport, wish: RunRequest) -> PipelineReport:
        """Write the report, JUnit's file and the artefacts; what cannot be written is said."""
        from studio.pipelines.artefacts import copy_artefacts
        from studio.pipelines.junit import junit
        from studio.pipelines.report_job import write_report
        from studio.steps.overwrites import OwnOutputs

        journal = run.folder.read()
        text = junit(report, journal.started).encode()
        write_atomically(run.folder.folder / JUNIT_FILE, text)
        own = run.folder.folder / REPORT_FILE
        problems = []
        place = full_path(wish.report or own)
        written = write_report(self._steps, report, own)
        if not written.ok:
            problems.append(written.sentence)
        for source, target in ((own, wish.report), (run.folder.folder / JUNIT_FILE, wish.junit)):
            if target is not None and source.is_file():
                try:
                    write_atomically(full_path(target), source.read_bytes())
                    OwnOutputs(self._registry).note([full_path(target)])
                except OSError as error:
                    problems.append(f"{target} cannot be written: {error.strerror or error}.")
        if wish.artefacts is not None:
            try:
                copy_artefacts(report, run.folder, self._registry, full_path(wish.artefacts))
            except StudioError as error:
                problems.append(error.message)
        self._events.publish(RunChanged(run.folder.id, journal.state))
        if problems:
            return replace(report, report_problem=" ".join(problems))
        return replace(report, report=str(place))

    def _start(
        self,
        pipeline: Pipeline,
        folder: RunFolder,
        wish: RunRequest,
        before: RunJournal | None,
    ) -> RunningPipeline:
        running = RunningPipeline(folder.id, {one.id: one.step for one in pipeline.steps})
        run = self._pipeline_run(pipeline, folder, wish)
        running._run = run

        def work() -> None:
            try:
                running.report = self._finish(run, run.run(before), wish)
            except Exception as error:  # passed to the waiting caller, as a thread has no other
                logging.getLogger(__name__).exception("run %s failed", folder.id)
                running.error = error
                self._events.publish(RunChanged(folder.id, "failed"))

        thread = threading.Thread(target=work, name=f"pipeline {folder.id}", daemon=True)
        running._thread = thread
        self._running.append(running)
        thread.start()
        return running

    def _to_resume(self, name: str) -> tuple[RunFolder, RunJournal]:
        folder = self._folders.find(name)
        before = folder.read()
        if before.state in ("succeeded", "gate not met"):
            raise UsageError(
                f"The run {folder.id} is complete ({before.state}).",
                hint="Run the pipeline again. Unchanged steps are cached.",
            )
        return folder, before

    @staticmethod
    def _pipeline_of(folder: RunFolder, before: RunJournal) -> Pipeline:
        """Return the pipeline as it was when the run began."""
        from studio.pipelines.parser import parse_pipeline

        try:
            text = (folder.folder / PIPELINE_FILE).read_text(encoding="utf-8")
        except OSError:
            raise UsageError(f"The pipeline file of the run {folder.id} is missing.") from None
        name = before.pipeline.file or PIPELINE_FILE
        return parse_pipeline(text, name, Path(before.folder), before.variables)
