"""The model in an image of its own, by digest: an image volume, or a modelcar of KServe."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from studio.api import Refused, UsageError
from studio_kubernetes.manifests.workload import Json, Workload

VOLUME, MODELCAR = "volume", "modelcar"
"""Places of a bundle that is in an image of its own."""

BUNDLE = "bundle"
"""Name of the volume with the bundle."""

_IN_MAPS = "/bundle"
_FOLDERS = {VOLUME: "/bundle/models", MODELCAR: "/mnt/models"}
_REFERENCE = re.compile(
    r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d{1,5})?"
    r"(?:/[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*)+@sha256:[0-9a-f]{64}"
)
_LONGEST = 512
_STORAGE_URI = "STORAGE_URI"
"""Variable in which KServe looks for the model of a container that is not one of its runtimes."""


def check_model_image(workload: Workload) -> None:
    """Check the image of the model.

    Raises:
        UsageError: for a missing reference, or one without a digest.
        Refused: for a modelcar without KServe.
    """
    place, reference = str(workload.options["bundle"]), workload.model_image
    given = str(workload.options.get("model_image") or "")
    if place not in (VOLUME, MODELCAR):
        if given:
            raise UsageError(
                "A model image needs a place.",
                hint="Add --set bundle=volume, or --set bundle=modelcar for KServe.",
            )
        return
    if len(reference) > _LONGEST or not _REFERENCE.fullmatch(reference):
        raise UsageError(
            f"{reference[:200]!r} is no reference with a digest."
            if reference
            else "Missing image of the model.",
            hint="Push one: studio registry push MODEL --to oci://HOST/PATH --set modelcar=yes; "
            "then --set model_image=HOST/PATH/NAME@sha256:...",
        )
    if place == MODELCAR and workload.kind == "deployment":
        raise Refused(
            "A modelcar is mounted by KServe.",
            hint="Choose --set bundle=volume, or --set kind=inferenceservice.",
        )


def bundle_folder(workload: Workload) -> str:
    """Return the folder of the bundle in the container."""
    return _FOLDERS.get(str(workload.options["bundle"]), _IN_MAPS)


def bundle_volumes(workload: Workload) -> list[Json]:
    """Return the volumes of the bundle and of the runtime that serves it."""
    if not workload.maps:
        return []
    bundle, runtime = workload.maps
    found: list[Json] = []
    if bundle:
        items = [{"key": key, "path": path} for key, path in sorted(workload.files.items())]
        found.append({"name": BUNDLE, "configMap": {"name": bundle, "items": items}})
    elif workload.options["bundle"] == VOLUME:
        image = {"reference": workload.model_image, "pullPolicy": "IfNotPresent"}
        found.append({"name": BUNDLE, "image": image})
    found.append({"name": "runtime", "configMap": {"name": runtime}})
    return found


def bundle_mounts(workload: Workload) -> list[Json]:
    """Return the mounts of those volumes; KServe adds that of a modelcar."""
    return [
        {"name": volume["name"], "mountPath": f"/{volume['name']}", "readOnly": True}
        for volume in bundle_volumes(workload)
    ]


def storage_environment(workload: Workload) -> list[Json]:
    """Return the variable by which KServe mounts the modelcar of an InferenceService."""
    if workload.options.get("bundle") != MODELCAR or workload.kind != "inferenceservice":
        return []
    return [{"name": _STORAGE_URI, "value": storage_uri(workload)}]


def storage_uri(workload: Workload) -> str:
    """Return the address of the model for KServe."""
    return f"oci://{workload.model_image or workload.image}"


def model_places(manifest: Any, reference: str, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield where a manifest names the image of the model.

    Yields:
        A JSON pointer, and what stands before the reference (``oci://`` or nothing).
    """
    if isinstance(manifest, dict):
        for key, value in manifest.items():
            name = str(key).replace("~", "~0").replace("/", "~1")
            yield from model_places(value, reference, f"{path}/{name}")
    elif isinstance(manifest, list):
        for at, value in enumerate(manifest):
            yield from model_places(value, reference, f"{path}/{at}")
    elif reference and manifest in (reference, f"oci://{reference}"):
        yield path, str(manifest).removesuffix(reference)
