"""A bundle as a ModelPack artefact: a layer of each file, unpacked, and a config.

Source: CNCF ModelPack specification v1 (config and media types), OCI image specification 1.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from studio.api import Publication
from studio_oci.artefacts.contents import canonical, digest_of, file_content, text_content
from studio_oci.documents import Descriptor
from studio_oci.uploads import BlobContent

ARTIFACT = "application/vnd.cncf.model.manifest.v1+json"
CONFIG = "application/vnd.cncf.model.config.v1+json"
IMAGE_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
BUNDLE_MANIFEST = "manifest.json"
SIGNATURE = "manifest.json.sig"
FILE_PATH = "org.cncf.model.filepath"
TITLE = "org.opencontainers.image.title"
"""Name under which oras writes a layer."""

CREATED = "org.opencontainers.image.created"
VERSION = "org.opencontainers.image.version"
RELEASE = "edgewright.release"
COUNTER = "edgewright.counter"

_LAYER = "application/vnd.cncf.model.{}.v1.raw"
_DOCUMENTS = (".md", ".txt", ".html", ".pdf")
_CODE = (".py", ".sh", ".js")
_PRECISIONS = {
    "fp32": "float32",
    "fp16": "float16",
    "bf16": "bfloat16",
    "fp64": "float64",
    "int8": "int8",
    "uint8": "uint8",
}


@dataclass(frozen=True, slots=True)
class Artefact:
    """Manifest of a bundle, and the blobs that it needs."""

    content: bytes
    blobs: tuple[BlobContent, ...]

    @property
    def descriptor(self) -> Descriptor:
        """Descriptor by which referrers refer to it."""
        return Descriptor(IMAGE_MANIFEST, digest_of(self.content), len(self.content))


def modelpack(publication: Publication) -> Artefact:
    """Return the artefact of a bundle; equal bundles give equal bytes."""
    layers = [(name, _content(publication.bundle, name)) for name in names_of(publication)]
    model = str(dict(publication.manifest.get("model") or {}).get("file") or "")
    config = text_content("config", canonical(_config(publication, [one for _, one in layers])))
    document = {
        "schemaVersion": 2,
        "mediaType": IMAGE_MANIFEST,
        "artifactType": ARTIFACT,
        "config": Descriptor(CONFIG, config.digest, config.size).to_json(),
        "layers": [_layer(name, one, model) for name, one in layers],
        "annotations": annotations_of(publication),
    }
    return Artefact(canonical(document), (config, *(one for _, one in layers)))


def names_of(publication: Publication) -> list[str]:
    """Return the files of a bundle in their order, without the signature."""
    return [BUNDLE_MANIFEST, *sorted(map(str, publication.manifest.get("files") or ()))]


def annotations_of(publication: Publication) -> dict[str, str]:
    """Return what lists of versions show about a bundle."""
    found = {
        RELEASE: publication.digest,
        COUNTER: str(publication.manifest.get("counter") or 0),
        TITLE: str(publication.manifest.get("name") or publication.name),
        VERSION: str(publication.manifest.get("version") or ""),
    }
    if created := str(publication.manifest.get("created") or ""):
        found[CREATED] = created
    return found


def _content(bundle: Path, name: str) -> BlobContent:
    return file_content(name, bundle / name)


def _layer(name: str, content: BlobContent, model: str) -> dict[str, Any]:
    media = _LAYER.format(_kind(name, model))
    notes = {FILE_PATH: name, TITLE: name}
    return Descriptor(media, content.digest, content.size, notes).to_json()


def _kind(name: str, model: str) -> str:
    """Return the kind of a file in ModelPack's words."""
    path = PurePosixPath(name)
    if name == model or path.suffix in (".onnx", ".gguf", ".safetensors", ".bin", ".data"):
        return "weight"
    if path.parts[0] in ("golden", "drift"):
        return "dataset"
    if path.suffix in _CODE:
        return "code"
    if path.suffix in _DOCUMENTS and path.name != "labels.txt":
        return "doc"
    return "weight.config"


def _config(publication: Publication, layers: list[BlobContent]) -> dict[str, Any]:
    manifest = publication.manifest
    return {
        "descriptor": dict(_about(manifest)),
        "config": dict(_technical(dict(manifest.get("model") or {}))),
        "modelfs": {"type": "layers", "diffIds": [layer.digest for layer in layers]},
    }


def _about(manifest: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield "name", str(manifest.get("name") or "model")
    yield "version", str(manifest.get("version") or "")
    if created := manifest.get("created"):
        yield "createdAt", str(created)


def _technical(model: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    if form := model.get("format"):
        yield "format", str(form)
    if precision := model.get("precision"):
        yield "precision", _PRECISIONS.get(str(precision), str(precision))
    if count := model.get("parameters"):
        yield "paramSize", _size(count)


def _size(count: Any) -> str:
    """Return a number of parameters as the specification writes it (``6.7B``)."""
    value = float(count) if isinstance(count, int | float) else 0.0
    for letter, unit in (("T", 1e12), ("B", 1e9), ("M", 1e6)):
        if value >= unit:
            return f"{value / unit:.1f}{letter}"
    return f"{value / 1e3:.1f}K"
