"""Manifests as files for GitOps: a plain folder, a Kustomize base with an overlay, a Helm chart."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from studio_kubernetes.chart import helm
from studio_kubernetes.documents import file_names, to_yaml
from studio_kubernetes.manifests import Wanted, manifests
from studio_kubernetes.workload import Json, Workload

Files = dict[str, str]


def plain(workload: Workload, extra: Sequence[Json]) -> Files:
    """A file for each object, for ``kubectl apply -f FOLDER``."""
    found = [*extra, *manifests(Wanted(workload))]
    return {name: to_yaml(one) for name, one in file_names(found).items()}


def kustomize(workload: Workload, extra: Sequence[Json]) -> Files:
    """A base without a namespace, and an overlay that sets it, the image and the replicas."""
    files: Files = {}
    for name, one in file_names([*extra, *manifests(Wanted(workload))]).items():
        base = copy.deepcopy(one)
        base["metadata"].pop("namespace", None)
        files[f"base/{name}"] = to_yaml(base)
    kind = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
    resources = sorted(Path(name).name for name in files)
    overlay = {
        **kind,
        "images": [_image(workload.image)],
        "namespace": workload.place.namespace,
        "resources": ["../../base"],
    }
    if workload.options["kind"] == "deployment" and not workload.autoscaled:
        count = workload.options["replicas"]
        overlay["replicas"] = [{"name": workload.place.name, "count": count}]
    files["base/kustomization.yaml"] = to_yaml({**kind, "resources": resources})
    place = f"overlays/{workload.place.namespace}/kustomization.yaml"
    files[place] = to_yaml(overlay)
    return files


def _image(reference: str) -> Json:
    name, at, digest = reference.partition("@")
    if at:
        return {"name": name, "digest": digest}
    head, colon, tag = reference.rpartition(":")
    if not colon or "/" in tag:  # the colon of a registry's port
        return {"name": reference, "newTag": "latest"}
    return {"name": head, "newTag": tag}


FORMS: Mapping[str, Callable[[Workload, Sequence[Json]], Files]] = {
    "plain": plain,
    "kustomize": kustomize,
    "helm": helm,
}


def write(files: Files, folder: Path) -> int:
    """Write them below a folder; gives their size in bytes."""
    size = 0
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        size += path.write_text(text, encoding="utf-8")
    return size
