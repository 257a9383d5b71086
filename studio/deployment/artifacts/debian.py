"""The work and the record of the step that makes a Debian package of a release."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from studio.api import StudioError, UsageError
from studio.deployment.contained_packaging import opened
from studio.deployment.step_log import owner
from studio.deployment.wheels import Platform, WheelCache
from studio.jobs import Arguments, Job, Result
from studio.packages import build_runtime, debian
from studio.packages import record as packages
from studio.packages.packaging_job import packaged_from
from studio.registry import Registry, below
from studio.settings import Paths
from studio.settings.boards import Board, Image, board

_FILE = "release.deb"


def make(arguments: Arguments, job: Job) -> Result:
    """Package a model behind walls of its own (or take a bundle), then write the Debian package."""
    if not arguments.get("model") and not arguments.get("bundle"):
        raise UsageError(
            "Nothing was named to package.",
            hint="Pass a model or a bundle folder.",
        )
    kind = _kind(arguments)
    packaged = None if arguments.get("bundle") else packaged_from(arguments, job)
    found = packaged or {"bundle": arguments["bundle"], "new": False}
    bundle = opened(found, arguments.get("sign"), job)
    wheels: list[Path] = []
    place = None
    if kind is not None:
        one, image = kind
        place = debian.DebianPlatform(one.arch, _pair(image.python))
        wanted = [f"{name}{version}" for name, version in sorted(bundle.requirements.items())]
        platform = Platform(one.arch, place.python, _pair(image.glibc))
        cached = WheelCache(Paths.of().cache / "wheels").find(platform, wanted, job)
        wheels = [wheel.path for wheel in cached.wheels]
    job.progress(0, 0, "Writing the package")
    path = job.folder / _FILE
    name, _, host = owner().partition("@")
    maintainer = str(arguments.get("maintainer") or f"{name} <{name}@{host}.localdomain>")
    runtime = build_runtime(job.folder)
    fields = debian.build(path, bundle, runtime, wheels, place, maintainer)
    return {
        "bundle": str(bundle.folder),
        "digest": bundle.digest,
        "bytes": bundle.size,
        "image": None,
        "name": bundle.name,
        "version": bundle.version,
        "deb_bytes": path.stat().st_size,
        "package": fields["Package"],
        "deb_version": fields["Version"],
        "architecture": fields["Architecture"],
        "depends": fields["Depends"],
        "findings": packaged["findings"] if packaged else [],
        "packaged": packaged,
    }


def prepare(registry: Registry, arguments: Arguments) -> dict[str, Any]:
    """Number the bundle that a model needs."""
    if arguments.get("model") and not arguments.get("bundle"):
        return packages.with_numbering(registry, arguments)
    return dict(arguments)


def made(registry: Registry, arguments: Arguments, result: Result, folder: Path) -> Result:
    """Keep the bundle as a version, and put the package where the user wants it."""
    packaged = result.pop("packaged")
    version = packages.keep_document(registry, arguments, packaged) if packaged else None
    if version is not None:
        result["bundle"] = str(version.path)
    target = Path(arguments["deb"])
    if target.is_dir():
        name = f"{result['package']}_{result['deb_version']}_{result['architecture']}.deb"
        target = below(target, name)
    elif target.suffix != ".deb":  # apt takes no other file
        target = target.with_name(target.name + ".deb")
    try:
        shutil.move(folder / _FILE, target)
    except OSError as error:
        raise StudioError(f"The package cannot be written: {error.strerror}.") from None
    result["deb"] = str(target)
    options = {"deb": str(target), "board": arguments.get("board")}
    registry.add_run("deb", version.variant if version else None, options, result)
    return result


def _kind(arguments: Arguments) -> tuple[Board, Image] | None:
    """The board and its system, out of the catalogue; None for Debian's own libraries.

    Raises:
        UsageError: when there is none of these names, or nothing can be served on it.
    """
    if not arguments.get("board"):
        return None
    try:
        one = board(str(arguments["board"]))
    except KeyError as error:
        raise UsageError(
            f"There is no kind of board {arguments['board']!r}.", hint=f"Known: {error.args[0]}."
        ) from None
    wanted = str(arguments.get("system") or "")
    image = next((i for i in one.images if wanted.lower() in i.name.lower()), None)
    if image is None:
        names = ", ".join(i.name for i in one.images)
        raise UsageError(f"{one.title} has no system {wanted!r}.", hint=f"Known: {names}.")
    if not image.serves:
        raise UsageError(
            f"Nothing can be served on {one.title} with {image.name}: "
            + ("its Python is too old." if image.onnxruntime else "onnxruntime has no wheels."),
            hint=one.notes[0] if one.notes else "",
        )
    return one, image


def _pair(version: str) -> tuple[int, int]:
    major, minor = version.split(".")[:2]
    return int(major), int(minor)
