"""Files that travel to and from a server's store of artefacts, through the server itself."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from studio.api import Progress, TargetError, Unavailable
from studio_mlflow.rest import MlflowError, Rest

MANIFEST = "manifest.json"
_MODEL = "model.onnx"
_SPARE = 64 * 2**20
"""Disk space left free for other programs."""

_DEEPEST = 8
_MOST = 20_000
_LARGEST_MANIFEST = 16 * 2**20


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file of a version; ``name`` is below the version's folder."""

    name: str
    place: str
    size: int


def place_of(uri: str) -> str:
    """Return the path at the server's proxy that an artefact URI means.

    Raises:
        Unavailable: when the server does not hand out its artefacts itself.
    """
    parts = urlsplit(uri)
    if parts.scheme != "mlflow-artifacts":
        raise Unavailable(
            f"The artefacts lie at {parts.scheme or 'a folder'}: the server does not pass them on.",
            hint="Start it with --artifacts-destination and --serve-artifacts, MLflow's default.",
            detail=uri,
        )
    return parts.path.strip("/")


def listed(rest: Rest, place: str) -> list[RemoteFile]:
    """Return all files below a folder of artefacts.

    Raises:
        TargetError: when a name would lead out of the folder, or there is no end of them.
    """
    return list(_walk(rest, place, "", 0, [0]))


def _walk(
    rest: Rest, place: str, folder: str, depth: int, count: list[int]
) -> Iterator[RemoteFile]:
    for entry in rest.listing(f"{place}/{folder}".rstrip("/")):
        # Servers answer with the whole path or with the last part of it.
        last = PurePosixPath(str(entry.get("path") or "")).name
        name = f"{folder}/{last}".lstrip("/")
        count[0] += 1
        if not _harmless(name) or depth > _DEEPEST or count[0] > _MOST:
            raise TargetError(f"The server lists a file that cannot be fetched: {name[:200]!r}.")
        if entry.get("is_dir"):
            yield from _walk(rest, place, name, depth + 1, count)
        else:
            yield RemoteFile(name, f"{place}/{name}", int(entry.get("file_size") or 0))


def _harmless(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return bool(parts) and ".." not in parts and not name.startswith("/") and name.isprintable()


def files_to_fetch(rest: Rest, files: list[RemoteFile]) -> tuple[list[RemoteFile], str]:
    """Return the files to fetch of a version: a bundle's, or a model with its tensors.

    Returns:
        The files, and the name of the model's own; empty for a bundle.

    Raises:
        TargetError: when there is no ONNX model in it, or a file of the bundle is missing.
    """
    by_name = {file.name: file for file in files}
    if MANIFEST in by_name and (names := _names(rest, by_name[MANIFEST])):
        lost = sorted(names - set(by_name))
        if lost:
            raise TargetError(f"The version's file {lost[0]} is gone from the server's store.")
        return [by_name[name] for name in (MANIFEST, *sorted(names))], ""
    models = [name for name in by_name if name.endswith(".onnx")]
    if not models:
        raise TargetError(
            "The version has no ONNX model." if files else "The version's files are gone."
        )
    if len(models) > 1 and _MODEL not in models:
        raise TargetError(f"The version has {len(models)} ONNX models; one can be pulled.")
    return files, _MODEL if _MODEL in models else models[0]


def _names(rest: Rest, manifest: RemoteFile) -> set[str]:
    """Return the files of a bundle, or none if the manifest is not the studio's."""
    content = bytearray()
    with rest.download(manifest.place) as pieces:
        for piece in pieces:
            content += piece
            if len(content) > _LARGEST_MANIFEST:
                return set()
    try:
        found: Any = json.loads(bytes(content))
        names = set(found["files"]) if "counter" in found and "golden" in found else set()
    except (ValueError, TypeError, KeyError):
        return set()
    return {name for name in names if isinstance(name, str)}


def fetch(rest: Rest, files: list[RemoteFile], folder: Path, progress: Progress) -> None:
    """Fetch files, each of the size that was listed.

    Raises:
        TargetError: when the disk has no room for them, or a file is not what was listed.
    """
    total = sum(file.size for file in files)
    _require_room(folder, total)
    done = 0
    for file in files:
        target = folder / file.name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as output, rest.download(file.place) as pieces:
                got = 0
                for piece in pieces:
                    got += len(piece)
                    if file.size and got > file.size:
                        break
                    if not file.size:
                        _require_room(folder, len(piece))
                    output.write(piece)
                    progress.progress(done + got, total, f"Fetching {file.name}")
        except MlflowError as error:
            if error.missing:
                raise TargetError(f"{file.name} is gone from the server's store.") from None
            raise
        except OSError as error:
            raise TargetError(f"{target} cannot be written: {error.strerror or error}.") from None
        if file.size and got != file.size:
            raise TargetError(f"{file.name} did not arrive whole: {got:,} of {file.size:,} bytes.")
        done += got


def _require_room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free - _SPARE
    if needed > free:
        raise TargetError(
            f"The version has {needed / 1e6:,.0f} MB; {max(free, 0) / 1e6:,.0f} MB of the disk are "
            "free.",
            hint=f"Make room where {folder} lies.",
        )


def store(rest: Rest, sources: dict[str, Path], place: str, progress: Progress) -> None:
    """Store files below a folder of artefacts."""
    total, done = sum(path.stat().st_size for path in sources.values()), 0
    for name, path in sources.items():
        progress.progress(done, total, f"Sending {name}")
        rest.upload(path, f"{place}/{name}")
        done += path.stat().st_size
    progress.progress(total, total, "Sent")
