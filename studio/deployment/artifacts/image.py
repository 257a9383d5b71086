"""The work of the image step, and its record."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studio.api import (
    Channel,
    Extension,
    Packager,
    StudioError,
    TargetError,
    TargetSpec,
    Unavailable,
    UsageError,
    validate,
)
from studio.deployment.artifacts.packager import build
from studio.jobs import Arguments, Job, Result
from studio.packages import record as packages
from studio.plugin_host import PluginHost
from studio.registry import Registry
from studio.targets.connect import open_channel, root_of, target_of
from studio.targets.platforms import is_platform, parse_pairs

PACKAGER = "image"
_FILES = "image"


def image(arguments: Arguments, job: Job) -> Result:
    """Package a model behind walls of its own, then build the image of the bundle."""
    packager: Packager = PluginHost.discover().get(Extension.PACKAGER, PACKAGER)
    given: dict[str, Any] = parse_pairs(arguments.get("set") or [])
    given["tag"] = arguments["image"]
    if arguments.get("image_out") or arguments.get("load_to"):
        given["file"] = True
    options = validate(packager.options, given)
    result = build(packager, options, arguments, job, _FILES)
    if arguments.get("load_to"):
        load_image(target_of(arguments["load_to"]), _archive(result["made"]), job)
    return result


def _archive(made: Mapping[str, Any]) -> Path:
    """The image as a file; without an engine and a base that is one there is none."""
    if not made.get("path"):
        raise Unavailable(
            "The image was not made, so it cannot be loaded there.",
            hint=str(made.get("next") or ""),
        )
    return Path(made["path"])


def imaged(registry: Registry, arguments: Arguments, result: Result, folder: Path) -> Result:
    """Keep the bundle as a version, and put the image's files where the user wants them."""
    made = result.pop("made")
    asked = {n: value for n, value in arguments.items() if n not in ("set", "load_to")}
    final = packages.packaged_document(registry, asked, result, folder)
    return {**final, **_named(made), **_placed(arguments, folder / _FILES, made)}


def _named(made: Mapping[str, Any]) -> dict[str, Any]:
    """The packager's figures beside those of the bundle, which have names of their own."""
    rest = {name: value for name, value in made.items() if name not in ("image", "bytes")}
    return {"image": made["image"], "image_bytes": made["bytes"], **rest}


def _placed(arguments: Arguments, written: Path, made: Mapping[str, Any]) -> dict[str, Any]:
    """Move what was written; the paths of where it lies then."""
    unplaced = arguments.get("load_to") and not arguments.get("image_out")
    if not written.is_dir() or unplaced:
        return {"loaded_to": arguments["load_to"]["name"]} if unplaced else {}
    target = _target(arguments, str(made.get("next") or ""))
    try:
        if target.is_dir() and not any(target.iterdir()):
            target.rmdir()
        if target.exists():
            raise StudioError(f"{target} exists.", hint="Give the name of a new folder.")
        shutil.move(written, target)
    except OSError as error:
        raise StudioError(f"The image cannot be written: {error.strerror}.") from None
    paths = {name: made[name] for name in ("path", "context", "sbom") if made.get(name)}
    return {name: str(target / Path(path).name) for name, path in paths.items()}


def _target(arguments: Arguments, reason: str) -> Path:
    if arguments.get("image_out"):
        return Path(arguments["image_out"])
    if arguments.get("out"):
        out = Path(arguments["out"])
        return out.with_name(f"{out.name}-image")
    raise Unavailable(
        reason.partition(". ")[0] + ".",
        hint="With --image-out FOLDER the image is written into a file.",
    )


_LOAD_S = 900.0
_NO_ENGINE = 3
SCRIPT = f"""\
engine=$(command -v docker || command -v podman) || exit {_NO_ENGINE}
"$engine" load --input "$1"
"""


def load_image(target: TargetSpec, archive: Path, job: Job) -> None:
    """Send an image's archive to a machine, and have its Docker or Podman load it.

    Raises:
        UsageError: for a target that is no machine.
        TargetError: when there is no engine, or it does not take the image.
    """
    if is_platform(target):
        raise UsageError(f"{target.name} is no machine; push the image to a registry instead.")
    channel = open_channel(target, job)
    try:
        folder = f"{root_of(target, channel)}/incoming"
        place = f"{folder}/{uuid.uuid4().hex}.image"
        channel.run(["mkdir", "-p", folder])
        try:
            channel.put(archive, place, job)
            _load(channel, target.name, place)
        finally:
            channel.run(["rm", "-f", place])
    finally:
        channel.close()


def _load(channel: Channel, name: str, place: str) -> None:
    done = channel.run(["sh", "-c", SCRIPT, "sh", place], timeout=_LOAD_S)
    if done.status == _NO_ENGINE:
        raise TargetError(
            f"There is no container engine on {name}.", hint="Install docker or podman there."
        )
    if done.status:
        detail = done.stderr.decode("utf-8", "replace")[-2000:]
        raise TargetError(f"The engine of {name} does not take the image.", detail=detail)
