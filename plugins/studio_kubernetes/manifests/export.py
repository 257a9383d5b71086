"""Manifests as files for GitOps: a plain folder, a Kustomize base with an overlay, a Helm chart."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from studio_kubernetes.manifests.desired_state import DesiredWorkload, manifests
from studio_kubernetes.manifests.documents import file_names, to_yaml
from studio_kubernetes.manifests.model_images import model_places
from studio_kubernetes.manifests.pods import resources
from studio_kubernetes.manifests.workload import Json, Workload

_HOLE = "@@{}@@"
"""Placeholder of an expression until the YAML is written."""


def helm(workload: Workload, extra: Sequence[Json]) -> dict[str, str]:
    """Return Chart.yaml, values.yaml, and a template for each object."""
    found = [*extra, *manifests(DesiredWorkload(workload))]
    files = {
        f"templates/{name}": _template(one, workload) for name, one in file_names(found).items()
    }
    chart = {
        "apiVersion": "v2",
        "appVersion": str(workload.version),
        "description": f"Serves version {workload.version} of {workload.model}.",
        "name": workload.place.name,
        "type": "application",
        "version": f"0.{workload.version}.0",
    }
    return {"Chart.yaml": to_yaml(chart), "values.yaml": to_yaml(_values(workload)), **files}


def _values(workload: Workload) -> Json:
    values: Json = {
        "image": workload.image,
        **({"modelImage": workload.model_image} if workload.model_image else {}),
        "replicas": workload.options["replicas"],
        "resources": resources(workload),
        "serviceType": workload.options["service"],
    }
    if workload.autoscaled:
        values["maxReplicas"] = workload.options["max_replicas"]
    return values


def _template(manifest: Json, workload: Workload) -> str:
    """Return the text of one object with expressions in place of values."""
    one = copy.deepcopy(manifest)
    holes: dict[str, str] = {}
    for pointer, scheme in model_places(manifest, workload.model_image):
        mark = _HOLE.format(len(holes))
        _set(one, pointer, mark)
        holes[mark] = f'{{{{ printf "{scheme}%s" .Values.modelImage | quote }}}}'

    def hole(place: Any, key: str, expression: str) -> None:
        if key in place:
            place[key] = _HOLE.format(len(holes))
            holes[place[key]] = expression

    hole(one["metadata"], "namespace", "{{ .Release.Namespace }}")
    spec = one.get("spec") or {}
    if one["kind"] in ("Deployment", "InferenceService", "LLMInferenceService"):
        pod = spec.get("predictor") or spec["template"].get("spec") or spec["template"]
        depth = 12 if one["kind"] == "Deployment" else 10
        container = pod["containers"][0]
        hole(container, "image", "{{ .Values.image | quote }}")
        fill = f"{{{{- toYaml .Values.resources | nindent {depth} }}}}"
        hole(container, "resources", fill)
        hole(spec, "replicas", "{{ .Values.replicas }}")
        hole(pod, "minReplicas", "{{ .Values.replicas }}")
    if one["kind"] == "HorizontalPodAutoscaler":
        hole(spec, "minReplicas", "{{ .Values.replicas }}")
        hole(spec, "maxReplicas", "{{ .Values.maxReplicas }}")
    if one["kind"] == "Service":
        hole(spec, "type", "{{ .Values.serviceType }}")
    text = to_yaml(one).replace("{{", '{{ "{{" }}')  # what the names of models may hold
    for mark, expression in holes.items():
        text = text.replace(f"'{mark}'", expression)
    return text


def _set(manifest: Any, pointer: str, value: str) -> None:
    """Replace the value at a JSON pointer."""
    *parents, last = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    for part in parents:
        manifest = manifest[int(part)] if isinstance(manifest, list) else manifest[part]
    manifest[int(last) if isinstance(manifest, list) else last] = value


Files = dict[str, str]


def plain(workload: Workload, extra: Sequence[Json]) -> Files:
    """Return a file for each object, for ``kubectl apply -f FOLDER``."""
    found = [*extra, *manifests(DesiredWorkload(workload))]
    return {name: to_yaml(one) for name, one in file_names(found).items()}


def kustomize(workload: Workload, extra: Sequence[Json]) -> Files:
    """Return a base without namespace, and an overlay with namespace, images and replicas."""
    files: Files = {}
    changed: dict[str, tuple[Json, list[Json]]] = {}
    for name, one in file_names([*extra, *manifests(DesiredWorkload(workload))]).items():
        base = copy.deepcopy(one)
        base["metadata"].pop("namespace", None)
        files[f"base/{name}"] = to_yaml(base)
        if changes := _changes(one, workload.model_image):
            target = {"kind": one["kind"], "name": one["metadata"]["name"]}
            changed[f"model-{name}"] = (target, changes)
    kind = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
    resources = sorted(Path(name).name for name in files)
    overlay = {
        **kind,
        "images": [_image(workload.image)],
        "namespace": workload.place.namespace,
        "resources": ["../../base"],
    }
    if changed:
        # ``images`` reaches the images of containers alone.
        overlay["patches"] = [
            {"path": name, "target": target} for name, (target, _) in sorted(changed.items())
        ]
    if workload.options["kind"] == "deployment" and not workload.autoscaled:
        count = workload.options["replicas"]
        overlay["replicas"] = [{"name": workload.place.name, "count": count}]
    files["base/kustomization.yaml"] = to_yaml({**kind, "resources": resources})
    folder = f"overlays/{workload.place.namespace}"
    files[f"{folder}/kustomization.yaml"] = to_yaml(overlay)
    files.update({f"{folder}/{name}": to_yaml(text) for name, (_, text) in changed.items()})
    return files


def _changes(manifest: Json, reference: str) -> list[Json]:
    """Return the patch with the digest of the model."""
    return [
        {"op": "replace", "path": pointer, "value": scheme + reference}
        for pointer, scheme in model_places(manifest, reference)
    ]


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
