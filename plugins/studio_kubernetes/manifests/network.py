"""Network objects of the pods: Service, NetworkPolicy, Ingress and HTTPRoute."""

from __future__ import annotations

from studio_kubernetes.manifests.apps import egress
from studio_kubernetes.manifests.names import STABLE, TRACK
from studio_kubernetes.manifests.workload import Json, Workload

SERVICE_PORT = 80


def service(workload: Workload, meta: Json, track: str) -> Json:
    """Return the Service of a track, or of both tracks without a weighted gateway."""
    selector = dict(workload.place.selector)
    if workload.options["gateway"] or track != STABLE:
        selector[TRACK] = track
    kind = workload.options["service"] if track == STABLE else "ClusterIP"
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": meta,
        "spec": {
            "ports": [
                {"name": "http", "port": SERVICE_PORT, "protocol": "TCP", "targetPort": "http"}
            ],
            "selector": selector,
            "type": kind,
        },
    }


def is_open(workload: Workload) -> bool:
    """Return whether requests come from beyond the namespace's own pods."""
    options = workload.options
    away = workload.kind == "llminferenceservice"  # KServe's gateway is in a namespace of its own
    return bool(
        away or options["gateway"] or options["ingress"] or options["service"] != "ClusterIP"
    )


def network_policy(workload: Workload, meta: Json) -> Json | None:
    """Return a policy of the allowed clients and of outgoing traffic; None without a policy."""
    clients = workload.options["clients"]
    if clients == "unrestricted":
        return None
    rule: Json = {"ports": [{"port": workload.port, "protocol": "TCP"}]}
    inside = clients == "automatic" and not is_open(workload)
    if inside or clients == "namespace":
        rule["from"] = [{"podSelector": {}}]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": meta,
        "spec": {
            # The server opens no connections of its own; an app does.
            "egress": egress(workload),
            "ingress": [rule],
            "podSelector": {"matchLabels": workload.place.selector},
            "policyTypes": ["Egress", "Ingress"],
        },
    }


def ingress(workload: Workload, meta: Json) -> Json | None:
    """Return an Ingress if a class is named."""
    options = workload.options
    if not options["ingress"]:
        return None
    backend = {"service": {"name": workload.place.name, "port": {"name": "http"}}}
    rule: Json = {"http": {"paths": [{"backend": backend, "path": "/", "pathType": "Prefix"}]}}
    if options["hostname"]:
        rule["host"] = options["hostname"]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": meta,
        "spec": {"ingressClassName": options["ingress"], "rules": [rule]},
    }


def http_route(workload: Workload, meta: Json, percent: int) -> Json | None:
    """Return an HTTPRoute with one weight, or two during a canary; None without a gateway.

    Args:
        percent: Of the requests for the canary.
    """
    options = workload.options
    if not options["gateway"]:
        return None
    namespace, slash, name = options["gateway"].rpartition("/")
    parent = {"name": name, **({"namespace": namespace} if slash else {})}
    spec: Json = {
        "parentRefs": [parent],
        "rules": [{"backendRefs": _backends(workload, percent)}],
    }
    if options["hostname"]:
        spec["hostnames"] = [options["hostname"]]
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": meta,
        "spec": spec,
    }


def _backends(workload: Workload, percent: int) -> list[Json]:
    place = workload.place
    stable = {"name": place.name, "port": SERVICE_PORT, "weight": 100 - percent}
    if not percent:
        return [stable]
    return [stable, {"name": place.canary, "port": SERVICE_PORT, "weight": percent}]
