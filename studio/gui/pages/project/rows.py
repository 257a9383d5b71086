"""The rows of a project: for each field its state, its value in words, and where it is from."""

from __future__ import annotations

from pathlib import Path

from studio.lazy_dataclass import dataclass
from studio.projects.results import (
    PATHS,
    TASK_TITLES,
    YOU,
    Project,
)

READY, WARNING, OPEN = "ready", "warning", "open"

_FLOAT_NODES = "float_nodes"
"""The field that the graph's context menu fills; without a value it has no row."""

_TITLES = {
    "task": "Task",
    "metric": "Metric",
    "preprocess": "Preprocessing",
    "outputs": "Output settings",
    "labels": "Labels",
    "label_map": "Label map",
    "dictionary": "Dictionary",
    "calibration": "Calibration data",
    "evaluation": "Evaluation data",
    "heldout": "Held-out data",
    "groups": "Groups of samples",
    "targets": "Targets of interest",
    _FLOAT_NODES: "Nodes kept in float",
}
_UNSET = {
    "task": "Not recognised. It decides metric and decoding.",
    "metric": "Not set. Accuracy is not measured.",
    "preprocess": "Not set. The model takes arrays, no pictures.",
    "outputs": "Not set. Endpoints answer with arrays.",
    "label_map": "Not set. Labels are the model's classes.",
    "labels": "Not set. Classes are shown as numbers.",
    "dictionary": "Not set. Texts cannot be read.",
    "groups": "Not set. Labels or pictures form groups.",
    "calibration": "Not set. Calibrated int8 needs it.",
    "evaluation": "Not set. Accuracy is not measured.",
    "heldout": "Not set. Evaluation data is used.",
    "targets": "Not set.",
}
_OF_LANGUAGE = ("task", "targets")
_OPTIONAL = ("metric", "outputs", "heldout", "label_map", "groups", "targets", _FLOAT_NODES)


@dataclass(frozen=True, slots=True)
class ProjectRow:
    """One field of a project.

    Attributes:
        state: ``ready``, ``warning`` or ``open``.
        value: In words; what its lack means where it is not set.
        whole: The whole path, for the tooltip.
        source: Where the value is from.
        issue: What is wrong with it, and how to correct it.
        counts: Whether the project is incomplete without it.
        is_own: Whether the user has set it.
        can_change: Whether it is a choice, rather than a fact of the model's file.
    """

    field: str
    title: str
    state: str
    value: str
    whole: str = ""
    source: str = ""
    issue: str = ""
    counts: bool = True
    is_own: bool = False
    can_change: bool = True


def rows_of(project: Project, is_language: bool = False) -> list[ProjectRow]:
    """Return the rows of a project; fields that its model has no use for only where they are set.

    Args:
        is_language: Its model takes texts; arrays, pictures and classes do not matter then.
    """
    names = [name for name in _TITLES if _is_shown(project, name, is_language)]
    return [_row(project, name) for name in names]


def ready(rows: list[ProjectRow]) -> tuple[int, int]:
    """Return how many rows are ready, of those that count."""
    counted = [row for row in rows if row.counts]
    return sum(row.state == READY for row in counted), len(counted)


def _is_shown(project: Project, name: str, is_language: bool) -> bool:
    if getattr(project, name) or project.issue_of(name) is not None:
        return True
    if is_language and name not in _OF_LANGUAGE:
        return False
    return name != _FLOAT_NODES and project.has_use_for(name)


def _row(project: Project, name: str) -> ProjectRow:
    value, issue = getattr(project, name), project.issue_of(name)
    source = next((one for one in project.found if one.what == name), None)
    state = WARNING if issue is not None else READY if value else OPEN
    counts = name not in _OPTIONAL
    if name == "evaluation" and not value and project.heldout:
        state, text = READY, "The held-out data is used."
    else:
        text = _words(name, value) if value else _UNSET[name]
    return ProjectRow(
        name,
        _TITLES[name],
        state,
        text,
        str(value) if value and name in PATHS else "",
        source.why or source.where if source is not None else "",
        f"{issue.text} {issue.hint}".strip() if issue is not None else "",
        counts,
        source is not None and source.where == YOU,
    )


def _words(name: str, value: str | tuple[str, ...]) -> str:
    if isinstance(value, tuple):
        return ", ".join(value)
    if name == "task":
        return TASK_TITLES.get(value, value)
    return Path(value).name if name in PATHS else value
