"""The step that checks a plugin's folder, and its work."""

from __future__ import annotations

from pathlib import Path

from studio.api import Kind
from studio.jobs import Effect, Job, Limits, Step
from studio.jobs.options_form import option
from studio.lazy_dataclass import dataclass
from studio.plugin_host.check.results import PluginCheckResult


@dataclass(frozen=True, slots=True)
class PluginCheckOptions:
    """The options of the step ``plugins-check``."""

    folder: Path = option(kind=Kind.FOLDER, positional=True, title="Folder")


PLUGINS_CHECK: Step[PluginCheckOptions, PluginCheckResult] = Step(
    name="plugins-check",
    title="Check the plugin",
    summary="Check the folder of a plugin and the contracts of its capabilities.",
    options=PluginCheckOptions,
    result=PluginCheckResult,
    texts="studio.steps.texts:checked",
    exit_code="studio.steps.texts:check_exit_code",
    work="studio.steps.plugin_check_step:check",
    limits=Limits(seconds=600),
    effect=Effect.LOOKS,
    in_history=False,
)


def check(options: PluginCheckOptions, job: Job) -> PluginCheckResult:
    """Examine the folder, inside a worker that has no network."""
    from studio.plugin_host.check.examination import examine

    scratch = job.folder / "check"
    scratch.mkdir()
    return examine(options.folder, scratch)
