"""Manifests and indexes of OCI's image specification 1.1, as they arrive from a registry."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from studio.api import TargetError
from studio_oci.address import is_digest

LARGEST_BLOB = 1 << 44
_MOST_LAYERS = 20_000


@dataclass(frozen=True, slots=True)
class Descriptor:
    """Media type, digest and size of a blob or manifest, with annotations."""

    media: str
    digest: str
    size: int
    annotations: Mapping[str, str] = field(default_factory=dict)
    artifact: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the descriptor in its JSON form."""
        found: dict[str, Any] = {
            "mediaType": self.media,
            "digest": self.digest,
            "size": self.size,
        }
        if self.annotations:
            found["annotations"] = dict(self.annotations)
        if self.artifact:
            found["artifactType"] = self.artifact
        return found


@dataclass(frozen=True, slots=True)
class OciManifest:
    """Manifest of an image or artefact, or an index.

    Attributes:
        config: None for an index.
        size: Bytes of the document.
    """

    digest: str
    size: int
    media: str
    artifact: str
    config: Descriptor | None
    layers: tuple[Descriptor, ...]
    annotations: Mapping[str, str]
    raw: Mapping[str, Any]
    content: bytes

    @property
    def descriptor(self) -> Descriptor:
        """Descriptor by which others refer to it."""
        return Descriptor(self.media, self.digest, self.size)


def manifest_of(content: bytes, digest: str, host: str) -> OciManifest:
    """Read a manifest.

    Raises:
        TargetError: when it is another document, or its numbers cannot be.
    """
    try:
        raw = json.loads(content)
        config = raw.get("config")
        layers = raw.get("layers") or []
        if len(layers) > _MOST_LAYERS:
            raise ValueError
        return OciManifest(
            digest,
            len(content),
            str(raw.get("mediaType") or "application/vnd.oci.image.manifest.v1+json"),
            str(raw.get("artifactType") or ""),
            _descriptor(config) if config is not None else None,
            tuple(_descriptor(layer) for layer in layers),
            _annotations(raw.get("annotations")),
            raw,
            content,
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise TargetError(
            f"The registry {host} has a manifest that cannot be read.", detail=digest
        ) from None


def index_of(content: bytes, host: str) -> list[Descriptor]:
    """Return the entries of an index.

    Raises:
        TargetError: when it is another text.
    """
    try:
        entries = json.loads(content).get("manifests") or []
        if len(entries) > _MOST_LAYERS:
            raise ValueError
        return [_descriptor(one) for one in entries]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise TargetError(f"The registry {host} has a list that cannot be read.") from None


def _descriptor(raw: Any) -> Descriptor:
    size, digest = raw["size"], raw["digest"]
    if type(size) is not int or not 0 <= size <= LARGEST_BLOB or not is_digest(digest):
        raise ValueError
    return Descriptor(
        str(raw.get("mediaType") or ""),
        digest,
        size,
        _annotations(raw.get("annotations")),
        str(raw.get("artifactType") or ""),
    )


def _annotations(raw: Any) -> dict[str, str]:
    if raw is None:
        return {}
    return {str(key): str(value) for key, value in raw.items()}
