"""Running of one step: checked, put into a worker, recorded."""

from __future__ import annotations

import hashlib
import itertools
import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from studio.api import Extension, Permission, Refused, UsageError
from studio.documents.dataclass_json import to_json
from studio.jobs import (
    AnyStep,
    End,
    JobOutcome,
    JobRunner,
    JobSpec,
    Limits,
    RunningJob,
    contained,
)
from studio.jobs.object_names import load
from studio.jobs.runner import Finish
from studio.jobs.spec import class_path
from studio.plugin_host import PluginHost
from studio.registry import ActionRecord, Registry, file_digest
from studio.settings import full_path
from studio.steps.approval import guard_of, require_plan
from studio.steps.catalogue import step as step_named
from studio.steps.format_support import HINT, LANGUAGE_HINT, why_not
from studio.steps.inputs import input_digest
from studio.steps.portable import check_spreads
from studio.steps.project_defaults import OpenedModel, with_project
from studio.steps.resolve import Resolved, app_apart, folders_apart, model_files, resolve
from studio.steps.step_record import StepRecord
from studio.steps.turns import Turn

SEAL_BROKEN = "The model, a file, a target or the studio has changed since the plan was made."


class StepRunner:
    """The one door: clicks, commands and pipelines all ask here.

    Attributes:
        source: Who asks, for the history of what was done.
        noted: The number in that history for each job that has succeeded, by the job's id.
        asked: The last request for each step that the history leaves out, in this session; their
            numbers are below 0.
    """

    def __init__(
        self,
        registry: Registry,
        jobs: JobRunner,
        defaults: Limits | None = None,
        plugins: Callable[[], PluginHost] = PluginHost.discover,
        source: str = "command",
    ) -> None:
        self.source = source
        self.noted: dict[str, int] = {}
        self.asked: dict[str, ActionRecord] = {}
        self._numbers = itertools.count(-1, -1)
        self._plugins = plugins
        self._registry = registry
        self._jobs = jobs
        self._defaults = defaults or Limits()

    def start(
        self,
        name: str,
        given: Mapping[str, Any],
        source: str = "",
        seal: str = "",
        on: str = "",
        turn: Turn | None = None,
    ) -> RunningJob:
        """Start a step; its models must be in the registry.

        Args:
            source: Who asks, where it is not whom the runner was made for.
            seal: What ``seal`` returned for the same options; empty for no comparison.
            on: Address of the executor that does the work; empty for this computer.
            turn: When the result is recorded; at once without one.

        Raises:
            UsageError: when an option does not fit; nothing was started.
            NeedsApproval: when it starts from an approved plan alone; nothing was started.
            Refused: when the seal no longer fits; nothing was started.
        """
        step = step_named(name)
        given = self._completed(step, given)
        filled = with_project(step, given, self._registry)
        resolved = resolve(step, filled.options, self._registry)
        self._check_formats(step, resolved)
        require_plan(step, resolved, seal, self._registry)
        if seal and self._seal(step, resolved, filled.preprocess) != seal:
            raise Refused(SEAL_BROKEN, hint="Make a new plan.")
        options = self._prepared(step, step.options_of(resolved.arguments))
        needs = self._granted(step, resolved)
        if on:
            check_spreads(step, needs)
        note = StepRecord(step, dict(given), resolved, source or self.source)
        spec = JobSpec(
            id=uuid.uuid4().hex[:12],
            title=f"{step.title} {resolved.subject}".strip(),
            entry=step.work,
            arguments=to_json(options),
            reads=(*resolved.reads, *([filled.preprocess] if filled.preprocess else ())),
            needs=needs,
            limits=self._limits(step),
            options=class_path(step.options),
            step=name,
            notes=filled.notes,
            asked=note.options,
            preprocess=filled.preprocess,
            isolated=_runs_code(step, resolved),
            on=on,
            guard=guard_of(step, resolved, seal, self._registry),
        )
        if not note.is_recorded:
            self.asked[name] = note.action(next(self._numbers))
        record = self._recorder(step, options, note, spec.id)
        if turn is None:
            return self._jobs.start(spec, record)
        return self._jobs.start(spec, _in_turn(record, turn), turn.end)

    def run(
        self,
        name: str,
        given: Mapping[str, Any],
        began: Callable[[RunningJob], None] | None = None,
        source: str = "",
        on: str = "",
    ) -> JobOutcome:
        """Run a step to its end; models given as files are opened first.

        Args:
            began: Called with the job, so that another thread can cancel it.
        """
        opened, failure = self.open_models(name, given)
        if failure is not None:
            return failure
        job = self.start(name, opened, source, on=on)
        if began is not None:
            began(job)
        try:
            outcome = job.wait()
        except BaseException:  # Ctrl+C: the worker must not outlive the question
            job.cancel()
            job.wait()
            raise
        assert outcome is not None
        return outcome

    def inputs(self, name: str, given: Mapping[str, Any]) -> str:
        """Return the digest of all that a step's result follows from; its models must be opened.

        Raises:
            UsageError: when an option does not fit.
            OSError: when a file cannot be read.
        """
        step = step_named(name)
        named = self._completed(step, given)
        filled = with_project(step, named, self._registry)
        resolved = resolve(step, filled.options, self._registry)
        return self._inputs(step, resolved, filled.preprocess)

    def seal(self, name: str, given: Mapping[str, Any]) -> tuple[str, Resolved]:
        """Return the digest of what a step would do, and its resolved options.

        Other than the digest of ``inputs``, it covers all that is known of the targets.

        Raises:
            UsageError: when an option does not fit.
            OSError: when a file cannot be read.
        """
        step = step_named(name)
        named = self._completed(step, given)
        filled = with_project(step, named, self._registry)
        resolved = resolve(step, filled.options, self._registry)
        self._check_formats(step, resolved)
        return self._seal(step, resolved, filled.preprocess), resolved

    def _seal(self, step: AnyStep, resolved: Resolved, preprocess: Path | None) -> str:
        arguments = json.dumps(resolved.arguments, sort_keys=True, default=str)
        content = f"{self._inputs(step, resolved, preprocess)} {arguments}"
        return hashlib.sha256(content.encode()).hexdigest()

    def _inputs(self, step: AnyStep, resolved: Resolved, preprocess: Path | None) -> str:
        digest = input_digest(step, resolved, self._registry, self._plugins())
        if preprocess is None:
            return digest
        return hashlib.sha256(f"{digest} {file_digest(preprocess)}".encode()).hexdigest()

    @property
    def registry(self) -> Registry:
        """Where the results are kept."""
        return self._registry

    @property
    def jobs(self) -> JobRunner:
        """Where the workers of steps run."""
        return self._jobs

    def open(self, path: Path) -> JobOutcome:
        """Open a model's file or folder, or find it in the registry where it was opened before."""
        digest = file_digest(path) if path.is_file() else ""
        known = self._registry.variant_by_digest(digest)
        if known is not None and known.path.exists():
            self._registry.opened_again(known, full_path(path))
            return JobOutcome(End.SUCCEEDED, "Open", {**known.summary, "variant": known.id})
        return self.run("open", {"model": str(path)})

    def open_models(
        self, name: str, given: Mapping[str, Any]
    ) -> tuple[dict[str, Any], JobOutcome | None]:
        """Return the options after opening models given as files, and a failure, if any."""
        step = step_named(name)
        named = folders_apart(step, given, self._suffixes, self._registry)
        opened = dict(self._completed(step, app_apart(step, named)))
        for option, path in model_files(step, opened, self._registry):
            outcome = self.open(path)
            if not outcome.ok:
                return opened, outcome
            opened[option] = _replaced(
                opened[option], path, OpenedModel.of(outcome.document["variant"], path)
            )
        return opened, None

    def _suffixes(self) -> tuple[str, ...]:
        formats = self._plugins().all(Extension.FORMAT)
        return tuple(end for one in formats for end in one.suffixes)

    def _completed(self, step: AnyStep, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the given options with those that follow from a name among them."""
        if not step.complete:
            return given
        completed: Mapping[str, Any] = load(step.complete)(self._registry, given)
        return completed

    def _check_formats(self, step: AnyStep, resolved: Resolved) -> None:
        """Refuse what cannot be done with models of a format, before anything is started."""
        for form in resolved.formats:
            reason = why_not(step, form, self._plugins(), resolved.language)
            if reason:
                raise UsageError(reason, hint=LANGUAGE_HINT if resolved.language else HINT)

    def _granted(self, step: AnyStep, resolved: Resolved) -> frozenset[Permission]:
        """Return the worker's permissions: those of the step that the targets' plugins have.

        Only plugins that did not come with the studio are held to what their users agreed to.
        """
        needs = step.needs | (step.remote_needs if resolved.remote else frozenset())
        needs |= step.signing_needs if resolved.arguments.get("sign") else frozenset()
        if _runs_code(step, resolved) and not resolved.arguments.get("allow_network"):
            needs -= {Permission.NETWORK}
        for scheme in resolved.schemes - {"local"}:
            capability = self._plugins().answering(scheme)
            if capability is not None:
                plugin = self._plugins().plugin(capability.plugin)
                if not plugin.built_in and plugin.manifest is not None:
                    needs &= plugin.manifest.permissions
        return needs

    def _limits(self, step: AnyStep) -> Limits:
        """Return the step's limits; where it has none, the user's for workers that run models."""
        if not contained(step.needs):
            return step.limits
        own = {name: value for name, value in asdict(step.limits).items() if value}
        most = self._defaults.memory_mb
        if step.limits.memory_mb and most:
            own["memory_mb"] = min(step.limits.memory_mb, most)
        return replace(self._defaults, **own)

    def _prepared(self, step: AnyStep, options: Any) -> Any:
        if not step.prepare:
            return options
        return load(step.prepare)(self._registry, options)

    def _recorder(self, step: AnyStep, options: Any, note: StepRecord, job: str) -> Finish | None:
        if not step.record and not note.is_recorded and step.result is None:
            return None

        def record(document: dict[str, Any], folder: Path) -> Any:
            result = step.work_result_of(document) if step.work else None
            if step.record:
                given = (result,) if step.work else ()
                result = load(step.record)(self._registry, options, *given, folder)
            number = note.write(self._registry, to_json(result))
            if number:
                self.noted[job] = number
            return result

        return record


def _runs_code(step: AnyStep, resolved: Resolved) -> bool:
    """Return whether the user has agreed to run Python code of an app."""
    return bool(step.own_code and resolved.arguments.get(step.own_code))


def _in_turn(record: Finish | None, turn: Turn) -> Finish | None:
    """Return a record that is made when its turn has come."""
    if record is None:
        return None

    def in_turn(document: dict[str, Any], folder: Path) -> Any:
        with turn.reached():
            return record(document, folder)

    return in_turn


def _replaced(value: Any, path: Path, reference: str) -> Any:
    if isinstance(value, str):
        return reference
    return [reference if full_path(item) == path else item for item in value]
