"""What an app in a cluster needs besides: a claim for its events, variables, devices, a way out."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from studio.api import Refused, UsageError
from studio_kubernetes.manifests.names import is_label_key, is_subdomain
from studio_kubernetes.manifests.quantities import parse_quantity
from studio_kubernetes.manifests.workload import Json, Workload

DATA = "/app-data"
VARIABLES = "/app-variables"
KEY = "variables"
"""Key of the Secret with the variables: a JSON object of texts."""

_DNS = ("UDP", "TCP")


def check_app(workload: Workload) -> None:
    """Check the options of an app.

    Raises:
        Refused: for more than one pod, which would read the same camera twice.
        UsageError: for a value that the cluster would not take.
    """
    options = workload.options
    if not workload.has_app:
        return
    if options["kind"] != "deployment":
        raise Refused("An app is served by a Deployment.", hint="Leave out kind.")
    if max(int(options["replicas"]), int(options["max_replicas"])) > 1:
        raise Refused("An app runs once: a second replica would report each event again.")
    try:
        parse_quantity(options.get("app_storage") or "1Gi")
    except ValueError:
        raise UsageError(f"{options['app_storage']!r} is no size of a volume.") from None
    secret = options.get("variables_secret")
    if secret and not is_subdomain(str(secret)):
        raise UsageError(f"{secret!r} is not the name of a Secret.")
    for name in devices(workload):
        if not is_label_key(name):
            raise UsageError(f"{name!r} is not the name of a resource, such as vendor.com/camera.")
    list(_networks(workload))


def claim(workload: Workload, meta: Json) -> Json | None:
    """Return the claim of the volume for events; None for a model, or without a size."""
    size = workload.options.get("app_storage")
    if not workload.has_app or not size:
        return None
    spec: Json = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": str(size)}},
    }
    if name := workload.options.get("storage_class"):
        spec["storageClassName"] = str(name)
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {**meta, "name": claim_name(workload)},
        "spec": spec,
    }


def claim_name(workload: Workload) -> str:
    """Return the name of the claim."""
    return f"{workload.place.name}-app"


def volumes(workload: Workload) -> list[Json]:
    """Return the volumes of an app."""
    if not workload.has_app:
        return []
    kept: Json = {"persistentVolumeClaim": {"claimName": claim_name(workload)}}
    if not workload.options.get("app_storage"):
        kept = {"emptyDir": {"sizeLimit": "256Mi"}}
    found = [{"name": "app-data", **kept}]
    if secret := workload.options.get("variables_secret"):
        items = [{"key": KEY, "path": "variables.json"}]
        found.append(
            {
                "name": "app-variables",
                "secret": {"defaultMode": 0o440, "items": items, "secretName": str(secret)},
            }
        )
    return found


def mounts(workload: Workload) -> list[Json]:
    """Return where the volumes of an app are."""
    if not workload.has_app:
        return []
    found: list[Json] = [{"name": "app-data", "mountPath": DATA}]
    if workload.options.get("variables_secret"):
        found.append({"name": "app-variables", "mountPath": VARIABLES, "readOnly": True})
    return found


def environment(workload: Workload) -> list[Json]:
    """Return the variables of the environment of an app."""
    if not workload.has_app:
        return []
    found: list[Json] = [{"name": "EDGEWRIGHT_APP_DATA", "value": DATA}]
    if workload.options.get("variables_secret"):
        path = f"{VARIABLES}/variables.json"
        found.append({"name": "EDGEWRIGHT_APP_VARIABLES_FILE", "value": path})
    return found


def devices(workload: Workload) -> list[str]:
    """Return the resources of a device plugin of the cluster, one of each."""
    text = str(workload.options.get("device_resources") or "") if workload.has_app else ""
    return [one.strip() for one in text.split(",") if one.strip()]


def egress(workload: Workload) -> list[Json]:
    """Return where the server may connect to: nowhere, or the cameras and receivers of an app."""
    if not workload.has_app:
        return []
    blocks = [{"ipBlock": {"cidr": one}} for one in _networks(workload)]
    if not blocks:
        return [{}]
    names = {"ports": [{"port": 53, "protocol": protocol} for protocol in _DNS]}
    return [names, {"to": blocks}]


def _networks(workload: Workload) -> Iterator[str]:
    for text in str(workload.options.get("app_egress") or "").split(","):
        if not text.strip():
            continue
        try:
            yield str(ipaddress.ip_network(text.strip()))
        except ValueError:
            raise UsageError(f"{text.strip()!r} is not a network such as 192.0.2.0/24.") from None
