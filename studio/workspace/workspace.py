"""The one object that the window and the command line talk to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from studio.api import Extension, Option, Refused, StudioError, TargetSpec
from studio.registry import ActionRecord, VariantRecord
from studio.settings import Paths
from studio.workspace.background import Background
from studio.workspace.events import (
    JobFinished,
    JobMessage,
    JobProgressed,
    JobStarted,
    RegistryChanged,
)
from studio.workspace.services import Services

if TYPE_CHECKING:
    from studio.jobs import AnyStep, Containment, JobOutcome, RunningJob
    from studio.workspace.graph_view import Early, GraphView
    from studio.workspace.samples import SampleInfo

T = TypeVar("T")


class Workspace(Services):
    """A registry, its jobs and its plugins.

    Attributes:
        paths, settings, registry, events, presets, projects, runs, plans,
            project_runs, versions, profiles, inbox, alerts, hooks: What they say.
        activity: The jobs of the last 30 days; this session's are recorded in it once it is open.
        jobs: Every job of this session, the newest last.
    """

    def __init__(self, paths: Paths) -> None:
        super().__init__(paths, self)
        self._background = Background(lambda call: self.events.deliver(call))
        self._early: Early | None = None
        self._stays = False

    @classmethod
    def open(cls, home: Path | None = None) -> Workspace:
        """Return the workspace of the user, or of one folder.

        Raises:
            StudioError: when its folder cannot be used.
        """
        paths = Paths.of(home=home)
        try:
            return cls(paths)
        except OSError as error:
            raise StudioError(
                f"The folder {paths.data} cannot be used: {error.strerror or error}.",
                hint="Choose another folder with EDGEWRIGHT_HOME.",
            ) from None

    def close(self) -> None:
        """Stop what runs and close the registry."""
        parts = self.__dict__  # those that were made
        if "activity" in parts:
            self.activity.end_session()
        for name in ("runs", "_runner", "plans", "_background", "hooks", "activity"):
            if name in parts:
                parts[name].close()
        self.registry.back_up()
        self.registry.close()

    def __enter__(self) -> Workspace:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # What can be done

    @property
    def steps(self) -> Mapping[str, AnyStep]:
        """Every step, with its options."""
        from studio.steps.catalogue import steps

        return steps()

    def why_not(self, step: str, variant: VariantRecord | None) -> str:
        """Return why a variant's format does not allow a step; empty when it does."""
        from studio.steps.format_support import why_not_of

        return why_not_of(self.steps[step], variant, self.plugins)

    def why_no_trial(self, target: TargetSpec) -> str:
        """Return why a target can hold no quality trial; empty when it can."""
        from studio.deployment.trial import why_no_trial

        return why_no_trial(target)

    def why_none_kept(self, target: TargetSpec) -> str:
        """Return why a target can store no requests for labelling; empty when it can."""
        from studio.deployment.trial import why_none_kept

        return why_none_kept(target)

    def why_none_compared(self, target: TargetSpec) -> str:
        """Return why a target cannot compare answers with the version before; empty when it can."""
        from studio.deployment.trial import why_none_compared

        return why_none_compared(target)

    @property
    def suffixes(self) -> tuple[str, ...]:
        """How files of models end that some format reads, ONNX first."""
        found = (end for one in self.plugins.all(Extension.FORMAT) for end in one.suffixes)
        return tuple(sorted(found, key=lambda end: end != ".onnx"))

    @property
    def converted_suffixes(self) -> tuple[str, ...]:
        """How files end that are converted first."""
        from studio.models.source_formats import CONVERTED

        return CONVERTED

    def with_plugins(self, option: Option) -> Option:
        """Return an option of a step, with what plugins offer among its choices."""
        from studio.quantization.methods import with_methods

        return with_methods(option, self.plugins) if option.plugins else option

    def warm_up(self) -> None:
        """Start a worker in advance, so that the next job begins at once, and find plugins.

        From now on the daily copy is made in the background: a window may stay open for
        weeks. A command makes it when it is done.
        """
        self._stays = True
        self._background.run(self.registry.back_up, lambda _: None)
        self._background.run(self._runner.prepare, lambda _: None)
        # Finding the plugins takes long enough to be felt on the first page that asks for them.
        self._background.run(lambda: self.plugins, lambda _: None)

    def import_steps(self, names: Iterable[str]) -> None:
        """Import in the background what the first start of some steps would."""
        from studio.steps.catalogue import parent_imports

        self._background.run_when_idle(parent_imports(names))

    def start(self, step: str, *, target: object = None, **options: Any) -> RunningJob:
        """Start a step; its models must be in the registry (``#12``, ``name:variant``).

        Raises:
            StudioError: when an option does not fit; nothing was started.
        """
        given = options if target is None else {"target": target, **options}
        try:
            return self._steps.start(step, given)
        except StudioError:
            if target not in [None, *(one.name for one in self.registry.targets())]:
                self.events.publish(RegistryChanged("targets"))  # another process has removed it
            raise

    def run(self, step: str, on: str = "", /, **options: Any) -> JobOutcome:
        """Run a step to its end, ``on`` an executor if one is named; files are opened first."""
        return self._steps.run(step, options, on=on)

    def retold(self, action: int, folder: Path | None = None) -> str:
        """Return the pipeline that repeats something that was done.

        Args:
            action: Its number in the history (``registry.ledger``), or as ``last_action`` gives it.
            folder: Where the pipeline will lie; files below it are named from there.

        Raises:
            UsageError: when it is not remembered any more.
        """
        from studio.steps.replay import pipeline_of  # the window's start needs it not

        quiet = next((one for one in [*self._steps.asked.values()] if one.id == action), None)
        return pipeline_of(self.registry, quiet or self.registry.ledger.action(action), folder)

    def last_action(self, steps: Iterable[str]) -> ActionRecord | None:
        """Return the last action of one of some steps, or None.

        A step that only reads is in no history, and is known for this session alone.
        """
        steps = frozenset(steps)
        found = [one for step, one in [*self._steps.asked.items()] if step in steps]
        found += [one for one in self.registry.ledger.actions() if one.step in steps][:1]
        return max(found, key=lambda one: one.created, default=None)

    def action_of(self, job: RunningJob) -> int:
        """Return the number of a job's action in the history; 0 without one."""
        return self._steps.noted.get(job.id, 0)

    def unfinished(self) -> list[RunningJob]:
        """Return the running jobs whose work would be lost: none that only watches or reads."""
        from studio.workspace.job_history import is_lasting

        return [job for job in self.jobs if job.running and is_lasting(job)]

    def set_source(self, source: str) -> None:
        """Set the source of the actions (``window``) for the history."""
        self._steps.source = source

    @property
    def sandbox(self) -> Containment:
        """How workers that parse or run models are contained."""
        return self._runner.containment

    # What is shown

    @property
    def safe_mode(self) -> bool:
        """Whether only the plugins that came with the studio are used."""
        from studio.plugin_host import safe_mode

        return safe_mode()

    def samples(self) -> tuple[SampleInfo, ...]:
        """Return the samples that come with the studio."""
        from studio.workspace.samples import samples

        return samples(self.paths.samples)

    def load_graph(self, variant: int, done: Callable[[GraphView | Exception], None]) -> None:
        """Read a variant's graph on the background thread and hand it to ``done``."""
        from studio.workspace.graph_view import read_graph

        record = self.registry.variant(variant)

        def read() -> GraphView:
            early, self._early = self._early, None
            self.registry.fetch(record.path)
            return read_graph(record, early)

        self._background.run(read, done)

    def load_drawn_graph(self, path: Path, done: Callable[[GraphView | Exception], None]) -> None:
        """Read what a job has drawn of a model whose types are not known yet, and keep it.

        Args:
            path: The path in the job's message ``DRAWN``.
        """
        from studio.workspace.graph_view import read_drawn_graph

        def read() -> GraphView:
            self._early = read_drawn_graph(path)
            return self._early[1]

        self._background.run(read, done)

    def in_background(self, call: Callable[[], T], done: Callable[[T | Exception], None]) -> None:
        """Run a call that only reads on the background thread; ``done`` gets what came of it."""
        self._background.run(call, done)

    # Targets

    def add_target(self, target: TargetSpec) -> None:
        """Add or change a target.

        Raises:
            UsageError: when it would be a second name of another's place.
        """
        from studio.targets.target import require_own_place

        require_own_place(target, self.registry.targets())
        self.registry.add_target(target)
        self.events.publish(RegistryChanged("targets"))

    def remove_target(self, name: str) -> None:
        """Remove a target from the registry; its releases keep running."""
        self.registry.remove_target(name)
        self.events.publish(RegistryChanged("targets"))

    def set_group(self, name: str, members: Sequence[str]) -> None:
        """Set the members of a group of targets; an empty group is removed."""
        self.registry.groups.set(name, members)
        self.events.publish(RegistryChanged("targets"))

    def unfinished_rollout(self) -> str:
        """Return the name of the last rollout, unless it is done; else empty."""
        from studio.rollouts.rollout_state import place_of, unfinished

        return unfinished(place_of(self.paths.data))

    # Plugins

    def allow_plugin(self, identifier: str, digest: str) -> None:
        """Agree to a plugin's files, or switch it on again.

        Args:
            digest: Of the files that were looked at.

        Raises:
            Refused: when its files are others by now; nothing was agreed to.
            Unavailable: when there is no such plugin.
        """
        from studio.plugin_host import Trust

        self._find_plugins_again()
        if self.plugins.plugin(identifier).digest != digest:
            raise Refused(
                f"The files of {identifier} have changed since you reviewed them.",
                hint="Review them again: studio plugins list",
            )
        Trust(self.paths.trust).allow(identifier, digest)
        self._find_plugins_again()

    def forbid_plugin(self, identifier: str) -> None:
        """Switch a plugin off; what it offers is not there until it is allowed again."""
        from studio.plugin_host import Trust

        Trust(self.paths.trust).forbid(self.plugins.plugin(identifier).id)
        self._find_plugins_again()

    def plugin_crashed(self, identifier: str, reason: str) -> bool:
        """Count a crash of a plugin; True when that was the last that it was allowed."""
        is_off = self.plugins.note_crash(identifier, reason)
        self._find_plugins_again()  # lists show the failure
        return is_off

    def culprit(self, error: BaseException) -> str:
        """Return the id of the plugin whose code raised an error; empty where none did."""
        return self.plugins.culprit(error)

    def _find_plugins_again(self) -> None:
        self.__dict__.pop("plugins", None)
        self.events.publish(RegistryChanged("plugins"))

    # JobListener: the threads of jobs call these

    def started(self, job: RunningJob) -> None:
        if self._stays:
            self._background.run(self.registry.back_up, lambda _: None)
        self.jobs.append(job)
        self.activity.started(job)
        self.hooks.started(job)
        self.events.publish(JobStarted(job))

    def progressed(self, job: RunningJob) -> None:
        self.activity.progressed(job)
        self.events.publish(JobProgressed(job))

    def message(self, job: RunningJob, name: str, values: Mapping[str, Any]) -> None:
        self.events.publish(JobMessage(job, name, values))

    def blamed(self, plugin: str, sentence: str) -> None:
        self.plugin_crashed(plugin, sentence)

    def finished(self, job: RunningJob) -> None:
        self.activity.finished(job, self.action_of(job))
        self.hooks.finished(job)
        self.events.publish(RegistryChanged("records"))
        self.events.publish(JobFinished(job))
