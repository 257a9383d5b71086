"""Workflow files that run a recipe in the CI of others: GitHub Actions and GitLab CI."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from string import Template
from types import MappingProxyType

import studio
from studio.api import StudioError, UsageError
from studio.settings import resource, write_atomically

WORKFLOWS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "github": ("github.yml.txt", ".github/workflows/edgewright.yml"),
        "gitlab": ("gitlab.yml.txt", ".gitlab-ci.yml"),
    }
)
"""For each CI its template, and where it looks for the file."""

_PLAIN = re.compile(r"[\w./@-]+")


class _Dollars(Template):
    """Templates whose own sign is ``@@``, as the shell and the CI use dollars."""

    delimiter = "@@"


def workflow(kind: str, recipe: str) -> str:
    """The text of a workflow.

    Args:
        kind: One of ``WORKFLOWS``.
        recipe: The recipe as seen from the top of the repository.

    Raises:
        UsageError: when the recipe's name has signs that a shell would take for more.
    """
    if not _PLAIN.fullmatch(recipe) or recipe.startswith("-"):
        raise UsageError(
            f"The name {recipe!r} cannot stand in a workflow file.",
            hint="Use letters, digits, dots, dashes and slashes alone.",
        )
    template = resource("templates", "ci", WORKFLOWS[kind][0]).read_text(encoding="utf-8")
    return _Dollars(template).substitute(recipe=recipe, version=studio.__version__)


def write_workflow(
    kind: str, recipe: Path, out: Path | None = None, *, overwrite: bool = False
) -> Path:
    """Write the workflow where its CI looks for it, below the top of the recipe's repository.

    Raises:
        UsageError: when there is no such recipe, or a file is there already.
        StudioError: when it cannot be written.
    """
    if not recipe.is_file():
        raise UsageError(f"{recipe} does not exist.")
    top = _repository(recipe.absolute())
    name = recipe.absolute().relative_to(top).as_posix()
    path = out.absolute() if out else top / WORKFLOWS[kind][1]
    if path.exists() and not overwrite:
        raise UsageError(
            f"{path} exists already; --force overwrites it.", hint="Or write elsewhere with --out."
        )
    try:
        write_atomically(path, workflow(kind, name).encode())
    except OSError as error:
        raise StudioError(f"{path} cannot be written: {error.strerror or error}.") from None
    return path


def _repository(recipe: Path) -> Path:
    """The top of the repository that a file lies in; else its own folder."""
    return next((one for one in recipe.parents if (one / ".git").exists()), recipe.parent)
