"""The work of the image step, and its record."""

from __future__ import annotations

import shutil
import uuid
from contextlib import closing
from pathlib import Path

from studio.api import (
    Channel,
    Extension,
    Packager,
    StudioError,
    TargetError,
    TargetSpec,
    Unavailable,
    validate,
)
from studio.deployment.artifacts.packager import build
from studio.deployment.artifacts.results import PackagerWork
from studio.deployment.artifacts.step import ImageOptions
from studio.documents.dataclass_json import JsonValue, read_parts, to_json
from studio.jobs import Job, Result
from studio.lazy_dataclass import dataclass
from studio.packages import record as packages
from studio.plugin_host import PluginHost
from studio.registry import Registry
from studio.targets.connect import open_channel, root_of
from studio.targets.platforms import parse_pairs
from studio.targets.target import open_target

PACKAGER = "image"
_FILES = "image"


@dataclass(frozen=True, slots=True)
class _ImageFacts:
    """The packager's result for an image.

    Attributes:
        next: Remaining steps for the user.
        path, context, sbom: Files that it wrote.
    """

    image: str | None = None
    bytes: int | None = None
    next: str | None = ""
    path: str | None = ""
    context: str | None = ""
    sbom: str | None = ""


def image(options: ImageOptions, job: Job) -> PackagerWork:
    """Package a model in a sandbox, then build the image of the bundle."""
    packager: Packager = PluginHost.discover().get(Extension.PACKAGER, PACKAGER)
    given: dict[str, JsonValue] = {**parse_pairs(options.set or ()), "tag": options.image}
    if options.image_out or options.load_to:
        given["file"] = True
    work = build(packager, validate(packager.options, given), options, job, _FILES)
    if options.load_to:
        load_image(options.load_to, _archive(read_parts(_ImageFacts, work.made)), job)
    return work


def _archive(made: _ImageFacts) -> Path:
    """Return the path of the image archive; raise an error if the packager wrote none."""
    if not made.path:
        raise Unavailable(
            "The image was not built, so it cannot be loaded on the target.", hint=made.next or ""
        )
    return Path(made.path)


def imaged(registry: Registry, options: ImageOptions, work: PackagerWork, folder: Path) -> Result:
    """Store the bundle as a version, and move the image's files to the output path."""
    final = packages.packaged(registry, options, work.packaged, folder, ("set", "load_to"))
    made = read_parts(_ImageFacts, work.made)
    # ``bytes`` of the result is the size of the bundle, so the image's size gets its own key.
    rest = {name: value for name, value in work.made.items() if name not in ("image", "bytes")}
    named = {"image": made.image, "image_bytes": made.bytes, **rest}
    return {**to_json(final), **named, **_placed(options, folder / _FILES, made)}


def _placed(options: ImageOptions, written: Path, made: _ImageFacts) -> dict[str, JsonValue]:
    """Move the written files, and return their new paths."""
    if options.load_to and not options.image_out:
        return {"loaded_to": options.load_to.name}
    if not written.is_dir():
        return {}
    target = _target(options, made.next or "")
    try:
        if target.is_dir() and not any(target.iterdir()):
            target.rmdir()
        if target.exists():
            raise StudioError(f"{target} exists.", hint="Choose a new folder.")
        shutil.move(written, target)
    except OSError as error:
        raise StudioError(f"The image cannot be written: {error.strerror}.") from None
    paths = {"path": made.path, "context": made.context, "sbom": made.sbom}
    return {name: str(target / Path(path).name) for name, path in paths.items() if path}


def _target(options: ImageOptions, reason: str) -> Path:
    if options.image_out:
        return options.image_out
    if options.out:
        return options.out.with_name(f"{options.out.name}-image")
    raise Unavailable(
        reason.partition(". ")[0] + ".",
        hint="Pass --image-out FOLDER to write the image to a file.",
    )


_LOAD_S = 900.0
_NO_ENGINE = 3
SCRIPT = f"""\
engine=$(command -v docker || command -v podman) || exit {_NO_ENGINE}
"$engine" load --input "$1"
"""


def load_image(target: TargetSpec, archive: Path, job: Job) -> None:
    """Send an image archive to a machine, and load it into Docker or Podman there.

    Raises:
        UsageError: for a target that is no machine.
        TargetError: when the machine has no engine, or the engine rejects the image.
    """
    open_target(target).require_machine(
        "is a platform target. Push the image to a registry instead."
    )
    with closing(open_channel(target, job)) as channel:
        folder = f"{root_of(target, channel)}/incoming"
        place = f"{folder}/{uuid.uuid4().hex}.image"
        channel.run(["mkdir", "-p", folder])
        try:
            channel.put(archive, place, job)
            _load(channel, target.name, place)
        finally:
            channel.run(["rm", "-f", place])


def _load(channel: Channel, name: str, place: str) -> None:
    done = channel.run(["sh", "-c", SCRIPT, "sh", place], timeout=_LOAD_S)
    if done.status == _NO_ENGINE:
        raise TargetError(
            f"{name} has no container engine.", hint="Install Docker or Podman on the target."
        )
    if done.status:
        detail = done.stderr.decode("utf-8", "replace")[-2000:]
        raise TargetError(f"The container engine of {name} refused the image.", detail=detail)
