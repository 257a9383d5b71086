"""Workflow files that run a pipeline in GitHub Actions or GitLab CI."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
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

REQUIREMENTS = "edgewright-requirements.txt"
"""The file of what CI installs: in the root of the repository, or next to the file of --out."""

_WHEEL = re.compile(r"edgewright_headless-([^-]+)-py3-none-any\.whl")
_PLAIN = re.compile(r"[\w./@-]+")


class _Dollars(Template):
    """Templates with the sign ``@@``, as the shell and the CI use dollars."""

    delimiter = "@@"


def workflow(kind: str, pipeline: str, packages: str = REQUIREMENTS) -> str:
    """Return the text of a workflow.

    Args:
        kind: One of ``WORKFLOWS``.
        pipeline: Path of the pipeline from the root of the repository.
        packages: The same of the file of requirements.

    Raises:
        UsageError: when the path has characters that a shell would interpret.
    """
    path = PurePosixPath(_plain(pipeline))
    template = resource("templates", "ci", WORKFLOWS[kind][0]).read_text(encoding="utf-8")
    base = path.with_name(f"{path.stem}.base.toml")  # in its folder, as its paths are relative
    return _Dollars(template).substitute(pipeline=path, base=base, requirements=_plain(packages))


def requirements(wheel: Path | None, top: Path) -> str:
    """Return what CI installs, each package with its hashes: the studio without its window.

    Args:
        wheel: The wheel of the studio. CI installs it from the repository ``top`` if it is there,
            else by name and version from its package index.

    Raises:
        UsageError: when it is not a headless wheel.
    """
    match = _WHEEL.fullmatch(wheel.name) if wheel else None
    if wheel is None or match is None or not wheel.is_file():
        raise UsageError(
            f"{wheel} is not a wheel of edgewright-headless."
            if wheel
            else "Missing wheel: CI installs edgewright-headless by the hash of its wheel.",
            hint="Commit the wheel and pass it: "
            f"--wheel edgewright_headless-{studio.__version__}-py3-none-any.whl",
        )
    path = full_path(wheel)
    name = f"edgewright-headless=={match[1]}"
    if path.is_relative_to(top):
        name = f"./{_plain(path.relative_to(top).as_posix())}"
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    packages = resource("templates", "ci", "requirements.txt").read_text(encoding="utf-8")
    return f"{name} --hash=sha256:{digest}\n{packages}"


def write_workflow(
    kind: str,
    pipeline: Path,
    wheel: Path | None,
    out: Path | None = None,
    *,
    overwrite: bool = False,
) -> tuple[Path, Path]:
    """Write the workflow to the path of its CI, and its requirements; returns both paths.

    Raises:
        UsageError: when the pipeline or the wheel does not exist, or a file does already.
        StudioError: when one cannot be written.
    """
    if not pipeline.is_file():
        raise UsageError(f"{pipeline} does not exist.")
    top = _repository(full_path(pipeline))
    name = full_path(pipeline).relative_to(top).as_posix()
    path = full_path(out) if out else top / WORKFLOWS[kind][1]
    packages = (path.parent if out else top) / REQUIREMENTS
    inside = packages.relative_to(top) if packages.is_relative_to(top) else Path(REQUIREMENTS)
    texts = {
        path: workflow(kind, name, inside.as_posix()),
        packages: requirements(wheel, top),
    }
    for file in texts:
        if file.exists() and not overwrite:
            raise UsageError(
                f"{file} exists already; --force overwrites it.",
                hint="Or write elsewhere with --out." if file == path else "",
            )
    for file, text in texts.items():
        try:
            write_atomically(file, text.encode())
        except OSError as error:
            raise StudioError(f"{file} cannot be written: {error.strerror or error}.") from None
    return path, packages


def _plain(name: str) -> str:
    """Return a name that a shell does not interpret.

    Raises:
        UsageError: when it would.
    """
    if not _PLAIN.fullmatch(name) or name.startswith("-"):
        raise UsageError(
            f"The name {name!r} cannot stand in a workflow file.",
            hint="Use letters, digits, dots, dashes and slashes alone.",
        )
    return name


def _repository(pipeline: Path) -> Path:
    """Return the root of a file's repository; without one, its folder."""
    return next((one for one in pipeline.parents if (one / ".git").exists()), pipeline.parent)
