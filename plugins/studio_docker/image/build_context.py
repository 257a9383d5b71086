"""The build context: the same image as a Dockerfile, for an engine elsewhere."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from studio.api import Parcel
from studio_docker.image import contents
from studio_docker.image.contents import Library

_DOCKERFILE = """\
# Inference server of {name}, version {version}. Build it without a network:
#   docker build --network none --tag {name}:{version} .
ARG BASE={base}

# The libraries are unpacked here, without pip; their wheels do not go into the image.
FROM ${{BASE}} AS build
COPY wheels /wheels
RUN for wheel in /wheels/*.whl; do python3 -I -m zipfile -e "$wheel" /{libraries}; done

FROM ${{BASE}}
COPY --from=build /{libraries} /{libraries}
COPY edgewright.pyz /{runtime}
COPY bundle /{bundle}
COPY sbom.cdx.json /{sbom}
{folders}{settings}
"""

_FOLDER = f"RUN mkdir -m 0777 /{contents.APP_DATA}\n"


def write_context(
    folder: Path,
    parcel: Parcel,
    base: str,
    libraries: Sequence[Library],
    sbom: bytes,
    config: Mapping[str, Any],
) -> None:
    """Write the Dockerfile and everything that it copies."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "wheels").mkdir(parents=True)
    for library in libraries:
        _link(library.path, folder / "wheels" / library.path.name)
    shutil.copyfile(parcel.runtime, folder / "edgewright.pyz")
    shutil.copytree(parcel.bundle, folder / "bundle")
    (folder / "sbom.cdx.json").write_bytes(sbom)
    (folder / "Dockerfile").write_text(dockerfile(parcel, base, config))


def dockerfile(parcel: Parcel, base: str, config: Mapping[str, Any]) -> str:
    """Return the Dockerfile; ``--build-arg BASE=...`` sets another base."""
    return _DOCKERFILE.format(
        name=parcel.name,
        version=parcel.version,
        base=base,
        libraries=contents.LIBRARIES,
        runtime=contents.RUNTIME,
        bundle=contents.BUNDLE,
        sbom=contents.SBOM,
        folders=_FOLDER if parcel.manifest.get("app") else "",
        settings="\n".join(_instructions(config)),
    )


def _instructions(config: Mapping[str, Any]) -> list[str]:
    health = config["Healthcheck"]
    return [
        *(f"ENV {text}" for text in config["Env"]),
        *(f"LABEL {name}={json.dumps(value)}" for name, value in config["Labels"].items()),
        *(f"EXPOSE {port}" for port in config["ExposedPorts"]),
        f"USER {config['User']}",
        "HEALTHCHECK --interval={}s --timeout={}s --start-period={}s --retries={} CMD {}".format(
            *(health[key] // 10**9 for key in ("Interval", "Timeout", "StartPeriod")),
            health["Retries"],
            json.dumps(health["Test"][1:]),
        ),
        f"ENTRYPOINT {json.dumps(config['Entrypoint'])}",
        f"CMD {json.dumps(config['Cmd'])}",
    ]


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copyfile(source, target)
