"""The work and the record of the step that makes a Debian package of a release."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from studio.api import StudioError, UsageError
from studio.deployment.artifacts.results import DebResult
from studio.deployment.artifacts.step import DebOptions
from studio.deployment.contained_packaging import opened
from studio.deployment.machine.wheels import WheelCache, WheelPlatform
from studio.documents.dataclass_json import to_json
from studio.jobs import Job
from studio.packages import build_runtime, debian
from studio.packages import record as packages
from studio.packages.packaging_job import package_contained
from studio.registry import Registry, below
from studio.runtime.backends.catalog import ONNX_RUNTIME
from studio.runtime.parts import SWITCHED
from studio.settings import Paths
from studio.settings.boards import Board, Image, board
from studio.settings.user import owner

_FILE = "release.deb"


def make(options: DebOptions, job: Job) -> DebResult:
    """Package a model in a sandbox (or use a given bundle), then write the Debian package."""
    kind = _kind(options)
    packaged = None
    if options.model and not options.bundle:
        packaged = package_contained(options.packaging(options.model), job)
    source = packaged or options.bundle
    if source is None:
        raise UsageError(
            "Missing model or bundle.",
            hint="Pass a model or a bundle folder: studio package MODEL --deb FILE",
        )
    bundle = opened(source, options.sign, job)
    if kind is None and bundle.backend is not ONNX_RUNTIME:
        raise UsageError(
            f"Debian has no package of {bundle.backend.title}.",
            hint="Pass --board: the package then carries the libraries of that board type.",
        )
    wheels: list[Path] = []
    place = None
    if kind is not None:
        one, image = kind
        place = debian.DebianPlatform(one.arch, _pair(image.python))
        wanted = [f"{name}{version}" for name, version in sorted(bundle.requirements.items())]
        platform = WheelPlatform(one.arch, place.python, _pair(image.glibc))
        cached = WheelCache(Paths.of().cache / "wheels").find(platform, wanted, job)
        wheels = [wheel.path for wheel in cached.wheels]
    job.progress(0, 0, "Writing the package")
    path = job.folder / _FILE
    name, _, host = owner().partition("@")
    maintainer = options.maintainer or f"{name} <{name}@{host}.localdomain>"
    runtime = build_runtime(job.folder, parts=bundle.parts | SWITCHED)
    fields = debian.build(path, bundle, runtime, wheels, place, maintainer)
    return DebResult(
        str(bundle.folder),
        bundle.digest,
        bundle.size,
        None,
        bundle.name,
        bundle.version,
        path.stat().st_size,
        fields["Package"],
        fields["Version"],
        fields["Architecture"],
        fields["Depends"],
        packaged.findings if packaged else (),
        packaged=packaged,
    )


def prepare(registry: Registry, options: DebOptions) -> DebOptions:
    """Number the bundle if a model has to be packaged."""
    if options.model and not options.bundle:
        return replace(
            options, numbering=packages.numbering(registry, options.model, options.backend)
        )
    return options


def record(registry: Registry, options: DebOptions, result: DebResult, folder: Path) -> DebResult:
    """Store the bundle as a version, and move the package to the output path."""
    version = None
    if result.packaged and options.model:
        version = packages.store_version(registry, options.model, result.packaged)
        result = replace(result, bundle=str(version.path))
    target = options.deb
    if target.is_dir():
        name = f"{result.package}_{result.deb_version}_{result.architecture}.deb"
        target = below(target, name)
    elif target.suffix != ".deb":  # apt takes no other file
        target = target.with_name(target.name + ".deb")
    try:
        shutil.move(folder / _FILE, target)
    except OSError as error:
        raise StudioError(f"The package cannot be written: {error.strerror}.") from None
    result = replace(result, deb=str(target), packaged=None)
    given = {"deb": str(target), "board": options.board}
    registry.add_run("deb", version.variant if version else None, given, to_json(result))
    return result


def _kind(options: DebOptions) -> tuple[Board, Image] | None:
    """Return the board and its image from the catalogue; None for Debian's own libraries.

    Raises:
        UsageError: when a name is unknown, or the image cannot serve a model.
    """
    if not options.board:
        return None
    try:
        one = board(options.board)
    except KeyError as error:
        raise UsageError(
            f"Unknown board type {options.board!r}.", hint=f"Valid types: {error.args[0]}."
        ) from None
    wanted = options.system or ""
    image = next((i for i in one.images if wanted.lower() in i.name.lower()), None)
    if image is None:
        names = ", ".join(i.name for i in one.images)
        raise UsageError(
            f"Unknown system {wanted!r} of {one.title}.", hint=f"Valid types: {names}."
        )
    if not image.serves:
        raise UsageError(
            f"{one.title} with {image.name} cannot serve models: "
            + ("its Python is too old." if image.onnxruntime else "onnxruntime has no wheels."),
            hint=one.notes[0] if one.notes else "",
        )
    return one, image


def _pair(version: str) -> tuple[int, int]:
    major, minor = version.split(".")[:2]
    return int(major), int(minor)
