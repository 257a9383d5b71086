"""The step that checks a plugin's folder, and its work."""

from __future__ import annotations

from pathlib import Path

from studio.api import Kind, Option
from studio.jobs import Arguments, Effect, Job, Limits, Result, Step

PLUGINS_CHECK: Step[Arguments, Result] = Step(
    name="plugins-check",
    title="Check the plugin",
    summary="See whether a plugin's folder keeps the rules and its capabilities their contracts.",
    options=(Option("folder", Kind.FOLDER, required=True, positional=True, title="Folder"),),
    work="studio.steps.plugin_check:check",
    limits=Limits(seconds=600),
    effect=Effect.LOOKS,
    in_history=False,
)


def check(arguments: Arguments, job: Job) -> Result:
    """Examine the folder, inside a worker that has no network."""
    from studio.plugin_host.check.examination import examine

    scratch = job.folder / "check"
    scratch.mkdir()
    return examine(Path(arguments["folder"]), scratch)
