"""The kinds of objects that a target may consist of, and where the API keeps them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ApiKind:
    """Kind of API object.

    Attributes:
        serves: Part of what serves; the others only keep what is needed to serve again.
        optional: What the cluster may lack, or not allow to be listed.
    """

    kind: str
    api: str
    plural: str
    serves: bool = True
    optional: bool = False

    def path(self, namespace: str, name: str = "", part: str = "") -> str:
        """Return the path of a collection, of one object, or of a subresource (``scale``)."""
        root = f"/api/{self.api}" if "/" not in self.api else f"/apis/{self.api}"
        tail = "".join(f"/{segment}" for segment in (name, part) if segment)
        return f"{root}/namespaces/{namespace}/{self.plural}{tail}"


DEPLOYMENT = ApiKind("Deployment", "apps/v1", "deployments")
SERVICE = ApiKind("Service", "v1", "services")
AUTOSCALER = ApiKind("HorizontalPodAutoscaler", "autoscaling/v2", "horizontalpodautoscalers")
BUDGET = ApiKind("PodDisruptionBudget", "policy/v1", "poddisruptionbudgets")
POLICY = ApiKind("NetworkPolicy", "networking.k8s.io/v1", "networkpolicies")
INGRESS = ApiKind("Ingress", "networking.k8s.io/v1", "ingresses")
CONFIG_MAP = ApiKind("ConfigMap", "v1", "configmaps", serves=False)
CLAIM = ApiKind(
    "PersistentVolumeClaim", "v1", "persistentvolumeclaims", serves=False, optional=True
)
ROUTE = ApiKind("HTTPRoute", "gateway.networking.k8s.io/v1", "httproutes", optional=True)
INFERENCE_SERVICE = ApiKind(
    "InferenceService", "serving.kserve.io/v1beta1", "inferenceservices", optional=True
)
LLM_SERVICE = ApiKind(
    "LLMInferenceService", "serving.kserve.io/v1alpha2", "llminferenceservices", optional=True
)
OF_KSERVE = {"inferenceservice": INFERENCE_SERVICE, "llminferenceservice": LLM_SERVICE}
"""Kinds of KServe by the option that chooses them."""

POD = ApiKind("Pod", "v1", "pods")
EVENT = ApiKind("Event", "v1", "events")
QUOTA = ApiKind("ResourceQuota", "v1", "resourcequotas")

OURS = (
    ROUTE,
    INGRESS,
    AUTOSCALER,
    INFERENCE_SERVICE,
    LLM_SERVICE,
    DEPLOYMENT,
    SERVICE,
    BUDGET,
    POLICY,
    CONFIG_MAP,
    CLAIM,
)
"""Kinds that the studio creates, in the order of their deletion."""

BY_KIND = {one.kind: one for one in OURS}
