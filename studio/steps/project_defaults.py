"""Options that a step takes from the project of its model, where they are not given."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from studio.api import Kind, Option, UsageError
from studio.jobs import AnyStep
from studio.lazy_dataclass import dataclass
from studio.projects.projects import FOUND, RECOGNISED, Projects
from studio.projects.results import YOU, Project, flag
from studio.registry import Registry
from studio.steps.resolve import bundle_apart

NONE = "none"
"""The value that leaves an option without the project's."""


_ANSWERED_BY = {
    ("profile", "data"): "shapes",
    ("quantize", "heldout_data"): "eval_data",
    ("evaluate", "heldout_data"): "data",
}
"""Options by step that another one makes needless: with given sizes no sample has to have them,
and labelled data that are given measure the metric alone."""


class OpenedModel(str):
    """The reference to a model that was just opened, with its file.

    The same model may be in two folders, with different labels: the project is that of the file.
    """

    file: Path

    @classmethod
    def of(cls, variant: object, file: Path) -> OpenedModel:
        """Return the reference to a variant, by its number."""
        reference = cls(f"#{variant}")
        reference.file = file
        return reference


@dataclass(frozen=True, slots=True)
class ProjectDefaults:
    """The options of a step with those of its model's project.

    Attributes:
        options: All options by name.
        notes: A line for each option that the project has set, or could not set.
        preprocess: The project's, for pictures among the data.
    """

    options: dict[str, object]
    notes: tuple[str, ...] = ()
    preprocess: Path | None = None


def with_project(step: AnyStep, given: Mapping[str, object], registry: Registry) -> ProjectDefaults:
    """Fill in what was not given and the project of the step's only model has.

    Raises:
        UsageError: for an unknown model, or a required option that the project lacks. Also for a
            file of the user's that is gone or contradicts the model.
    """
    given = bundle_apart(step, given, registry)  # a bundle has all that it needs
    own = {option.name: option for option in step.form if option.project}
    # A default such as ``auto`` leaves the choice open, also where it is given as a word.
    missing = [
        one
        for one in own.values()
        if given.get(one.name) in (None, [], (), one.default)
        and not given.get(_ANSWERED_BY.get((step.name, one.name), ""))
    ]
    left = {
        name: value
        for name, value in given.items()
        if name not in own or value not in (NONE, [NONE], (NONE,))
    }
    has_data = any(option.kind is Kind.DATA for option in step.form)
    project = _project(step, given, registry) if missing or has_data else None
    if project is None:
        return ProjectDefaults(left)
    pictures = _preprocess(project) if has_data else None
    notes = []
    for option in missing:
        if project.stands_in(option.project):
            continue
        value, note = _value(option, project)
        if value is not None:
            left[option.name] = value
        elif option.required:
            raise _absent(option, project)
        if note:
            notes.append(note)
    return ProjectDefaults(left, tuple(notes), pictures)


def _preprocess(project: Project) -> Path | None:
    """Return the project's preprocessing; None for one that is gone."""
    path = Path(project.preprocess) if project.preprocess else None
    return path if path is not None and path.is_file() else None


def _project(step: AnyStep, given: Mapping[str, object], registry: Registry) -> Project | None:
    """Return the project of the model that is given; None without one, or for several."""
    references = [
        reference
        for option in step.form
        if option.kind is Kind.MODEL and given.get(option.name) is not None
        for reference in _each(given[option.name])
    ]
    variants = [registry.find(one) for one in references]
    if len({one.model_name for one in variants}) != 1:
        return None
    files = {one.file for one in references if isinstance(one, OpenedModel)}
    return Projects(registry).of(variants[0], files.pop() if len(files) == 1 else None)


def _each(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _value(option: Option, project: Project) -> tuple[str | list[str] | None, str]:
    """Return the project's value for an option, and the sentence about it."""
    for field in option.project:
        value, where = getattr(project, field), project.source_of(field)
        if not value or where == RECOGNISED:  # a step recognises by itself, in its own way
            continue
        if isinstance(value, tuple):
            return list(value), f"{option.label}: {', '.join(value)} (project: {where})"
        issue = project.issue_of(field)
        shown = value if where == YOU else Path(value).name
        if issue is None:
            return value, f"{option.label}: {shown} (project: {where})"
        if where != FOUND:
            raise UsageError(issue.text, hint=issue.hint)
        return None, f"{option.label}: {shown} is not used. {issue.text}"
    return None, ""


def _absent(option: Option, project: Project) -> UsageError:
    fields = " or ".join(option.project)
    return UsageError(
        f"Missing option {option.label}: the project of {project.model} has no {fields}.",
        hint=f"Pass {option.flag}, or set it once: "
        f"studio project set {project.model} {flag(option.project[0])} PATH",
    )
