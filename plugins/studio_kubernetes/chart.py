"""The manifests as a Helm chart: what an operator changes stands in values.yaml."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from studio_kubernetes.documents import file_names, to_yaml
from studio_kubernetes.manifests import Wanted, manifests
from studio_kubernetes.pods import resources
from studio_kubernetes.workload import Json, Workload

_HOLE = "@@{}@@"
"""A scalar that stands for an expression until the YAML is written."""


def helm(workload: Workload, extra: Sequence[Json]) -> dict[str, str]:
    """Chart.yaml, values.yaml, and a template for each object."""
    found = [*extra, *manifests(Wanted(workload))]
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
        "replicas": workload.options["replicas"],
        "resources": resources(workload),
        "serviceType": workload.options["service"],
    }
    if workload.autoscaled:
        values["maxReplicas"] = workload.options["max_replicas"]
    return values


def _template(manifest: Json, workload: Workload) -> str:
    """The text of one object with expressions in the places of values."""
    one = copy.deepcopy(manifest)
    holes: dict[str, str] = {}

    def hole(place: Any, key: str, expression: str) -> None:
        if key in place:
            place[key] = _HOLE.format(len(holes))
            holes[place[key]] = expression

    hole(one["metadata"], "namespace", "{{ .Release.Namespace }}")
    spec = one.get("spec") or {}
    if one["kind"] in ("Deployment", "InferenceService"):
        pod = spec["predictor"] if "predictor" in spec else spec["template"]["spec"]
        depth = 10 if "predictor" in spec else 12
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
