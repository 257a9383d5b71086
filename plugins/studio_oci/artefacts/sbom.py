"""The bill of materials of a bundle in CycloneDX 1.6, made from its manifest."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from studio.api import InvalidData, Publication

CYCLONEDX = "application/vnd.cyclonedx+json"
SPDX = "application/spdx+json"
_LARGEST = 4 << 20
# Fixed, so that equal contents give the same serial number.
_NAMESPACE = uuid.UUID("5d0d4f5e-52b1-5c2c-8f0e-3f9f0a2f6d1c")


def bill_of(publication: Publication) -> bytes:
    """Return the document; equal bundles give equal bytes."""
    manifest = publication.manifest
    files = list(_files(manifest))
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": uuid.uuid5(_NAMESPACE, publication.digest).urn,
        "version": 1,
        "metadata": {"component": _model(publication), **_time(manifest)},
        "components": files,
        "dependencies": [
            {"ref": "bundle", "dependsOn": [str(part["bom-ref"]) for part in files]},
        ],
    }
    return json.dumps(document, indent=1, sort_keys=True).encode() + b"\n"


def kind_of(content: bytes) -> str:
    """Return the media type of a bill of materials.

    Raises:
        InvalidData: for a document that is neither CycloneDX nor SPDX.
    """
    if len(content) > _LARGEST:
        raise InvalidData("The bill of materials is larger than 4 MiB.")
    try:
        found = json.loads(content)
        if found.get("bomFormat") == "CycloneDX":
            return CYCLONEDX
        if "spdxVersion" in found or "spdx.org" in json.dumps(found.get("@context") or ""):
            return SPDX
    except (ValueError, AttributeError, RecursionError):
        pass
    raise InvalidData("The bill of materials is neither CycloneDX nor SPDX, in JSON.")


def _model(publication: Publication) -> dict[str, Any]:
    about = dict(publication.manifest.get("model") or {})
    wanted = ("format", "precision", "backend")
    facts = {"release": publication.digest, **{key: about.get(key) for key in wanted}}
    return {
        "type": "machine-learning-model",
        "bom-ref": "bundle",
        "name": str(publication.manifest.get("name") or publication.name),
        "version": str(publication.manifest.get("version") or ""),
        "properties": [
            {"name": f"edgewright:{key}", "value": str(value)}
            for key, value in facts.items()
            if value
        ],
    }


def _time(manifest: Mapping[str, Any]) -> dict[str, str]:
    created = str(manifest.get("created") or "")
    return {"timestamp": created} if created else {}


def _files(manifest: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for name, facts in sorted(dict(manifest.get("files") or {}).items()):
        digest = str(dict(facts).get("sha256") or "")
        found: dict[str, Any] = {"type": "file", "bom-ref": f"file:{name}", "name": name}
        if digest:
            found["hashes"] = [{"alg": "SHA-256", "content": digest}]
        yield found
