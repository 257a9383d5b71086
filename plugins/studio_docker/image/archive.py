"""An image as one file, at once an OCI layout and what ``docker load`` takes."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from studio.api import Progress
from studio_docker.image.layers import Layer, descriptor

_CONFIG = "application/vnd.oci.image.config.v1+json"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_INDEX = "application/vnd.oci.image.index.v1+json"
_TAR = "application/vnd.oci.image.layer.v1.tar"


def write_archive(
    path: Path,
    config: bytes,
    layers: Sequence[Layer],
    tag: str,
    progress: Progress,
    known: Collection[str] = (),
) -> int:
    """Write an image.

    Args:
        known: Layers (by ``diff_id``) that the engine has, and that are left out; it is no whole
            image then, and good for that engine only.

    Returns:
        The bytes of the file.
    """
    digest = hashlib.sha256(config).hexdigest()
    docker = {
        "Config": f"blobs/sha256/{digest}",
        "RepoTags": [tag] if tag else None,
        "Layers": [_place(layer.digest or layer.diff_id) for layer in layers],
    }
    sent = [layer for layer in layers if layer.diff_id not in known]
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        _add(archive, f"blobs/sha256/{digest}", config)
        for number, layer in enumerate(sent):
            progress.progress(number, len(sent), f"Writing the layer {layer.title}")
            _add_layer(archive, layer)
        if not known:
            _add_layout(archive, config, layers, tag)
        _add(archive, "manifest.json", _json([docker]))
    return path.stat().st_size


def _add_layout(archive: tarfile.TarFile, config: bytes, layers: Sequence[Layer], tag: str) -> None:
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": descriptor(_CONFIG, _digest(config), len(config)),
            "layers": [
                descriptor(_TAR + ("+gzip" if one.compressed else ""), one.digest, one.size)
                for one in layers
            ],
            "annotations": json.loads(config)["config"]["Labels"],
        }
    )
    entry = descriptor(_MANIFEST, _digest(manifest), len(manifest))
    if tag:
        # Without a name, tools find the one image that there is.
        entry["annotations"] = {
            "io.containerd.image.name": tag,
            "org.opencontainers.image.ref.name": tag.rpartition(":")[2],
        }
    _add(archive, _place(_digest(manifest)), manifest)
    index = {"schemaVersion": 2, "mediaType": _INDEX, "manifests": [entry]}
    _add(archive, "index.json", _json(index))
    _add(archive, "oci-layout", _json({"imageLayoutVersion": "1.0.0"}))


def _add_layer(archive: tarfile.TarFile, layer: Layer) -> None:
    assert layer.path is not None, f"the layer {layer.title} is not here"
    info = tarfile.TarInfo(_place(layer.digest))
    info.size, info.mode = layer.size, 0o644
    with layer.path.open("rb") as file:
        archive.addfile(info, file)


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(content), 0o644
    archive.addfile(info, io.BytesIO(content))


def _json(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _place(digest: str) -> str:
    return "blobs/{}/{}".format(*digest.split(":"))
