"""Files of npm packages in an environment: what runs in a browser comes from there.

npm's client fetches the archive from where the user has configured it, or it is in the folder of
wheels. Its hash decides, and of its content only the files that the manifest names are unpacked.
No script of a package runs, and nothing that it depends on is fetched.
"""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import tarfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from studio.api import StudioError, Unavailable
from studio.api.toolchains import NpmPackage

PLACE = Path("share") / "npm"
"""Folder of the packages in an environment."""

_KEYS = frozenset({"name", "version", "integrity", "files"})
_NAME = re.compile(r"(@[a-z0-9][a-z0-9._-]*/)?[a-z0-9][a-z0-9._-]*")
_VERSION = re.compile(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?")
_INTEGRITY = re.compile(r"sha512-[A-Za-z0-9+/]{86}==")
_FILE = re.compile(r"\w[\w.-]*(/\w[\w.-]*)*")
_ROOT = "package"
_QUIET = ("--ignore-scripts", "--no-update-notifier", "--loglevel=error")
# A registry may name a repository in place of an archive; npm before 11.10 knows --git alone.
_NO_GIT = ("--allow-git=none", "--git=/nonexistent")
_UNREACHABLE = re.compile(r"ENOTFOUND|ECONNREFUSED|EAI_AGAIN|ETIMEDOUT|ENETUNREACH|ECONNRESET")

Follow = Callable[[Sequence[str]], str | None]
"""Runs a command to its end; its output if it failed, else None."""


def read_packages(table: object) -> tuple[NpmPackage, ...]:
    """Read and check the tables ``[[environment.npm]]`` of a manifest.

    Raises:
        ValueError: naming what is wrong.
    """
    if not isinstance(table, list) or not all(isinstance(one, dict) for one in table):
        raise ValueError("npm of the environment must be a list of tables")
    return tuple(map(_package, table))


def _package(table: Mapping[str, Any]) -> NpmPackage:
    if set(table) != _KEYS:
        raise ValueError(f"a package of npm has the keys {', '.join(sorted(_KEYS))}")
    name, version, integrity = (str(table[key]) for key in ("name", "version", "integrity"))
    files = table["files"]
    if not _NAME.fullmatch(name) or not _VERSION.fullmatch(version):
        raise ValueError(f"{name!r} {version!r} is no package of npm with one version")
    if not _INTEGRITY.fullmatch(integrity):
        raise ValueError(f"the integrity of {name} is no SHA-512")
    if not isinstance(files, list) or not all(_FILE.fullmatch(str(one)) for one in files):
        raise ValueError(f"the files of {name} must be a list of paths in it")
    return NpmPackage(name, version, integrity, tuple(map(str, files)))


def require_npm(packages: Sequence[NpmPackage], offline: Path | None) -> None:
    """Refuse an installation that would fail after its downloads.

    Raises:
        Unavailable: when npm is needed and is not installed.
        StudioError: when the folder lacks an archive.
    """
    for package in packages:
        if offline is not None and not (offline / archive_name(package)).is_file():
            raise StudioError(f"The folder {offline} has no {archive_name(package)}.")
        if offline is None and shutil.which("npm") is None:
            raise Unavailable(
                f"npm is not installed, and {package.name} comes from there.",
                hint="Install the package npm (Debian: apt install npm), or put "
                f"{archive_name(package)} in the folder of --wheels.",
            )


def archive_name(package: NpmPackage) -> str:
    """Return the file name that npm gives the archive of a package."""
    plain = package.name.removeprefix("@").replace("/", "-")
    return f"{plain}-{package.version}.tgz"


def install_package(
    package: NpmPackage, environment: Path, offline: Path | None, follow: Follow
) -> None:
    """Put the named files of a package into an environment.

    Raises:
        StudioError: when it cannot be fetched, has another hash, or lacks a file.
    """
    archive = environment / archive_name(package)
    if offline is not None:
        shutil.copyfile(offline / archive.name, archive)
    else:
        words = ["npm", "pack", f"{package.name}@{package.version}", *_QUIET, *_NO_GIT]
        output = follow([*words, "--pack-destination", str(environment)])
        if output is not None or not archive.is_file():
            raise _refusal(package, output or "npm wrote no archive")
    if not _is_genuine(archive, package):
        raise StudioError(f"The hash of {package.name} differs from the one in the manifest.")
    _unpack(archive, package, environment / PLACE / package.name)
    archive.unlink()


def _is_genuine(archive: Path, package: NpmPackage) -> bool:
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, "sha512").digest()
    return package.integrity == "sha512-" + base64.b64encode(digest).decode()


def _unpack(archive: Path, package: NpmPackage, folder: Path) -> None:
    missing = set(package.files)
    with tarfile.open(archive) as content:
        for member in content:
            name = member.name.removeprefix(f"{_ROOT}/")
            stream = content.extractfile(member) if name in missing and member.isreg() else None
            if stream is None:
                continue
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                shutil.copyfileobj(stream, file)
            missing.discard(name)
    if missing:
        raise StudioError(f"The package {package.name} has no file {min(missing)}.")


def _refusal(package: NpmPackage, output: str) -> StudioError:
    reason = output.strip().splitlines()[-1][-200:].rstrip(".")
    if _UNREACHABLE.search(output):
        reason = "the registry that npm is configured with cannot be reached"
    return StudioError(
        f"{package.name} {package.version} could not be downloaded: {reason}.",
        hint=f"Check the network or the proxy, or put {archive_name(package)} in the folder of "
        "--wheels.",
        detail=output[-4000:],
    )
