"""The settings of a target in a cluster, and the choices of one deploy."""

from __future__ import annotations

from studio.api import Kind, Option

AUTOMATIC = "auto"
"""A size of memory that follows from the model."""

TARGET_OPTIONS = (
    Option(
        "kubeconfig",
        Kind.FILE,
        title="Kubeconfig",
        help="Kubeconfig file (default: $KUBECONFIG, else ~/.kube/config).",
    ),
    Option(
        "patience_s",
        Kind.INTEGER,
        10,
        title="Request timeout",
        help="Timeout of a request to the cluster.",
        unit="s",
        minimum=1,
        maximum=300,
        advanced=True,
    ),
)

_IMAGE = (
    Option(
        "image",
        title="Image",
        help="Image reference; {name}, {version} and {digest} are replaced "
        "(registry.example/models/{name}:{version}).",
    ),
    Option(
        "bundle",
        Kind.CHOICE,
        "image",
        title="Bundle location",
        help="Location of the bundle. An image with Python, numpy and onnxruntime takes it from "
        "ConfigMaps (below 1 MiB), an image volume (Kubernetes 1.31) or a modelcar of KServe.",
        choices=("image", "configmap", "volume", "modelcar"),
        choice_titles=(
            "in the image",
            "in ConfigMaps",
            "in an image volume",
            "in a modelcar of KServe",
        ),
    ),
    Option(
        "model_image",
        title="Model image",
        help="Image with /models for an image volume or a modelcar, as HOST/PATH@sha256:...",
    ),
    Option(
        "kind",
        Kind.CHOICE,
        "deployment",
        title="Workload",
        help="A Deployment, or an object of KServe where it is installed. LLMInferenceService is "
        "for language models.",
        choices=("deployment", "inferenceservice", "llminferenceservice"),
        choice_titles=("Deployment", "KServe InferenceService", "KServe LLMInferenceService"),
    ),
    Option(
        "pull_secret", title="Pull secret", help="Secret in the namespace with the registry login."
    ),
)
_SIZE = (
    Option("replicas", Kind.INTEGER, 1, title="Replicas", minimum=1, maximum=1000),
    Option(
        "cpu", default="250m", title="CPU", help="CPU request of each replica, such as 250m or 2."
    ),
    Option("cpu_limit", title="CPU limit", help="Empty for none.", advanced=True),
    Option(
        "memory",
        default=AUTOMATIC,
        title="Memory",
        help="Memory request of each replica; auto is 256Mi, or what a language model is "
        "predicted to take.",
    ),
    Option(
        "memory_limit",
        default=AUTOMATIC,
        title="Memory limit",
        help="Empty for none; auto is 512Mi, or the prediction of a language model and a fifth.",
    ),
    Option(
        "gpus",
        Kind.INTEGER,
        0,
        title="GPUs",
        help="GPUs (nvidia.com/gpu) of each replica.",
        zero="none",
        minimum=0,
        maximum=16,
    ),
    Option(
        "max_replicas",
        Kind.INTEGER,
        0,
        title="Maximum replicas",
        help="Maximum number of replicas under load.",
        zero="no autoscaling",
        minimum=0,
        maximum=1000,
    ),
    Option(
        "scale_on",
        Kind.CHOICE,
        "cpu",
        title="Autoscaling metric",
        help="CPU usage, requests in flight, or requests that wait for a slot of a language "
        "model. The latter two need an adapter for custom metrics.",
        choices=("cpu", "requests", "waiting"),
        choice_titles=("CPU", "requests in flight", "waiting requests"),
    ),
    Option(
        "scale_at",
        Kind.INTEGER,
        0,
        title="Add replicas at load",
        help="Autoscaling threshold: percent of the requested CPU, or requests per replica.",
        zero="automatic",
        minimum=0,
        maximum=1000,
        advanced=True,
    ),
)
_NETWORK = (
    Option(
        "service",
        Kind.CHOICE,
        "ClusterIP",
        title="Service",
        choices=("ClusterIP", "NodePort", "LoadBalancer"),
    ),
    Option(
        "gateway",
        title="Gateway",
        help="Gateway as [NAMESPACE/]NAME. An HTTPRoute splits the traffic of a canary exactly.",
    ),
    Option("ingress", title="Ingress class", help="Class of the Ingress for requests."),
    Option("hostname", title="Host name", help="Host name of the route or Ingress."),
    Option(
        "clients",
        Kind.CHOICE,
        "automatic",
        title="Allowed clients",
        help="NetworkPolicy of the server, which also blocks outgoing connections. "
        "Automatic: pods of the namespace, or all clients with a gateway, an Ingress "
        "or a service other than ClusterIP.",
        choices=("automatic", "namespace", "all", "unrestricted"),
        choice_titles=("automatic", "pods of the namespace", "anyone", "all clients, no policy"),
    ),
    Option(
        "token_secret",
        title="Token Secret",
        help="Secret in the namespace whose key 'token' is the bearer token (default: no token).",
    ),
    Option(
        "port",
        Kind.INTEGER,
        8477,
        title="Port",
        help="Port of the server in the image.",
        minimum=1,
        maximum=65535,
        advanced=True,
    ),
)
_PLACE = (
    Option("node_selector", title="Node labels", help="KEY=VALUE,...", advanced=True),
    Option("tolerations", title="Tolerations", help="KEY[=VALUE][:EFFECT],...", advanced=True),
    Option(
        "force",
        Kind.FLAG,
        False,
        title="Overwrite other tools",
        help="Overwrite fields set by other tools.",
        advanced=True,
    ),
    Option(
        "timeout_s",
        Kind.INTEGER,
        600,
        title="Deploy timeout",
        help="Maximum time until the new release is ready.",
        unit="s",
        minimum=5,
        maximum=7200,
        advanced=True,
    ),
    Option(
        "drain_s",
        Kind.INTEGER,
        0,
        title="Drain time",
        help="Time for answers to end before a pod stops: 10 s, or 120 s for a language model.",
        unit="s",
        zero="automatic",
        minimum=0,
        maximum=3600,
        advanced=True,
    ),
    Option(
        "judge_s",
        Kind.INTEGER,
        0,
        title="Canary analysis",
        help="Duration of the canary analysis, which promotes or rolls back by errors and latency.",
        zero="manual",
        unit="s",
        minimum=0,
        maximum=86400,
    ),
)

_APP = (
    Option(
        "app_storage",
        default="1Gi",
        title="Volume of an app",
        help="Size of the volume (PersistentVolumeClaim) for events that are not delivered yet. "
        "Empty: they end with the pod.",
    ),
    Option(
        "storage_class",
        title="Storage class",
        help="Class of that volume (default: the cluster's).",
        advanced=True,
    ),
    Option(
        "variables_secret",
        title="Variables Secret",
        help="Secret in the namespace whose key 'variables' is a JSON object with the variables "
        "of the app.",
    ),
    Option(
        "app_egress",
        title="Networks of an app",
        help="Networks that an app may connect to, such as 192.0.2.0/24,10.0.0.0/8 (default: all).",
        advanced=True,
    ),
    Option(
        "device_resources",
        title="Devices of an app",
        help="Resources of a device plugin of the cluster, such as smarter-devices/video0.",
        advanced=True,
    ),
)

DEPLOY_OPTIONS = (*_IMAGE, *_SIZE, *_NETWORK, *_APP, *_PLACE)
