"""The settings of a target in a cluster, and the choices of one deploy."""

from __future__ import annotations

from studio.api import Kind, Option

TARGET_OPTIONS = (
    Option(
        "kubeconfig",
        Kind.FILE,
        title="Kubeconfig",
        help="The file with the contexts; else $KUBECONFIG, else ~/.kube/config.",
    ),
    Option(
        "patience_s",
        Kind.INTEGER,
        10,
        title="Patience",
        help="How long the cluster may take for one answer.",
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
        help="A reference; {name}, {version} and {digest} are filled in "
        "(registry.example/models/{name}:{version}).",
    ),
    Option(
        "bundle",
        Kind.CHOICE,
        "image",
        title="The bundle is",
        help="In the image, or beside any image with Python, numpy and onnxruntime "
        "in ConfigMaps (bundles below 1 MiB).",
        choices=("image", "configmap"),
        choice_titles=("in the image", "in ConfigMaps"),
    ),
    Option(
        "kind",
        Kind.CHOICE,
        "deployment",
        title="Served by",
        help="A Deployment, or an InferenceService where KServe is installed.",
        choices=("deployment", "inferenceservice"),
        choice_titles=("Deployment", "KServe InferenceService"),
    ),
    Option("pull_secret", title="Pull secret", help="A Secret of the namespace for the registry."),
)
_SIZE = (
    Option("replicas", Kind.INTEGER, 1, title="Replicas", minimum=1, maximum=1000),
    Option("cpu", default="250m", title="CPU", help="Requested for each replica (250m, 2)."),
    Option("cpu_limit", title="CPU limit", help="Empty for none.", advanced=True),
    Option("memory", default="256Mi", title="Memory", help="Requested for each replica."),
    Option("memory_limit", default="512Mi", title="Memory limit", help="Empty for none."),
    Option(
        "gpus",
        Kind.INTEGER,
        0,
        title="GPUs",
        help="nvidia.com/gpu of each replica.",
        zero="none",
        minimum=0,
        maximum=16,
    ),
    Option(
        "max_replicas",
        Kind.INTEGER,
        0,
        title="At most",
        help="More replicas under load, up to this number.",
        zero="no autoscaling",
        minimum=0,
        maximum=1000,
    ),
    Option(
        "scale_on",
        Kind.CHOICE,
        "cpu",
        title="Scale on",
        help="CPU use, or requests in flight (needs an adapter for custom metrics).",
        choices=("cpu", "requests"),
        choice_titles=("CPU", "requests in flight"),
    ),
    Option(
        "scale_at",
        Kind.INTEGER,
        0,
        title="Scale at",
        help="Percent of the requested CPU, or requests in flight of each replica.",
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
        help="[NAMESPACE/]NAME of a Gateway: requests come by an HTTPRoute, whose weights "
        "divide them exactly while a canary is judged.",
    ),
    Option("ingress", title="Ingress class", help="Requests come by an Ingress of this class."),
    Option("hostname", title="Host name", help="Of the route or ingress."),
    Option(
        "clients",
        Kind.CHOICE,
        "automatic",
        title="Who may ask",
        help="Becomes a NetworkPolicy, which also forbids the server to call anyone. Automatic: "
        "pods of the namespace, or anyone where requests come from outside (a gateway, an "
        "ingress, a service that is no ClusterIP).",
        choices=("automatic", "namespace", "all", "unrestricted"),
        choice_titles=("automatic", "pods of the namespace", "anyone", "anyone, no policy"),
    ),
    Option(
        "token_secret",
        title="Token's Secret",
        help="A Secret of the namespace whose key 'token' clients must send; empty for none.",
    ),
    Option(
        "port",
        Kind.INTEGER,
        8477,
        title="Port",
        help="At which the image listens.",
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
        title="Take over",
        help="Take over fields that something else set.",
        advanced=True,
    ),
    Option(
        "timeout_s",
        Kind.INTEGER,
        600,
        title="Time limit",
        help="Until the new release must be ready.",
        unit="s",
        minimum=5,
        maximum=7200,
        advanced=True,
    ),
    Option(
        "judge_s",
        Kind.INTEGER,
        0,
        title="Judge the canary for",
        help="Promote or take it back by errors and latency within this time.",
        zero="not by itself",
        unit="s",
        minimum=0,
        maximum=86400,
    ),
)

DEPLOY_OPTIONS = (*_IMAGE, *_SIZE, *_NETWORK, *_PLACE)
