"""The work and the record of the step that lets any plugin's packager build from a bundle."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studio.api import Extension, Packager, StudioError, UsageError, validate
from studio.deployment.contained_packaging import opened
from studio.deployment.platform_verbs import parcel_of
from studio.deployment.step_log import owner
from studio.jobs import Arguments, Job, Result
from studio.packages import record as packages
from studio.packages.packaging_job import packaged_from
from studio.plugin_host import PluginHost
from studio.registry import Registry
from studio.targets.platforms import parse_pairs

FILES = "files"
_OWN = ("as", "as_out", "set")


def package_as(arguments: Arguments, job: Job) -> Result:
    """Package a model in a sandbox of its own, then let the chosen packager build from it."""
    packager: Packager = PluginHost.discover().get(Extension.PACKAGER, str(arguments["as"]))
    options = validate(packager.options, parse_pairs(arguments.get("set") or []))
    return build(packager, options, arguments, job, FILES)


def build(
    packager: Packager, options: Mapping[str, Any], arguments: Arguments, job: Job, folder: str
) -> Result:
    """Return the result of packaging, with what a packager made of it as ``made``.

    Args:
        folder: Where below the job's folder the packager writes.
    """
    packaged = packaged_from(arguments, job)
    bundle = opened(packaged, arguments.get("sign"), job)
    made = packager.build(parcel_of(bundle, job, owner()), job.folder / folder, options, job)
    return {**packaged, "made": dict(made)}


def packaged_as(registry: Registry, arguments: Arguments, result: Result, folder: Path) -> Result:
    """Keep the bundle as a version, and put the packager's files where the user wants them."""
    made = result.pop("made")
    asked = {name: value for name, value in arguments.items() if name not in _OWN}
    final = packages.packaged_document(registry, asked, result, folder)
    written = folder / FILES
    if written.is_dir():
        target = _target(arguments)
        _move(written, target)
        made = _placed(made, written, target)
    return {**final, "as": arguments["as"], "made": made}


def _target(arguments: Arguments) -> Path:
    if arguments.get("as_out"):
        return Path(arguments["as_out"])
    if arguments.get("out"):
        out = Path(arguments["out"])
        return out.with_name(f"{out.name}-{arguments['as']}")
    raise UsageError("The packager wrote files.", hint="Give --as-out FOLDER.")


def _move(written: Path, target: Path) -> None:
    try:
        if target.is_dir() and not any(target.iterdir()):
            target.rmdir()
        if target.exists():
            raise StudioError(f"{target} exists.", hint="Give the name of a new folder.")
        shutil.move(written, target)
    except OSError as error:
        raise StudioError(f"The files cannot be written: {error.strerror}.") from None


def _placed(made: Mapping[str, Any], written: Path, target: Path) -> dict[str, Any]:
    """Return the packager's answer with the paths of where its files are now."""

    def place(value: Any) -> Any:
        if isinstance(value, str) and Path(value).is_relative_to(written):
            return str(target / Path(value).relative_to(written))
        return value

    return {name: place(value) for name, value in made.items()}
