"""Checks that the cluster's schemas lack but the cluster or the kubelet enforces."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from studio_kubernetes.manifests.names import (
    is_label_key,
    is_label_value,
    is_service_name,
    is_subdomain,
)
from studio_kubernetes.manifests.quantities import parse_quantity
from studio_kubernetes.manifests.workload import Json

_IMAGE = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d+)?/)?"
    r"[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*)*"
    r"(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[0-9a-f]{64})?"
)


def problems(manifests: Sequence[Json]) -> list[str]:
    """Return one sentence for each problem, or none."""
    found = []
    for manifest in manifests:
        for rule in _RULES:
            found += [f"{_what(manifest)}: {text}" for text in rule(manifest, manifests)]
    return found


def _what(manifest: Json) -> str:
    return f"{manifest.get('kind')} {_get(manifest, 'metadata', 'name')}"


def _get(value: Any, *path: str) -> Any:
    for key in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


def _names(manifest: Json, _: Sequence[Json]) -> Iterator[str]:
    name = str(_get(manifest, "metadata", "name") or "")
    fits = is_service_name if manifest.get("kind") == "Service" else is_subdomain
    if not fits(name):
        yield f"Kubernetes does not allow the name {name!r}."
    for where in (manifest, _get(manifest, "spec", "template") or {}):
        for key, value in (_get(where, "metadata", "labels") or {}).items():
            if not is_label_key(key) or not is_label_value(str(value)):
                yield f"the label {key}={value!r} is not allowed."
        for key in _get(where, "metadata", "annotations") or {}:
            if not is_label_key(key):
                yield f"the annotation {key!r} is not allowed."


def _selector(manifest: Json, _: Sequence[Json]) -> Iterator[str]:
    if manifest.get("kind") != "Deployment":
        return
    wanted = _get(manifest, "spec", "selector", "matchLabels") or {}
    labels = _get(manifest, "spec", "template", "metadata", "labels") or {}
    if not wanted:
        yield "it selects nothing."
    elif not wanted.items() <= labels.items():
        yield "its selector does not match the labels of its pods."


def _reaches_pods(manifest: Json, manifests: Sequence[Json]) -> Iterator[str]:
    """Check that the selectors of Services, budgets and policies match a pod."""
    path = {
        "Service": ("spec", "selector"),
        "PodDisruptionBudget": ("spec", "selector", "matchLabels"),
        "NetworkPolicy": ("spec", "podSelector", "matchLabels"),
    }.get(str(manifest.get("kind")))
    labels = list(_pod_labels(manifests))
    if path is None or not labels:
        return
    wanted = _get(manifest, *path) or {}
    if not wanted:
        yield "it selects nothing in particular."
    elif not any(wanted.items() <= one.items() for one in labels):
        yield "no pod has the labels that it selects."


def _pod_labels(manifests: Iterable[Json]) -> Iterator[Mapping[str, Any]]:
    for manifest in manifests:
        if manifest.get("kind") == "Deployment":
            yield _get(manifest, "spec", "template", "metadata", "labels") or {}
        if manifest.get("kind") == "InferenceService":  # KServe hands its labels down
            yield _get(manifest, "metadata", "labels") or {}
        if manifest.get("kind") == "LLMInferenceService":
            yield _get(manifest, "spec", "labels") or {}


def _containers(manifest: Json) -> list[Json]:
    paths = (("template", "spec"), ("predictor",), ("template",))
    pods = [_get(manifest, "spec", *path) for path in paths]
    return [one for pod in pods for one in (_get(pod, "containers") or [])]


def _images(manifest: Json, _: Sequence[Json]) -> Iterator[str]:
    for container in _containers(manifest):
        image = str(container.get("image") or "")
        if not image:
            yield "its container has no image."
        elif _IMAGE.fullmatch(image) is None:
            yield f"{image!r} is not the reference of an image."


def _quantities(manifest: Json, _: Sequence[Json]) -> Iterator[str]:
    for container in _containers(manifest):
        resources = container.get("resources") or {}
        parsed: dict[str, dict[str, Decimal]] = {"requests": {}, "limits": {}}
        for part, values in parsed.items():
            for name, text in (resources.get(part) or {}).items():
                try:
                    values[name] = parse_quantity(text)
                except ValueError:
                    yield f"{text!r} is not a quantity of {name}."
        for name, request in parsed["requests"].items():
            limit = parsed["limits"].get(name)
            if request <= 0:
                yield f"it requests no {name}."
            if limit is not None and request > limit:
                yield f"it requests more {name} than its limit allows."


def _ports(manifest: Json, manifests: Sequence[Json]) -> Iterator[str]:
    for container in _containers(manifest):
        known = {port.get("containerPort") for port in container.get("ports") or []}
        for name in ("livenessProbe", "readinessProbe", "startupProbe"):
            port = _get(container, name, "httpGet", "port")
            if isinstance(port, int) and port not in known:
                yield f"its {name} asks port {port}, which the container does not have."
    if manifest.get("kind") == "Service":
        names = {
            port.get("name")
            for other in manifests
            for container in _containers(other)
            for port in container.get("ports") or []
        }
        for port in _get(manifest, "spec", "ports") or []:
            target = port.get("targetPort")
            if names and isinstance(target, str) and target not in names:
                yield f"no container has a port named {target!r}."


def _autoscaler(manifest: Json, manifests: Sequence[Json]) -> Iterator[str]:
    if manifest.get("kind") != "HorizontalPodAutoscaler":
        return
    spec = manifest["spec"]
    target = _get(spec, "scaleTargetRef", "kind"), _get(spec, "scaleTargetRef", "name")
    found = [one for one in manifests if (one["kind"], one["metadata"]["name"]) == target]
    if not found:
        yield f"what it scales, {target[0]} {target[1]}, does not exist."
    elif "replicas" in found[0]["spec"]:
        yield "the Deployment that it scales has a number of replicas of its own."
    if (spec.get("minReplicas") or 1) > spec["maxReplicas"]:
        yield "it may have fewer replicas at most than at least."


def _route(manifest: Json, manifests: Sequence[Json]) -> Iterator[str]:
    if manifest.get("kind") != "HTTPRoute":
        return
    services = {one["metadata"]["name"] for one in manifests if one["kind"] == "Service"}
    for rule in manifest["spec"]["rules"]:
        for backend in rule["backendRefs"]:
            if backend["name"] not in services:
                yield f"it leads to a Service {backend['name']!r} that does not exist."
        if sum(backend.get("weight", 1) for backend in rule["backendRefs"]) != 100:
            yield "its weights are not 100 together."
    for parent in manifest["spec"]["parentRefs"]:
        if not is_subdomain(parent["name"]):
            yield f"{parent['name']!r} is not the name of a gateway."
    for hostname in manifest["spec"].get("hostnames") or []:
        if not is_subdomain(hostname.removeprefix("*.")):
            yield f"{hostname!r} is not the name of a host."


_RULES: tuple[Callable[[Json, Sequence[Json]], Iterator[str]], ...] = (
    _names,
    _selector,
    _reaches_pods,
    _images,
    _quantities,
    _ports,
    _autoscaler,
    _route,
)
