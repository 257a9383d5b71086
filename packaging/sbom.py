"""The list of what the studio is made of, in CycloneDX 1.6: ``packaging/sbom.py OUTPUT``.

Every package of ``requirements.lock`` with version, licence, package URL, the SHA-256 of each file
that the lock admits, and what needs it. Equal locks give equal bytes.
"""

from __future__ import annotations

import json
import sys
import tomllib
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from parts import ROOT, RUN_TIME, Part, licence_of, read_lock

_NAMESPACE = uuid.UUID("5c0c4b51-6f0e-5b0a-9a53-5c4f3c1f8a77")


def main() -> int:
    """Write the document."""
    Path(sys.argv[1]).write_bytes(sbom(read_lock(RUN_TIME)))
    return 0


def sbom(parts: Sequence[Part]) -> bytes:
    """The document."""
    components = [_component(part) for part in parts]
    identity = json.dumps(components, sort_keys=True)
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": uuid.uuid5(_NAMESPACE, identity).urn,
        "version": 1,
        "metadata": {"component": _studio()},
        "components": components,
        "dependencies": _dependencies(parts),
    }
    return json.dumps(document, indent=1, sort_keys=True).encode() + b"\n"


def _studio() -> dict[str, Any]:
    project = _project()
    return {
        "type": "application",
        "bom-ref": _own_url(),
        "name": project["name"],
        "version": version(),
        "description": project["description"],
        "purl": _own_url(),
        "licenses": [{"expression": project["license"]}],
    }


def _component(part: Part) -> dict[str, Any]:
    hashes = [{"alg": "SHA-256", "content": digest} for digest in part.hashes]
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": part.purl,
        "name": part.name,
        "version": part.version,
        "purl": part.purl,
        "scope": "required",
        # Each of the files of this version, one of which is installed.
        "externalReferences": [{"type": "distribution", "url": part.purl, "hashes": hashes}],
    }
    licence = licence_of(part.name)
    if licence:
        component["licenses"] = [{"expression": licence}]
    if part.marker:
        component["properties"] = [{"name": "edgewright:marker", "value": part.marker}]
    return component


def _dependencies(parts: Sequence[Part]) -> list[dict[str, Any]]:
    """What needs what; the packages that the project itself asks for are needed by it."""
    by_name = {part.name: part.purl for part in parts}
    needs: dict[str, set[str]] = {_own_url(): set(), **{part.purl: set() for part in parts}}
    for part in parts:
        for user in part.via:
            needs[by_name.get(user.partition("[")[0], _own_url())].add(part.purl)
    return [{"ref": ref, "dependsOn": sorted(others)} for ref, others in needs.items()]


def version() -> str:
    """The studio's."""
    text = (ROOT / "studio" / "__init__.py").read_text(encoding="utf-8")
    (line,) = [line for line in text.splitlines() if line.startswith("__version__")]
    return line.split('"')[1]


def _own_url() -> str:
    return f"pkg:pypi/{_project()['name']}@{version()}"


def _project() -> Mapping[str, Any]:
    content = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return dict(content["project"])


if __name__ == "__main__":
    sys.exit(main())
