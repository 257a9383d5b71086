"""Backends of language models on the Profile page, which are other plugins than the runtimes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.api import Extension

if TYPE_CHECKING:
    from studio.workspace import VariantRecord, Workspace


def backend_choices(workspace: Workspace, variant: VariantRecord | None) -> list[tuple[str, str]]:
    """Return id and title of each backend that may run a variant."""
    is_text = bool(workspace.profiles.text_backend(variant))
    point = Extension.TEXT_BACKEND if is_text else Extension.BACKEND
    return [(one.id, workspace.plugins.title(one)) for one in workspace.plugins.all(point)]


def backend_titles(workspace: Workspace) -> dict[str, str]:
    """Return the titles of all backends by their ids."""
    points = (Extension.BACKEND, Extension.TEXT_BACKEND)
    return {one.id: one.title for point in points for one in workspace.plugins.all(point)}
