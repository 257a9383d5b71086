"""The pod of a release: container, probes, resources, and what it may do."""

from __future__ import annotations

import math

from studio.api import UsageError
from studio_kubernetes.manifests import apps, generation
from studio_kubernetes.manifests.model_images import (
    bundle_folder,
    bundle_mounts,
    bundle_volumes,
    storage_environment,
)
from studio_kubernetes.manifests.names import (
    MODEL_NAME,
    RELEASE,
    TRACK,
    is_label_key,
    is_label_value,
)
from studio_kubernetes.manifests.network import is_open
from studio_kubernetes.manifests.workload import Json, Workload

CONTAINER = "server"
PROGRAM = ("python3", "/opt/edgewright/edgewright.pyz")
"""The program of the studio's images."""

USER = 65532
"""The customary number of a user without rights; nothing needs to exist under it in the image."""


def pod_template(workload: Workload, track: str) -> Json:
    """Return the pod template of a Deployment."""
    return {
        "metadata": {
            "labels": {**workload.labels, TRACK: track},
            "annotations": pod_annotations(workload),
        },
        "spec": {**pod_spec(workload, CONTAINER), "topologySpreadConstraints": [_spread(workload)]},
    }


def pod_annotations(workload: Workload) -> Json:
    """Return the annotations of a pod.

    Without the user: the same release by another user is no reason for new pods.
    """
    return {
        MODEL_NAME: workload.model,
        RELEASE: workload.release,
        "prometheus.io/path": "/metrics",
        "prometheus.io/port": str(workload.port),
        "prometheus.io/scrape": "true",
    }


def pod_spec(workload: Workload, container: str) -> Json:
    """Return the pod without its labels."""
    spec: Json = {
        "automountServiceAccountToken": False,
        "containers": [_container(workload, container)],
        "enableServiceLinks": False,
        "securityContext": {
            "fsGroup": USER,
            "runAsGroup": USER,
            "runAsNonRoot": True,
            "runAsUser": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "terminationGracePeriodSeconds": generation.grace_s(workload.options),
        "volumes": _volumes(workload),
    }
    if workload.options.get("pull_secret"):
        spec["imagePullSecrets"] = [{"name": workload.options["pull_secret"]}]
    if selector := node_selector(workload.options.get("node_selector")):
        spec["nodeSelector"] = selector
    if tolerated := tolerations(workload.options.get("tolerations")):
        spec["tolerations"] = tolerated
    return spec


def _container(workload: Workload, name: str) -> Json:
    container: Json = {
        "name": name,
        "image": workload.image,
        "imagePullPolicy": "IfNotPresent",
        "lifecycle": {"preStop": {"exec": {"command": _settle()}}},
        "livenessProbe": _probe("live", workload, periodSeconds=10, failureThreshold=6),
        "ports": [{"name": "http", "containerPort": workload.port, "protocol": "TCP"}],
        "readinessProbe": _probe("ready", workload, periodSeconds=5, failureThreshold=2),
        "resources": resources(workload),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "privileged": False,
            "readOnlyRootFilesystem": True,
        },
        "startupProbe": _startup(workload),
        "volumeMounts": _mounts(workload),
    }
    if secret := workload.options.get("token_secret"):
        source = {"secretKeyRef": {"key": "token", "name": secret}}
        container["env"] = [{"name": "EDGEWRIGHT_TOKEN", "valueFrom": source}]
    else:
        container["env"] = [{"name": "EDGEWRIGHT_ALLOWED_HOSTS", "value": _host_names(workload)}]
    container["env"] += apps.environment(workload) + generation.environment(workload.options)
    container["env"] += storage_environment(workload)
    more = generation.server_options(workload.options)
    if workload.maps:
        place = ["--bundle", bundle_folder(workload)]
        serve = ["serve", *place, "--host", "0.0.0.0", "--port", str(workload.port)]
        container["command"] = ["python3", "/runtime/runtime.pyz", *serve, *more]
    elif more:
        # In place of the image's own, which differ in these.
        container["args"] = ["serve", "--host", "0.0.0.0", "--port", str(workload.port), *more]
        if workload.kind == "llminferenceservice":
            container["command"] = list(PROGRAM)  # KServe has one of its own
    return container


def _startup(workload: Workload) -> Json:
    """Return the probe until whose success no pod is killed for being slow.

    A model may take a minute to load and to measure its threads, a language model as long as its
    file takes to be read.
    """
    seconds = generation.loading_s(workload.options)
    if not seconds:
        return _probe("live", workload, periodSeconds=2, failureThreshold=90)
    return _probe("ready", workload, periodSeconds=5, failureThreshold=math.ceil(seconds / 5))


def _host_names(workload: Workload) -> str:
    """Return the host names of clients without a token; the server refuses browsers others."""
    if hostname := workload.options["hostname"]:
        return str(hostname)
    if is_open(workload) or workload.kind != "deployment":
        return "*"  # the load balancer or KServe gives it a name that is not known here
    place = workload.place
    services = (f"{name}.{place.namespace}" for name in (place.name, place.canary))
    return ",".join(f"{name}{end}" for name in services for end in ("", ".svc"))


def _settle() -> list[str]:
    # The one program that an image of the runtime is sure to have.
    return ["python3", "-I", "-c", f"import time; time.sleep({generation.SETTLE_S})"]


def _probe(route: str, workload: Workload, **values: int) -> Json:
    request = {"path": f"/v2/health/{route}", "port": workload.port, "scheme": "HTTP"}
    return {"httpGet": request, "timeoutSeconds": 5 if workload.generates else 3, **values}


def resources(workload: Workload) -> Json:
    """Return requests and limits of one replica."""
    options = workload.options
    memory, memory_limit = generation.memory_of(options)
    requests = {"cpu": options["cpu"], "memory": memory}
    limits = {"cpu": options["cpu_limit"], "memory": memory_limit}
    if options["gpus"]:
        limits["nvidia.com/gpu"] = str(options["gpus"])
    limits.update(dict.fromkeys(apps.devices(workload), "1"))
    found = {
        "limits": {key: str(value) for key, value in limits.items() if value},
        "requests": {key: str(value) for key, value in requests.items() if value},
    }
    return {key: value for key, value in found.items() if value}


def _volumes(workload: Workload) -> list[Json]:
    volumes: list[Json] = [{"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}}]
    return [*volumes, *apps.volumes(workload), *bundle_volumes(workload)]


def _mounts(workload: Workload) -> list[Json]:
    mounts: list[Json] = [{"name": "tmp", "mountPath": "/tmp"}]
    return [*mounts, *apps.mounts(workload), *bundle_mounts(workload)]


def _spread(workload: Workload) -> Json:
    return {
        "labelSelector": {"matchLabels": workload.place.selector},
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
    }


_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


def node_selector(text: str | None) -> dict[str, str]:
    """Return ``KEY=VALUE,...`` as a nodeSelector.

    Raises:
        UsageError: for another form.
    """
    found = {}
    for part in _parts(text):
        key, equals, value = part.partition("=")
        if not equals or not is_label_key(key) or not is_label_value(value):
            raise UsageError(f"{part!r} is not a node's label.", hint="Write KEY=VALUE,...")
        found[key] = value
    return found


def tolerations(text: str | None) -> list[Json]:
    """Return ``KEY[=VALUE][:EFFECT],...`` as tolerations.

    Raises:
        UsageError: for another form.
    """
    found = []
    for part in _parts(text):
        rest, colon, effect = part.partition(":")
        key, equals, value = rest.partition("=")
        wrong = not is_label_key(key) or not is_label_value(value)
        if wrong or (colon and effect not in _EFFECTS):
            raise UsageError(
                f"{part!r} is not a toleration.",
                hint=f"Write KEY[=VALUE][:EFFECT]; an effect is one of {', '.join(_EFFECTS)}.",
            )
        one: Json = {"key": key, "operator": "Equal" if equals else "Exists"}
        if equals:
            one["value"] = value
        if effect:
            one["effect"] = effect
        found.append(one)
    return found


def _parts(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(",") if part.strip()]
