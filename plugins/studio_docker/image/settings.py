"""Settings of an image: its command, its user, its labels."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from studio.api import Parcel
from studio_docker.image import contents
from studio_docker.image.base import Base
from studio_docker.image.layers import Layer

PORT = 8477
LABEL = "edgewright"
_OCI = "org.opencontainers.image"
_SECOND = 1_000_000_000
_PROGRAM = ("python3", f"/{contents.RUNTIME}")


def created(parcel: Parcel) -> datetime:
    """Return the bundle's build time, used for all files so that builds are reproducible."""
    try:
        found = datetime.fromisoformat(str(parcel.manifest["created"]))
    except (KeyError, ValueError):
        # A fixed time instead of the current one keeps the image reproducible.
        return datetime.fromtimestamp(0, UTC)
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def labels(parcel: Parcel, base: Base, licence: str, source: str) -> dict[str, str]:
    """Return OCI's annotations, and the labels that the studio searches for."""
    model = dict(parcel.manifest["files"])[str(parcel.manifest["model"]["file"])]
    found = {
        f"{_OCI}.title": parcel.name,
        f"{_OCI}.version": str(parcel.version),
        f"{_OCI}.description": f"Inference server for {parcel.name}, version {parcel.version}",
        f"{_OCI}.created": created(parcel).isoformat(),
        f"{_OCI}.licenses": licence,
        f"{_OCI}.source": source,
        f"{_OCI}.base.name": base.name,
        f"{_OCI}.base.digest": base.digest,
        f"{LABEL}.release": parcel.digest,
        f"{LABEL}.name": parcel.name,
        f"{LABEL}.version": str(parcel.version),
        f"{LABEL}.model": f"sha256:{model['sha256']}",
    }
    return {name: value for name, value in found.items() if value}


def server(user: str, found: Mapping[str, str], app: bool = False) -> dict[str, Any]:
    """Return the start settings of an image that serves; platforms set the port by variables."""
    own = [f"EDGEWRIGHT_APP_DATA=/{contents.APP_DATA}"] if app else []
    return {
        "User": user,
        "Env": [
            f"PYTHONPATH=/{contents.LIBRARIES}",
            f"EDGEWRIGHT_BUNDLE=/{contents.BUNDLE}",
            "ORT_DISABLE_TELEMETRY=1",
            "PYTHONDONTWRITEBYTECODE=1",
            "PYTHONUNBUFFERED=1",
            *own,
        ],
        "Entrypoint": list(_PROGRAM),
        # All interfaces of the container: the engine decides which ports it publishes.
        "Cmd": ["serve", "--host", "0.0.0.0"],
        "ExposedPorts": {f"{PORT}/tcp": {}},
        "Healthcheck": {
            "Test": ["CMD", *_PROGRAM, "health"],
            "Interval": 30 * _SECOND,
            "Timeout": 10 * _SECOND,
            "StartPeriod": 120 * _SECOND,
            "StartInterval": 1 * _SECOND,
            "Retries": 3,
        },
        "StopSignal": "SIGTERM",
        "WorkingDir": "/",
        "Labels": dict(found),
    }


def gate(user: str) -> dict[str, Any]:
    """Return the start settings of an image that only listens on a port."""
    return {
        "User": user,
        "Env": ["PYTHONDONTWRITEBYTECODE=1", "PYTHONUNBUFFERED=1"],
        "Entrypoint": [*_PROGRAM, "gate"],
        "Cmd": ["hold", "--folder", f"/{contents.TURNS}"],
        "StopSignal": "SIGTERM",
        "WorkingDir": "/",
        "Labels": {f"{LABEL}.role": "gate"},
    }


def document(
    base: Base, layers: Sequence[Layer], config: Mapping[str, Any], at: datetime
) -> tuple[str, bytes]:
    """Return the image's ID and its settings in canonical JSON."""
    below = dict(base.settings.get("config") or {})
    variables = [*(below.get("Env") or ()), *config["Env"]]
    merged = {
        **{key: below[key] for key in ("Shell",) if below.get(key)},
        **config,
        "Env": variables,
        "Labels": {**(below.get("Labels") or {}), **config["Labels"]},
    }
    time = at.isoformat().replace("+00:00", "Z")
    titles = ["base"] * len(base.layers) + [layer.title for layer in layers]
    content = {
        "architecture": base.settings["architecture"],
        "os": base.settings.get("os") or "linux",
        "created": time,
        "config": merged,
        "rootfs": {
            "type": "layers",
            "diff_ids": [layer.diff_id for layer in (*base.layers, *layers)],
        },
        "history": [{"created": time, "created_by": f"edgewright: {name}"} for name in titles],
    }
    # Canonical JSON, because the image's ID is the digest of these bytes.
    text = json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
    return f"sha256:{hashlib.sha256(text).hexdigest()}", text
