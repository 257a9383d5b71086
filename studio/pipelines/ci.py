"""Workflow files that run a pipeline in GitHub Actions or GitLab CI."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from string import Template
from types import MappingProxyType

import studio
from studio.api import StudioError, UsageError
from studio.settings import full_path, resource, write_atomically

WORKFLOWS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "github": ("github.yml.txt", ".github/workflows/edgewright.yml"),
        "gitlab": ("gitlab.yml.txt", ".gitlab-ci.yml"),
    }
)
"""The template of each CI, and the path of its file."""

_PLAIN = re.compile(r"[\w./@-]+")


class _Dollars(Template):
    """Templates with the sign ``@@``, as the shell and the CI use dollars."""

    delimiter = "@@"


def workflow(kind: str, pipeline: str) -> str:
    """Return the text of a workflow.

    Args:
        kind: One of ``WORKFLOWS``.
        pipeline: Path of the pipeline from the root of the repository.

    Raises:
        UsageError: when the path has characters that a shell would interpret.
    """
    if not _PLAIN.fullmatch(pipeline) or pipeline.startswith("-"):
        raise UsageError(
            f"The name {pipeline!r} cannot stand in a workflow file.",
            hint="Use letters, digits, dots, dashes and slashes alone.",
        )
    template = resource("templates", "ci", WORKFLOWS[kind][0]).read_text(encoding="utf-8")
    return _Dollars(template).substitute(pipeline=pipeline, version=studio.__version__)


def write_workflow(
    kind: str, pipeline: Path, out: Path | None = None, *, overwrite: bool = False
) -> Path:
    """Write the workflow to the path of its CI, below the root of the pipeline's repository.

    Raises:
        UsageError: when the pipeline does not exist, or the workflow does already.
        StudioError: when it cannot be written.
    """
    if not pipeline.is_file():
        raise UsageError(f"{pipeline} does not exist.")
    top = _repository(full_path(pipeline))
    name = full_path(pipeline).relative_to(top).as_posix()
    path = full_path(out) if out else top / WORKFLOWS[kind][1]
    if path.exists() and not overwrite:
        raise UsageError(
            f"{path} exists already; --force overwrites it.", hint="Or write elsewhere with --out."
        )
    try:
        write_atomically(path, workflow(kind, name).encode())
    except OSError as error:
        raise StudioError(f"{path} cannot be written: {error.strerror or error}.") from None
    return path


def _repository(pipeline: Path) -> Path:
    """Return the root of a file's repository; without one, its folder."""
    return next((one for one in pipeline.parents if (one / ".git").exists()), pipeline.parent)
