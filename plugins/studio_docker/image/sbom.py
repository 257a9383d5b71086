"""The list of what is in an image, in CycloneDX 1.6: libraries, runtime, base and the model."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from typing import Any

from studio.api import Parcel
from studio_docker.image.base import Base
from studio_docker.image.contents import Library
from studio_docker.image.layers import digest_of
from studio_docker.image.settings import created

# Fixed, so that equal contents give the same serial number.
_NAMESPACE = uuid.UUID("b3a7ab2e-6d55-5c7b-9d50-1d8f4a3c9e10")


def sbom(parcel: Parcel, base: Base, libraries: Sequence[Library], licence: str) -> bytes:
    """Return the document; equal inputs give equal bytes."""
    model = _model(parcel, licence)
    parts = [_base(base), _runtime(parcel), *map(_library, libraries), model]
    identity = json.dumps(parts, sort_keys=True)
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": uuid.uuid5(_NAMESPACE, identity).urn,
        "version": 1,
        "metadata": {
            "timestamp": created(parcel).isoformat(),
            "component": {
                "type": "container",
                "bom-ref": "image",
                "name": parcel.name,
                "version": str(parcel.version),
            },
        },
        "components": parts,
        "dependencies": [{"ref": "image", "dependsOn": [part["bom-ref"] for part in parts]}],
    }
    return json.dumps(document, indent=1, sort_keys=True).encode() + b"\n"


def _base(base: Base) -> dict[str, Any]:
    return {
        "type": "container",
        "bom-ref": "base",
        "name": base.name,
        "version": base.digest,
        "description": "Base image; its own packages are not listed here.",
    }


def _runtime(parcel: Parcel) -> dict[str, Any]:
    return {
        "type": "application",
        "bom-ref": "runtime",
        "name": "edgewright",
        "hashes": [_sha256(digest_of(parcel.runtime))],
        "licenses": [{"license": {"id": "Apache-2.0"}}],
    }


def _library(library: Library) -> dict[str, Any]:
    name = library.name.lower().replace("_", "-")
    package = f"pkg:pypi/{name}@{library.version}"
    return {
        "type": "library",
        "bom-ref": package,
        "name": library.name,
        "version": library.version,
        "purl": package,
        "hashes": [_sha256(digest_of(library.path))],
        **_licences(library.licence),
    }


def _model(parcel: Parcel, licence: str) -> dict[str, Any]:
    about = dict(parcel.manifest["model"])
    file = dict(parcel.manifest["files"])[str(about["file"])]
    return {
        "type": "machine-learning-model",
        "bom-ref": "model",
        "name": parcel.name,
        "version": str(parcel.version),
        "hashes": [_sha256(str(file["sha256"]))],
        **_licences(licence),
        "modelCard": {
            "modelParameters": {
                "inputs": [{"format": _shape(value)} for value in about.get("inputs") or ()],
                "outputs": [{"format": _shape(value)} for value in about.get("outputs") or ()],
            }
        },
        "properties": [
            {"name": "edgewright:release", "value": parcel.digest},
            {"name": "edgewright:precision", "value": str(about.get("precision") or "")},
            {"name": "edgewright:format", "value": str(about.get("format") or "")},
        ],
    }


def _shape(value: dict[str, Any]) -> str:
    sizes = value.get("shape")
    text = "" if sizes is None else f"[{', '.join(map(str, sizes))}]"
    return f"{value.get('name')}: {value.get('dtype')}{text}"


def _sha256(digest: str) -> dict[str, str]:
    return {"alg": "SHA-256", "content": digest.removeprefix("sha256:")}


def _licences(text: str) -> dict[str, Any]:
    """Return licences by name, because authors do not always write SPDX identifiers."""
    return {"licenses": [{"license": {"name": text}}]} if text else {}
