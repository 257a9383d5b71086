"""A bundle as an image with ``/models``: a modelcar of KServe, or an image volume.

The same image serves both, as the layout of KServe's modelcars is the one that image volumes take.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from studio.api import Publication, TargetError
from studio_oci.artefacts.contents import canonical, digest_of, tar_content, text_content
from studio_oci.artefacts.modelpack import IMAGE_MANIFEST, annotations_of, names_of
from studio_oci.documents import Descriptor, OciManifest
from studio_oci.uploads import BlobContent

ARTEFACT = "edgewright.artefact"
"""Annotation of an image with the digest of the artefact of the same bundle."""

INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
FOLDER = "models"
_PLATFORMS = ({"os": "linux", "architecture": "amd64"}, {"os": "linux", "architecture": "arm64"})


@dataclass(frozen=True, slots=True)
class BaseImage:
    """Image below ``/models`` for one platform.

    Attributes:
        layers: Descriptors of its layers, as its manifest has them.
    """

    platform: Mapping[str, Any]
    config: Mapping[str, Any]
    layers: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class ModelCar:
    """An index of images for each platform, which share one layer.

    Attributes:
        manifests: Digest -> document of each image.
        borrowed: Digests of layers that the base has.
    """

    content: bytes
    manifests: Mapping[str, bytes]
    blobs: tuple[BlobContent, ...]
    borrowed: tuple[str, ...]

    @property
    def descriptor(self) -> Descriptor:
        """Descriptor of the index."""
        return Descriptor(INDEX, digest_of(self.content), len(self.content))


def empty_bases() -> list[BaseImage]:
    """Return images without files, for nodes that mount and do not run them."""
    return [BaseImage(platform, {}, ()) for platform in _PLATFORMS]


def base_of(manifest: OciManifest, config: bytes) -> BaseImage:
    """Return a base from its manifest and config.

    Raises:
        TargetError: when it is no image.
    """
    try:
        found = json.loads(config)
        platform = {"os": str(found["os"]), "architecture": str(found["architecture"])}
        if variant := found.get("variant"):
            platform["variant"] = str(variant)
        layers = tuple(layer.to_json() for layer in manifest.layers)
        if len(found["rootfs"]["diff_ids"]) != len(layers):
            raise ValueError
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise TargetError("The base of the image is no image.", detail=manifest.digest) from None
    return BaseImage(platform, found, layers)


def modelcar(
    publication: Publication, artefact: Descriptor, bases: Sequence[BaseImage]
) -> ModelCar:
    """Return the image of a bundle; equal bundles and bases give equal bytes.

    Args:
        artefact: The artefact of the same bundle, which the image names.
    """
    files = {f"{FOLDER}/{name}": publication.bundle / name for name in names_of(publication)}
    created = str(publication.manifest.get("created") or "")
    layer = tar_content(f"/{FOLDER}", files, _seconds(created))
    notes = {**annotations_of(publication), ARTEFACT: artefact.digest}
    manifests: dict[str, bytes] = {}
    configs, entries = [], []
    for base in bases:
        config = text_content("image", canonical(_config(base, layer, created)))
        document = canonical(_manifest(base, config, layer, notes))
        digest = digest_of(document)
        manifests[digest] = document
        configs.append(config)
        one = Descriptor(IMAGE_MANIFEST, digest, len(document)).to_json()
        entries.append({**one, "platform": dict(sorted(base.platform.items()))})
    borrowed = {str(one["digest"]): None for base in bases for one in base.layers}
    return ModelCar(_index(entries), manifests, (layer, *configs), tuple(borrowed))


def _index(entries: Sequence[Mapping[str, Any]]) -> bytes:
    """Return the index in the order of the specification's own types.

    Programs such as skopeo write an index again when they copy it. In this order, and with
    nothing in it that they do not know, its digest can stay.
    """
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}
    return json.dumps(index, separators=(",", ":")).encode()


def _config(base: BaseImage, layer: BlobContent, created: str) -> dict[str, Any]:
    rootfs = dict(base.config.get("rootfs") or {})
    history = list(base.config.get("history") or ())
    about = {"created_by": f"edgewright: /{FOLDER}", **({"created": created} if created else {})}
    found: dict[str, Any] = {
        **base.config,
        **base.platform,
        "config": dict(base.config.get("config") or {}),
        "rootfs": {"type": "layers", "diff_ids": [*(rootfs.get("diff_ids") or ()), layer.digest]},
        "history": [*history, about],
    }
    if created:
        found["created"] = created
    return found


def _manifest(
    base: BaseImage, config: BlobContent, layer: BlobContent, notes: Mapping[str, str]
) -> dict[str, Any]:
    own = Descriptor(LAYER, layer.digest, layer.size).to_json()
    return {
        "schemaVersion": 2,
        "mediaType": IMAGE_MANIFEST,
        "config": Descriptor(CONFIG, config.digest, config.size).to_json(),
        "layers": [*(dict(one) for one in base.layers), own],
        "annotations": dict(notes),
    }


def _seconds(created: str) -> int:
    try:
        return max(0, int(datetime.fromisoformat(created).timestamp()))
    except (ValueError, OverflowError):
        return 0
