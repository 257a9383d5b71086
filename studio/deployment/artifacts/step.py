"""Steps that package a deployment as a file: a Debian package, a container image."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from studio.api import Kind, Permission, TargetSpec
from studio.deployment.artifacts.results import DebResult, PackagerWork
from studio.jobs import Limits, Result, Step, Use
from studio.jobs.options_form import form, like, option
from studio.lazy_dataclass import dataclass
from studio.packages.step import BUNDLE, MODEL, OUT, SIGN_WITH, GoldenOptions, PackageOptions
from studio.registry import ModelRef

_NEEDS = frozenset({Permission.NETWORK, Permission.HOME, Permission.SECRETS, Permission.PROCESSES})


@dataclass(frozen=True, kw_only=True)
class DebOptions(GoldenOptions):
    """Options of the step ``deb``: those of packaging, and those of a Debian package."""

    model: ModelRef | None = like(MODEL)
    out: Path | None = like(OUT)
    sign: Path | None = like(SIGN_WITH)
    bundle: Path | None = like(BUNDLE)
    deb: Path = option(
        kind=Kind.OUTPUT,
        title="Debian package",
        help="Debian package to write: a file (.deb is added) or a folder.",
    )
    board: str | None = option(
        None,
        help="Board type whose libraries the package includes (see studio target boards). "
        "Default: the package depends on Debian's python3-onnxruntime.",
    )
    system: str | None = option(
        None,
        help="Operating system of the board, by part of its name (default: the board's "
        "default system).",
        advanced=True,
    )
    maintainer: str | None = option(
        None, help="Maintainer of the package as NAME <ADDRESS>.", advanced=True
    )


DEB: Step[DebOptions, DebResult] = Step(
    name="deb",
    title="Make a Debian package of",
    summary="Build a Debian package of a release: bundle, server and systemd unit.",
    options=DebOptions,
    result=DebResult,
    work="studio.deployment.artifacts.debian:make",
    texts="studio.deployment.artifacts.texts:deb",
    prepare="studio.deployment.artifacts.debian:prepare",
    record="studio.deployment.artifacts.debian:record",
    needs=_NEEDS,
    limits=Limits(seconds=3600),
    use=Use.SERVE,
)

OWN = tuple(
    replace(one, required=False)
    for one in form(DebOptions)
    if one.name in ("deb", "board", "system", "maintainer")
)
"""Options that only this kind of packaging has."""


@dataclass(frozen=True, kw_only=True)
class ImageOptions(PackageOptions):
    """Options of the step ``image``: those of packaging, and those of a container image."""

    preprocess_draft: Path | None = None
    outputs_draft: Path | None = None
    image: str = option(title="Name", help="Name and tag of the image, such as digits:1.")
    image_out: Path | None = option(
        None,
        kind=Kind.OUTPUT,
        title="Folder for files",
        help="Folder for the image as a file, with its build context.",
    )
    load_to: TargetSpec | None = option(
        None,
        kind=Kind.TARGET,
        title="Load to",
        help="Machine target whose Docker or Podman loads the image.",
    )
    set: tuple[str, ...] | None = option(
        None,
        title="Options of the image",
        help="Image option as NAME=VALUE: base, variant, arch, size_budget_mb, push ...",
        advanced=True,
    )


IMAGE: Step[ImageOptions, Result] = Step(
    name="image",
    title="Build an image of",
    summary="Build a container image of a model: bundle, runtime and libraries.",
    options=ImageOptions,
    work_result=PackagerWork,
    work="studio.deployment.artifacts.image:image",
    texts="studio.deployment.artifacts.texts:image",
    prepare="studio.packages.record:prepare",
    record="studio.deployment.artifacts.image:imaged",
    needs=_NEEDS,
    limits=Limits(seconds=3600),
    use=Use.SERVE,
)
