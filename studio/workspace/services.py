"""The parts of a workspace, each imported and made at its first use.

A command starts with what it uses: one that lists targets loads no plans.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from studio.registry import Registry
from studio.settings import Paths, Settings, make_private
from studio.workspace.events import EndpointChanged, Events

if TYPE_CHECKING:
    from studio.jobs import JobListener, JobRunner, RunningJob
    from studio.plans import Plans
    from studio.plugin_host import PluginHost
    from studio.projects.projects import Projects
    from studio.steps.runner import StepRunner
    from studio.workspace.alert_file import AlertFile
    from studio.workspace.endpoint_state import EndpointStates
    from studio.workspace.hooks.step_events import EventHooks
    from studio.workspace.inbox import Inbox
    from studio.workspace.job_history import JobHistory
    from studio.workspace.presets import Presets
    from studio.workspace.profiles import Profiles
    from studio.workspace.project_runs import ProjectRuns
    from studio.workspace.results import Results
    from studio.workspace.runs import Runs
    from studio.workspace.versions import Versions

T = TypeVar("T")

_PRELOAD = ("numpy", "onnx", "studio.models.work")
"""What the worker that is kept ready has imported: what opening a model needs."""


class Services:
    """A registry, its events, and what reads and changes it."""

    def __init__(self, paths: Paths, listener: JobListener) -> None:
        make_private(paths.data, paths.config, paths.cache)
        self.paths = paths
        self.settings = Settings(paths.settings)
        self.registry = Registry.open(paths.registry)
        self.events = Events()
        self.jobs: list[RunningJob] = []
        self._listener = listener
        self._services: dict[Callable[[Services], Any], Any] = {}
        self._making = threading.RLock()

    def service(self, make: Callable[[Services], T]) -> T:
        """Return what a feature reads and changes, made at its first use.

        Args:
            make: Its class, called with the workspace.
        """
        with self._making:
            if make not in self._services:
                self._services[make] = make(self)
            service: T = self._services[make]
        return service

    @functools.cached_property
    def plugins(self) -> PluginHost:
        """The plugins; found on first use."""
        from studio.plugin_host import PluginHost, Trust

        return PluginHost.discover(self.paths.plugins, Trust(self.paths.trust))

    @functools.cached_property
    def results(self) -> Results:
        """The stored results of steps."""
        from studio.workspace.results import Results

        return Results(self.registry)

    @functools.cached_property
    def profiles(self) -> Profiles:
        """The saved profiles."""
        from studio.workspace.profiles import Profiles

        return Profiles(self.registry, self.results)

    @functools.cached_property
    def inbox(self) -> Inbox:
        """The alerts of all targets."""
        from studio.monitoring.alerts.silences import HOLDS, Silences
        from studio.workspace.inbox import Inbox

        data = self.paths.data
        return Inbox(data / "alerts.json", holds=Silences(data / HOLDS))

    @functools.cached_property
    def alerts(self) -> AlertFile:
        """The alert rules of the user."""
        from studio.workspace.alert_file import AlertFile

        return AlertFile(self.paths, self.settings, lambda: self.plugins)

    @functools.cached_property
    def hooks(self) -> EventHooks:
        """The events of steps for webhooks."""
        from studio.workspace.hooks.step_events import EventHooks

        return EventHooks(self.paths, self.alerts)

    @functools.cached_property
    def presets(self) -> Presets:
        """The quantization presets."""
        from studio.workspace.presets import Presets

        return Presets(self.paths.data, lambda: self.plugins)

    @functools.cached_property
    def activity(self) -> JobHistory:
        """The jobs of the last 30 days; this session's are recorded in it once it is open."""
        from studio.workspace.job_history import JobHistory

        return JobHistory(self.paths.data / "activity")

    @functools.cached_property
    def endpoints(self) -> EndpointStates:
        """The state of each endpoint."""
        from studio.workspace.endpoint_state import EndpointStates, changing_targets

        return EndpointStates(
            lambda name: self.events.publish(EndpointChanged(name)),
            lambda: changing_targets(self.jobs),
        )

    @functools.cached_property
    def _runner(self) -> JobRunner:
        from studio.jobs import JobRunner

        self.activity, self.hooks  # noqa: B018 - made before threads of jobs ask for them
        store, sandbox = self.registry.store, bool(self.settings["sandbox"])
        return JobRunner(
            self.paths, store=store, listener=self._listener, sandbox=sandbox, preload=_PRELOAD
        )

    @functools.cached_property
    def _steps(self) -> StepRunner:
        from studio.jobs.memory import worker_limits
        from studio.steps.runner import StepRunner

        limits = worker_limits(self.settings)
        return StepRunner(self.registry, self._runner, limits, lambda: self.plugins)

    @functools.cached_property
    def runs(self) -> Runs:
        """The runs of pipelines."""
        from studio.workspace.runs import Runs

        return Runs(self.paths.data / "runs", self._steps, self.registry, self.events)

    @functools.cached_property
    def plans(self) -> Plans:
        """The plans of changes."""
        from studio.plans import Plans

        return Plans(self.paths, self.registry, self._steps)

    @functools.cached_property
    def versions(self) -> Versions:
        """The versions of models."""
        from studio.workspace.versions import Versions

        return Versions(self.registry)

    @functools.cached_property
    def projects(self) -> Projects:
        """The projects of models."""
        from studio.projects.projects import Projects

        return Projects(self.registry)

    @functools.cached_property
    def project_runs(self) -> ProjectRuns:
        """The pipelines that projects run."""
        from studio.workspace.project_runs import ProjectRuns

        return ProjectRuns(self.registry, self.projects, self.runs)
