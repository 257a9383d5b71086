"""Steps started before their turn: those whose inputs are there run on an executor side by side."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from studio.api import StudioError
from studio.jobs import JobOutcome, RunningJob
from studio.pipelines.ahead import OptionsOf, StepsAhead
from studio.pipelines.order import Needs
from studio.pipelines.pipeline import PipelineStep
from studio.pipelines.run_options import RunOptions
from studio.steps import result_cache as keeping
from studio.steps.catalogue import step as step_named
from studio.steps.overwrites import OwnOutputs, outputs
from studio.steps.portable import spreads
from studio.steps.runner import StepRunner
from studio.steps.turns import Turns

_MOST = 200
"""Steps that are started at once; each has a thread here."""


class TasksAhead(StepsAhead):
    """The steps of one run that were started on an executor, and have not been taken yet.

    A step is started when those before it that it needs are finished, no gate holds it back, and no
    kept result can be taken. Their results are recorded in the order of the pipeline, so variants
    get the numbers and names that they get on this computer.

    Args:
        options: Returns the resolved options of a step whose needs are finished.
        source: The one who runs it, for the history.
    """

    def __init__(
        self,
        runner: StepRunner,
        run: RunOptions,
        options: OptionsOf,
        source: str,
    ) -> None:
        self._runner, self._run, self._options, self._source = runner, run, options, source
        self._started: dict[str, RunningJob] = {}
        self._seen: set[str] = set()
        self._turns = Turns()
        self._lock = threading.Lock()
        self._cancelled = False

    def begin(
        self, steps: tuple[PipelineStep, ...], needs: Needs, done: set[str], held: set[str]
    ) -> None:
        """Begin what can be started: at most 200."""
        for step in steps:
            is_free = step.id not in done | held | self._seen and needs[step.id] <= done
            room = len(self._started) < _MOST and not self._cancelled
            if is_free and room and spreads(step_named(step.step)):
                self._seen.add(step.id)
                self._begin(step)

    def __contains__(self, step: str) -> bool:
        """Return whether a step was started, by its id."""
        return step in self._started

    def take(self, step: PipelineStep) -> JobOutcome | None:
        """Wait for a step that was started; None for another."""
        job = self._started.get(step.id)
        if job is None:
            return None
        try:
            return job.wait()
        finally:
            self._started.pop(step.id, None)

    def cancel(self) -> None:
        """Cancel all that was started; may be called from any thread."""
        with self._lock:
            self._cancelled = True
            jobs = list(self._started.values())
        for job in jobs:
            job.cancel()

    def close(self) -> None:
        """Cancel what was not taken, and wait for its end."""
        self.cancel()
        for job in list(self._started.values()):
            job.wait()

    def _begin(self, step: PipelineStep) -> None:
        try:
            job = self._job(step)
        except (StudioError, OSError):
            return  # when its turn comes, it fails with its place in the file
        if job is not None:
            with self._lock:
                self._started[step.id] = job
            if self._cancelled:
                job.cancel()

    def _job(self, step: PipelineStep) -> RunningJob | None:
        runner, registry = self._runner, self._runner.registry
        options, failure = runner.open_models(step.step, self._options(step))
        if failure is not None or self._is_kept(step, options):
            return None
        written = outputs(step_named(step.step), options)
        if not self._run.overwrite and OwnOutputs(registry).in_the_way(written):
            return None
        turn = self._turns.next()
        try:
            return runner.start(step.step, options, self._source, on=self._run.on, turn=turn)
        except BaseException:
            turn.end()
            raise

    def _is_kept(self, step: PipelineStep, options: Mapping[str, Any]) -> bool:
        if self._run.fresh or step.fresh:
            return False
        key = keeping.key_of(self._runner, step.step, options)
        return keeping.lookup(self._runner.registry, key, step.step, options) is not None
