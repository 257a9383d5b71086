"""The record of the step ``project-set``."""

from __future__ import annotations

from pathlib import Path

from studio.api import UsageError
from studio.projects.draft import PreprocessDraft
from studio.projects.project_file import Value
from studio.projects.projects import Projects
from studio.projects.results import FIELDS, PATHS, TASKS, Project, flag
from studio.projects.step import DraftOptions, DraftResult, ProjectOptions
from studio.registry import Registry
from studio.settings import full_path


def keep(registry: Registry, options: ProjectOptions, folder: Path) -> Project:
    """Keep what was given, and return the project as it is then.

    Raises:
        UsageError: for a task or target that does not exist, or when nothing was given.
    """
    if options.task is not None and options.task not in TASKS:
        raise UsageError(f"Unknown task {options.task!r}.", hint=f"Known: {', '.join(TASKS)}.")
    for name in options.targets or ():
        registry.target(name)
    values = _values(options)
    if not values:
        raise UsageError("Nothing to set.", hint=f"Pass one of: {', '.join(map(flag, FIELDS))}.")
    variant = registry.variant(options.model.variant)
    projects = Projects(registry)
    projects.set(variant.model_name, values)
    return projects.of(variant)


def draft(registry: Registry, options: DraftOptions, folder: Path) -> DraftResult:
    """Write the first ``preprocess.toml`` of a model, never over another.

    Raises:
        StudioError: when there is one already, or the model takes no pictures.
    """
    found = PreprocessDraft.of(registry, registry.variant(options.model.variant))
    return DraftResult(found.write(), found.text)


def _values(options: ProjectOptions) -> dict[str, Value | None]:
    values: dict[str, Value | None] = dict.fromkeys(options.clear or ())
    for name in FIELDS:
        given = getattr(options, name)
        if given is not None:
            values[name] = str(full_path(given)) if name in PATHS else given
    return values
