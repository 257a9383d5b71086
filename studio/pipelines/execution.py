"""Execution of a pipeline: its steps in order, its gates, and a journal to resume from."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from studio.api import Kind, StudioError, UsageError
from studio.documents.dataclass_json import JsonValue, to_json
from studio.jobs import End, JobOutcome, RunningJob
from studio.pipelines.ahead import steps_ahead
from studio.pipelines.artefacts import digests
from studio.pipelines.gates import judge
from studio.pipelines.order import gate_needs, guards, needs_of
from studio.pipelines.pipeline import Gate, Pipeline, PipelineStep
from studio.pipelines.references import RUN, TRIGGER, VARS, substitute
from studio.pipelines.resume import ResumedRollback
from studio.pipelines.run_options import ApprovedRun as ApprovedRun
from studio.pipelines.run_options import OnStep as OnStep
from studio.pipelines.run_options import RunOptions as RunOptions
from studio.pipelines.run_options import Watcher as Watcher
from studio.pipelines.run_report import PipelineReport
from studio.plugin_host import PluginHost
from studio.registry.activity import now
from studio.registry.run_journal import PIPELINE_FILE, RunFolder
from studio.registry.run_records import (
    RUNNING,
    GateReport,
    PipelineHead,
    RunJournal,
    StepReport,
)
from studio.settings import write_atomically
from studio.steps import result_cache as keeping
from studio.steps.approval import NeedsApproval
from studio.steps.catalogue import step as step_named
from studio.steps.inputs import tools
from studio.steps.overwrites import OwnOutputs, outputs, refusal
from studio.steps.runner import StepRunner

_INPUTS = (Kind.FILE, Kind.FOLDER, Kind.DATA, Kind.MODEL, Kind.PRESET)
_GATE_MISSED, _CANCELLED = 3, 130
_STATES = {0: "succeeded", _GATE_MISSED: "gate not met", _CANCELLED: "cancelled"}


class PipelineRun:
    """A run of a pipeline, from its first step to its gates.

    Args:
        folder: Folder of its journal; an existing journal is resumed.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        runner: StepRunner,
        folder: RunFolder,
        wish: RunOptions | None = None,
    ) -> None:
        self.pipeline = pipeline
        self.folder = folder
        self._runner = runner
        self._wish = wish or RunOptions()
        self._results: dict[str, JsonValue] = {
            VARS: dict(pipeline.variables),
            TRIGGER: dict(self._wish.trigger),
            RUN: self._own_facts(()),
        }
        self._names = {step.id: step.step for step in pipeline.steps}
        self._guards = guards(pipeline.steps, pipeline.gates, pipeline.cells)
        self._reports: dict[str, StepReport] = {}
        self._journal: RunJournal | None = None
        self._job: RunningJob | None = None
        self._cancelled = False
        self._needs = needs_of(pipeline.steps, pipeline.cells)
        self._source = f"recipe {folder.id}"
        self._ahead = steps_ahead(runner, self._wish, self._options, self._source)

    def cancel(self) -> None:
        """Cancel the running step, and start no other; may be called from any thread."""
        self._cancelled = True
        self._ahead.cancel()
        if self._job is not None:
            self._job.cancel()

    def run(self, before: RunJournal | None = None) -> PipelineReport:
        """Run until the end or the first failure.

        Args:
            before: The journal of an interrupted run, whose finished steps are skipped.

        Raises:
            UsageError: when another process executes this run.
        """
        with self.folder.locked():
            self._begin(before)
            with closing(self._ahead):
                exit_code = self._steps()
            gates = tuple(self._judge(gate) for gate in self.pipeline.gates)
            if not exit_code and not all(gate.passed for gate in gates):
                exit_code = _GATE_MISSED
            return self._end(exit_code, gates)

    def _begin(self, before: RunJournal | None) -> None:
        pipeline = self.pipeline
        head = PipelineHead(pipeline.name, pipeline.title, pipeline.source.name)
        if before is None:
            write_atomically(self.folder.folder / PIPELINE_FILE, pipeline.source.text.encode())
        else:
            self._adopt(before)
        self._journal = RunJournal(
            id=self.folder.id,
            pipeline=head,
            folder=str(pipeline.folder),
            variables=pipeline.given,
            values={k: v for k, v in pipeline.variables.items() if k not in pipeline.secret},
            trigger=self._wish.trigger,
            fresh=self._wish.fresh,
            started=(before and before.started) or now(),
            resumed=(*before.resumed, now()) if before else (),
            state=RUNNING,
            machine=platform.node(),
            process=os.getpid(),
            tools=tools(PluginHost.discover()),
            intent=before.intent if before else {},
        )
        self._write()

    def _adopt(self, before: RunJournal) -> None:
        """Adopt the finished steps of an interrupted run."""
        for report in before.steps:
            result = self.folder.result(report.id)
            known = report.done and report.id in self._names and result
            if known and keeping.is_there(result, self._runner.registry):
                self._store(replace(report, result=result))

    def _steps(self) -> int:
        """Run the steps that are not finished; return the exit code."""
        total = len(self.pipeline.steps)
        for number, step in enumerate(self.pipeline.steps, 1):
            if step.id in self._reports:
                self._gather(step)
                continue
            missed = self._missed(step)
            if missed:
                self._reports[step.id] = StepReport(step.id, step.step, message=missed)
                return _GATE_MISSED
            if self._cancelled:
                return _CANCELLED
            if self._wish.watch is not None:
                self._wish.watch(step, number, total)
            self._begin_ahead()
            report, code = self._one(step)
            self._store(report)
            self._gather(step)
            if self._wish.told is not None:
                self._wish.told(report)
            if code:
                return code
        return 0

    def _begin_ahead(self) -> None:
        """Begin the steps on the executor whose inputs are there."""
        if self._wish.on:
            done = {id for id, report in self._reports.items() if report.done}
            self._ahead.begin(self.pipeline.steps, self._needs, done, set(self._guards))

    def _one(self, step: PipelineStep) -> tuple[StepReport, int]:
        began = time.monotonic()
        try:
            return self._run(step, began)
        except StudioError as error:
            message = self._placed(step, error.message, usage=isinstance(error, UsageError))
            failed = StepReport(step.id, step.step, "failed", message=message, hint=error.hint)
            return failed, error.exit_code

    def _run(self, step: PipelineStep, began: float) -> tuple[StepReport, int]:
        runner, registry = self._runner, self._runner.registry
        options, failure = runner.open_models(step.step, self._options(step))
        if failure is not None:
            return self._failed(step, failure, began)
        key = keeping.key_of(runner, step.step, options)
        taken = keeping.lookup(registry, key, step.step, options)
        if taken and not (self._wish.fresh or step.fresh):
            result, run = taken
            return StepReport(step.id, step.step, "unchanged", 0.0, result, "", "", key, run), 0
        written, own = outputs(step_named(step.step), options), OwnOutputs(registry)
        foreign = [] if self._wish.overwrite or step.id in self._ahead else own.in_the_way(written)
        if foreign:
            raise refusal(foreign)
        outcome = self._outcome(step, options)
        if not outcome.ok:
            return self._failed(step, outcome, began)
        own.note(written)
        seconds = time.monotonic() - began
        result = outcome.document
        keeping.store(registry, key, step.step, self.folder.id, options, result)
        return StepReport(step.id, step.step, "succeeded", seconds, result, key=key), 0

    def _outcome(self, step: PipelineStep, options: Mapping[str, JsonValue]) -> JobOutcome:
        if step.step == "rollback" and not options.get("to"):
            assert self._journal is not None
            known = self._journal.intent.get(step.id)
            rollback = ResumedRollback(self._runner, options)
            done = rollback.done_before(known) if known else None
            if done is not None:
                return done
            intent = {**self._journal.intent, step.id: known or rollback.current()}
            # The intent is on the disk before the rollback, so a resumed run does not repeat it.
            self._write(intent=intent)
        begun = self._ahead.take(step)
        if begun is not None:
            return begun
        try:
            return self._runner.run(step.step, options, self._began, self._source)
        except NeedsApproval:
            if self._wish.run_approved is None:
                raise
            return self._wish.run_approved(step.step, options)

    def _began(self, job: RunningJob) -> None:
        self._job = job
        if self._cancelled:
            job.cancel()

    def _failed(
        self, step: PipelineStep, outcome: JobOutcome, began: float
    ) -> tuple[StepReport, int]:
        usage = outcome.end is End.FAILED and outcome.exit_code in (2, 1)
        message = self._placed(step, outcome.sentence, usage=usage)
        report = StepReport(
            step.id, step.step, "failed", time.monotonic() - began, {}, message, outcome.hint
        )
        return report, outcome.exit_code

    def _placed(self, step: PipelineStep, message: str, *, usage: bool) -> str:
        """Return a message with the place in the pipeline's text, if the text is the cause."""
        source = self.pipeline.source
        if not usage or message.startswith(source.name) or not step.place:
            return message
        named = (
            key
            for key, value in step.written.items()
            if key not in ("id", "step") and isinstance(value, str) and _is_about(message, value)
        )
        option = next(named, None) or next(
            (
                o.name
                for o in step_named(step.step).form
                if o.name in step.written and message.startswith(o.label + ":")
            ),
            "",
        )
        return f"{source.where(*step.place, *([option] if option else []))}: {message}"

    # Gates

    def _missed(self, step: PipelineStep) -> str:
        """Return why a step must not run; empty if all gates before it have passed."""
        for gate in self._guards.get(step.id, ()):
            report = self._judge(gate)
            if not report.passed:
                return f"Not run: the gate {gate.name!r} failed."
        if step.id in self._guards:  # a promotion reads them from the journal as evidence
            gates = self.pipeline.gates
            judged = tuple(self._judge(gate) for gate in gates if self._can_be_judged(gate))
            self._results[RUN] = self._own_facts(judged)
            self._write(gates=judged)
        return ""

    def _own_facts(self, gates: tuple[GateReport, ...]) -> JsonValue:
        """Return the values of ``${run...}``."""
        folder = self.folder
        return {"id": folder.id, "folder": str(folder.folder), "gates": to_json(gates)}

    def _can_be_judged(self, gate: Gate) -> bool:
        return gate_needs(gate, self.pipeline.cells) <= set(self._results)

    def _judge(self, gate: Gate) -> GateReport:
        return judge(gate, self._results, self._names)

    # Results

    def _store(self, report: StepReport) -> None:
        """Write the result of a step, then its state: a journal never names a missing result."""
        self._reports[report.id] = report
        if report.done:
            self._results[report.id] = dict(report.result)
            self.folder.write_result(report.id, report.result)
        if self._journal is not None:
            self._write()

    def _gather(self, step: PipelineStep) -> None:
        """Collect the results of a step's cells, for references to all cells."""
        cells = self.pipeline.cells.get(step.origin)
        if cells:
            self._results[step.origin] = [self._results[c] for c in cells if c in self._results]

    def _write(self, **changed: Any) -> None:
        """Write the journal with some changed fields; results have files of their own."""
        assert self._journal is not None
        steps = tuple(replace(self._report(step), result={}) for step in self.pipeline.steps)
        self._journal = replace(self._journal, steps=steps, **changed)
        self.folder.write(self._journal)

    def _report(self, step: PipelineStep) -> StepReport:
        return self._reports.get(step.id) or StepReport(step.id, step.step)

    def _end(self, exit_code: int, gates: tuple[GateReport, ...]) -> PipelineReport:
        pipeline = self.pipeline
        steps = tuple(self._report(step) for step in pipeline.steps)
        artefacts = digests(steps, self._runner.registry)
        self._write(
            ended=now(),
            state=_STATES.get(exit_code, "failed"),
            exit_code=exit_code,
            gates=gates,
            artefacts=artefacts,
        )
        return PipelineReport(
            pipeline.name,
            pipeline.title,
            steps,
            gates,
            exit_code,
            run=self.folder.id,
            folder=str(self.folder.folder),
            artefacts=artefacts,
        )

    def _options(self, step: PipelineStep) -> dict[str, JsonValue]:
        """Return the options of a step, with references resolved and paths made absolute."""
        kinds = {option.name: option.kind for option in step_named(step.step).form}
        options = {}
        for name, written in step.options.items():
            value = substitute(written, self._results)
            kind = kinds.get(name)
            if kind is Kind.MODEL:
                value = _models(value)
            if kind in _INPUTS:
                value = _from_folder(value, self.pipeline.folder)
            if kind is Kind.OUTPUT and isinstance(value, str):
                value = str(self.pipeline.folder / Path(value).expanduser())
            options[name] = value
        return options


def _is_about(message: str, value: str) -> bool:
    """Return whether a message names the file of an option."""
    name = Path(value).name
    return len(name) > 1 and name in message


def _models(value: JsonValue) -> JsonValue:
    """Return a variant's number in the spelling of an option."""
    if isinstance(value, list):
        return [_models(item) for item in value]
    return f"#{value}" if isinstance(value, int) else value


def _from_folder(value: JsonValue, folder: Path) -> JsonValue:
    if isinstance(value, list):
        return [_from_folder(item, folder) for item in value]
    if "\n" in str(value):  # the text of a preset
        return value
    path = folder / str(value)
    return str(path) if path.exists() else value
