"""The pull of a version: every blob against its digest, into a folder that cannot be left."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from studio.api import Progress, TargetError
from studio_oci.artefacts.modelpack import (
    ARTIFACT,
    BUNDLE_MANIFEST,
    FILE_PATH,
    SIGNATURE,
    TITLE,
)
from studio_oci.artefacts.referrers import SSH_SIGNATURE
from studio_oci.client import OciClient, ReferredManifest
from studio_oci.documents import Descriptor, OciManifest

_SPARE = 64 << 20
"""Disk space left free for other programs."""

_LONGEST_NAME = 1000
_DEEPEST = 16
_MOST_SIGNATURES = 64
_LARGEST_SIGNATURE = 64 << 10


def pull_bundle(
    client: OciClient, repository: str, manifest: OciManifest, folder: Path, progress: Progress
) -> Path:
    """Fetch the files of an artefact.

    Returns:
        The folder of a bundle, or the model's file of an artefact that other tools have pushed.

    Raises:
        TargetError: when it is no artefact with a model, or a file is not what was listed.
    """
    files = dict(_files(manifest, client.host))
    total = sum(layer.size for layer in files.values())
    folder.mkdir(parents=True, exist_ok=True)
    _require_room(folder, total)
    done = 0
    for name, layer in files.items():
        progress.progress(done, total, f"Fetching {name}")
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TargetError(f"{path} cannot be written: {error.strerror or error}.") from None
        client.fetch(repository, layer, path, progress)
        done += layer.size
    if BUNDLE_MANIFEST in files:
        _fetch_signature(client, repository, manifest, folder)
        return folder
    return folder / _model(files)


def _files(manifest: OciManifest, host: str) -> Iterator[tuple[str, Descriptor]]:
    """Yield the name and the layer of each file.

    Raises:
        TargetError: for a name that leads out of the folder, or that is there twice.
    """
    if manifest.artifact != ARTIFACT:
        raise TargetError(
            f"{manifest.digest[:19]} at {host} is no ModelPack artefact.",
            hint="studio registry list NAME shows the versions.",
        )
    seen: set[str] = set()
    for layer in manifest.layers:
        name = layer.annotations.get(FILE_PATH) or layer.annotations.get(TITLE) or ""
        if not _harmless(name) or name == SIGNATURE or _key(name) in seen:
            raise TargetError(f"The artefact names a file that cannot be fetched: {name[:200]!r}.")
        if not layer.media.endswith(".raw"):
            raise TargetError(
                f"The artefact has its files in archives ({layer.media[:100]}).",
                hint="Pull it with its own tool; the studio reads files that are not packed.",
            )
        seen.add(_key(name))
        yield name, layer


def _key(name: str) -> str:
    return name.casefold()


def _harmless(name: str) -> bool:
    parts = name.split("/")
    return (
        0 < len(name) <= _LONGEST_NAME
        and len(parts) <= _DEEPEST
        and all(part not in ("", ".", "..") and len(part.encode()) <= 255 for part in parts)
        and name.isprintable()
        and "\\" not in name
    )


def _model(files: dict[str, Descriptor]) -> str:
    weights = [name for name, layer in files.items() if ".weight.v1" in layer.media]
    models = [name for name in weights if PurePosixPath(name).suffix in (".onnx", ".gguf")]
    if len(models) != 1:
        raise TargetError(
            f"The artefact has {len(models)} models in ONNX or GGUF; one can be pulled."
        )
    return models[0]


def _fetch_signature(
    client: OciClient, repository: str, manifest: OciManifest, folder: Path
) -> None:
    """Put the newest signature next to the manifest; who signed it is checked later."""
    subject = ReferredManifest(repository, manifest.descriptor)
    listed = [one for one in client.referrers(subject) if one.artifact == SSH_SIGNATURE]
    for entry in reversed(listed[-_MOST_SIGNATURES:]):
        found = client.manifest(repository, entry.digest)
        refers = dict(found.raw.get("subject") or {}).get("digest") if found else ""
        if found is None or refers != manifest.digest or len(found.layers) != 1:
            continue
        if found.layers[0].size <= _LARGEST_SIGNATURE:
            content = client.small_blob(repository, found.layers[0])
            (folder / SIGNATURE).write_bytes(content)
            return


def _require_room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free - _SPARE
    if needed > free:
        raise TargetError(
            f"The version has {needed / 1e6:,.0f} MB; {max(free, 0) / 1e6:,.0f} MB of the disk are "
            "free.",
            hint=f"Make room in {folder}.",
        )
