"""The notice for users that travels in a bundle: answers of persons, and measured limits."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from studio.documents.dataclass_json import InvalidDocument, from_json
from studio.lazy_dataclass import dataclass
from studio.projects.answers_file import answers_path, read_form
from studio.registry import Registry
from studio.runtime.shared.user_notice import GroupNotice, UserNotice

if TYPE_CHECKING:
    from studio.packages.app_slot import AppContent

ANSWERS = MappingProxyType(
    {
        "purpose": "intended.use",
        "misuse": "misuse",
        "limits": "limitations",
        "provider": "provider.identity",
        "feedback": "feedback",
        "oversight": "oversight.human",
        "appeal": "appeal",
        "personal": "data.personal",
        "retention": "logs.retention",
    }
)
"""Texts of a notice, and the questions of the form that they answer."""


@dataclass(frozen=True, slots=True)
class _MeasuredGroup:
    """The part of a group's quality that a notice states."""

    column: str
    group: str
    samples: int
    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class _Overall:
    """The quality of all samples."""

    value: float | None = None


@dataclass(frozen=True, slots=True)
class _MeasuredGroups:
    """The part of the result of ``groups`` that a notice states."""

    title: str
    overall: _Overall
    worst_group: _MeasuredGroup | None = None


def notice_of(registry: Registry, variant: int) -> UserNotice:
    """Return what persons and measurements state about a variant; names of persons are left out.

    Raises:
        StudioError: when the form of its model is damaged.
    """
    model = registry.variant(variant).model_name
    answers = read_form(answers_path(registry, model)).latest()
    texts: dict[str, Any] = {
        name: answers[question].text for name, question in ANSWERS.items() if question in answers
    }
    return UserNotice(**texts)._replace(worst=_worst(registry, variant)).bounded()


def with_app(notice: UserNotice, app: AppContent | None) -> UserNotice:
    """Return the notice with the limits in the README of an app."""
    if app is None:
        return notice
    lines, _ = app.files.limits()
    return notice._replace(known_limits=(*notice.known_limits, *lines)).bounded()


def _worst(registry: Registry, variant: int) -> GroupNotice | None:
    for run in registry.runs("groups", variant, 1):
        try:
            found = from_json(_MeasuredGroups, run.result)
        except InvalidDocument:
            return None
        one = found.worst_group
        if one is not None and found.overall.value is not None:
            overall = found.overall.value
            named = (found.title, one.column, one.group, one.samples, one.value, overall)
            return GroupNotice(*named, one.low, one.high)
    return None
