"""Backends of language models on the Profile page, which are other plugins than the runtimes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.api import Extension, UsageError
from studio.profiling.language.environments import own_backend
from studio.registry import ModelRef
from studio.steps.format_support import is_language

if TYPE_CHECKING:
    from studio.workspace import VariantRecord, Workspace


def backend_point(variant: VariantRecord | None) -> Extension:
    """Return the extension point of the backends that run a variant."""
    is_text = variant is not None and is_language(variant)
    return Extension.TEXT_BACKEND if is_text else Extension.BACKEND


def own_backend_of(variant: VariantRecord | None) -> str:
    """Return the backend of a language model; empty for any other model, or without one."""
    if variant is None or backend_point(variant) is Extension.BACKEND:
        return ""
    try:
        return own_backend(ModelRef.of(variant))
    except UsageError:
        return ""


def backend_choices(workspace: Workspace, variant: VariantRecord | None) -> list[tuple[str, str]]:
    """Return id and title of each backend that may run a variant."""
    plugins = workspace.plugins
    return [(one.id, plugins.title(one)) for one in plugins.all(backend_point(variant))]


def backend_titles(workspace: Workspace) -> dict[str, str]:
    """Return the titles of all backends by their ids."""
    points = (Extension.BACKEND, Extension.TEXT_BACKEND)
    return {one.id: one.title for point in points for one in workspace.plugins.all(point)}
