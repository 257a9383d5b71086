"""The work and the record of the step that lets any plugin's packager build from a bundle."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path

from studio.api import Extension, Kind, Packager, StudioError, UsageError, validate
from studio.deployment.artifacts.packager_step import PackageAsOptions
from studio.deployment.artifacts.results import PackagerWork
from studio.deployment.contained_packaging import opened
from studio.deployment.platform_verbs import parcel_of
from studio.documents.dataclass_json import JsonValue, to_json
from studio.jobs import Job, Result
from studio.packages import record as packages
from studio.packages.packaging_job import package_contained
from studio.packages.step import PackageOptions
from studio.plugin_host import PluginHost
from studio.registry import Registry
from studio.runtime.parts import SERVING
from studio.settings.user import owner
from studio.targets.platforms import parse_pairs

FILES = "files"
_OWN = ("as", "as_out", "set")


def prepare(registry: Registry, options: PackageAsOptions) -> PackageAsOptions:
    """Add what packaging must know of the registry, and the folder of the user."""
    numbering = packages.numbering(registry, options.model, options.backend)
    return replace(options, numbering=numbering, folder=Path.cwd())


def package_as(options: PackageAsOptions, job: Job) -> PackagerWork:
    """Package a model in a sandbox of its own, then let the chosen packager build from it."""
    packager: Packager = PluginHost.discover().get(Extension.PACKAGER, options.packager)
    given = parse_pairs(options.set or ())
    _require_needed(packager, given)
    values = validate(packager.options, _placed_files(packager, given, options.folder))
    return build(packager, values, options, job, FILES)


def _require_needed(packager: Packager, given: Mapping[str, object]) -> None:
    """Name what is missing as it is passed here: a packager's options have no flags of their own.

    Raises:
        UsageError: for a needed option that was not set.
    """
    for option in packager.options:
        if option.required and option.default is None and option.name not in given:
            raise UsageError(
                f"Missing option {option.label}.", hint=f"Pass --set {option.name}=VALUE."
            )


def _placed_files(packager: Packager, given: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Return the options with absolute files: the work has another folder than the user."""
    files = {one.name for one in packager.options if one.kind in (Kind.FILE, Kind.OUTPUT)}
    return {
        name: str(folder / Path(value).expanduser()) if value and name in files else value
        for name, value in given.items()
    }


def build(
    packager: Packager,
    values: Mapping[str, JsonValue],
    options: PackageOptions,
    job: Job,
    folder: str,
) -> PackagerWork:
    """Return the result of packaging, with what a packager made of it.

    Args:
        values: Options of the packager.
        folder: Where below the job's folder the packager writes.
    """
    packaged = package_contained(packaging(options), job)
    bundle = opened(packaged, options.sign, job)
    made = packager.build(
        parcel_of(bundle, job, owner(), *SERVING, "pull"), job.folder / folder, values, job
    )
    return PackagerWork(packaged, dict(made))


def packaging(options: PackageOptions) -> PackageOptions:
    """Return the options of packaging alone."""
    names = (one.name for one in fields(PackageOptions))
    return PackageOptions(**{name: getattr(options, name) for name in names})


def packaged_as(
    registry: Registry, options: PackageAsOptions, work: PackagerWork, folder: Path
) -> Result:
    """Keep the bundle as a version, and put the packager's files where the user wants them."""
    final = packages.packaged(registry, options, work.packaged, folder, _OWN)
    made, written = work.made, folder / FILES
    if written.is_dir():
        target = _target(options)
        _move(written, target)
        made = _placed(made, written, target)
    return {**to_json(final), "as": options.packager, "made": made}


def _target(options: PackageAsOptions) -> Path:
    if options.as_out:
        return options.as_out
    if options.out:
        return options.out.with_name(f"{options.out.name}-{options.packager}")
    raise UsageError("Missing folder for the packager's files.", hint="Pass --as-out FOLDER.")


def _move(written: Path, target: Path) -> None:
    try:
        # An empty folder may be replaced, so that users can create the folder themselves.
        if target.is_dir() and not any(target.iterdir()):
            target.rmdir()
        if target.exists():
            raise StudioError(f"{target} exists.", hint="Choose a new folder.")
        shutil.move(written, target)
    except OSError as error:
        raise StudioError(f"The files cannot be written: {error.strerror}.") from None


def _placed(made: Mapping[str, JsonValue], written: Path, target: Path) -> dict[str, JsonValue]:
    """Return the packager's answer with the paths of where its files are now."""

    def place(value: JsonValue) -> JsonValue:
        if isinstance(value, str) and Path(value).is_relative_to(written):
            return str(target / Path(value).relative_to(written))
        return value

    return {name: place(value) for name, value in made.items()}
