"""The ConfigMaps of a target, such as a small bundle for images that hold no model."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studio.api import Parcel, Refused
from studio_kubernetes.manifests.names import INSTANCE, MANAGED_BY, MANAGER, short
from studio_kubernetes.manifests.workload import Json, WorkloadName

LIMIT = 1 << 20
"""Bytes that a ConfigMap may hold, set by the API."""

RUNTIME_KEY = "runtime.pyz"


@dataclass(frozen=True, slots=True)
class BundleMaps:
    """The ConfigMaps of one release.

    Attributes:
        names: Of the bundle's and the runtime's.
        files: Key of the first -> path within the bundle; keys may not hold slashes.
        size: Bytes in both.
    """

    names: tuple[str, str]
    files: dict[str, str]
    manifests: tuple[Json, ...]
    size: int


def maps_of(parcel: Parcel, place: WorkloadName, bundle: str) -> BundleMaps | None:
    """Return the ConfigMaps for a place of the bundle; None where the image holds all.

    Args:
        bundle: Value of the option of this name.
    """
    if bundle == "configmap":
        return bundle_maps(parcel, place)
    if bundle == "image":
        return None
    name, manifest = _runtime_map(parcel, place)
    return BundleMaps(("", name), {}, (manifest,), parcel.runtime.stat().st_size)


def bundle_maps(parcel: Parcel, place: WorkloadName) -> BundleMaps:
    """Make them.

    Raises:
        Refused: for a bundle that does not fit.
    """
    paths = sorted(path for path in parcel.bundle.rglob("*") if path.is_file())
    size = sum(path.stat().st_size for path in paths)
    if size > LIMIT:
        raise Refused(
            f"The bundle has {size / LIMIT:.1f} MiB; a ConfigMap holds 1 MiB.",
            hint="Build an image that holds it, push it, and deploy with --set bundle=image.",
        )
    files = {f"f{at}": str(path.relative_to(parcel.bundle)) for at, path in enumerate(paths)}
    content = {key: _encode(parcel.bundle / name) for key, name in files.items()}
    runtime, manifest = _runtime_map(parcel, place)
    name = f"{place.name}-bundle-{short(parcel.digest)}"
    return BundleMaps(
        (name, runtime),
        files,
        (config_map(place, name, binaryData=content, immutable=True), manifest),
        size + parcel.runtime.stat().st_size,
    )


def _runtime_map(parcel: Parcel, place: WorkloadName) -> tuple[str, Json]:
    """Return the name and the ConfigMap of the runtime."""
    runtime = _encode(parcel.runtime)
    name = f"{place.name}-runtime-{hashlib.sha256(runtime.encode()).hexdigest()[:8]}"
    return name, config_map(place, name, binaryData={RUNTIME_KEY: runtime}, immutable=True)


def config_map(place: WorkloadName, name: str, **content: Any) -> Json:
    """Return a ConfigMap that belongs to a target."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "labels": {INSTANCE: place.name, MANAGED_BY: MANAGER},
            "name": name,
            "namespace": place.namespace,
        },
        **content,
    }


def _encode(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode("ascii")
