"""The settings of a target at SageMaker, and the choices of one deploy."""

from __future__ import annotations

from studio.api import Kind, Option

REALTIME, SERVERLESS, ASYNC = "realtime", "serverless", "async"

_ROLE = Option(
    "role",
    title="Role",
    help="ARN of the IAM role that lets SageMaker read the bucket and the image.",
)
_BUCKET = Option(
    "bucket", title="Bucket", help="S3 bucket for models (default: sagemaker-REGION-ACCOUNT)."
)
TARGET_OPTIONS = (
    Option(
        "profile",
        title="Profile",
        help="Profile in ~/.aws/config (default: the credential chain of the AWS SDK). "
        "Never a key.",
    ),
    _ROLE,
    _BUCKET,
    Option(
        "poll_s",
        Kind.NUMBER,
        10,
        title="Polling interval",
        unit="s",
        minimum=0.01,
        maximum=120,
        advanced=True,
    ),
    Option(
        "time_limit_s",
        Kind.INTEGER,
        3600,
        title="Deploy timeout",
        help="Time to wait for AWS. AWS continues afterwards; deploy again to resume.",
        unit="s",
        minimum=1,
        maximum=28800,
        advanced=True,
    ),
)

_SERVED = (
    Option(
        "image",
        title="Image",
        help="ECR URI of an image from studio package --image; {name}, {version} and "
        "{digest} are replaced.",
    ),
    _ROLE,
    _BUCKET,
    Option(
        "mode",
        Kind.CHOICE,
        REALTIME,
        title="Inference",
        choices=(REALTIME, SERVERLESS, ASYNC),
        choice_titles=("real-time", "serverless", "asynchronous"),
    ),
    Option(
        "instance_type",
        default="ml.c6i.large",
        title="Instance type",
        help="ml.c6i.large; with a GPU ml.g5.xlarge (A10G), ml.g6.xlarge (L4), "
        "ml.p4d.24xlarge (8 A100), ml.p5.48xlarge (8 H100).",
    ),
    Option("instances", Kind.INTEGER, 1, title="Instances", minimum=1, maximum=100),
    Option(
        "max_instances",
        Kind.INTEGER,
        0,
        title="Maximum instances",
        help="Maximum number of instances under load.",
        zero="no autoscaling",
        minimum=0,
        maximum=100,
    ),
    Option(
        "scale_at",
        Kind.INTEGER,
        600,
        title="Add instances at load",
        help="Autoscaling threshold: requests per instance and minute.",
        minimum=1,
        maximum=1000000,
        advanced=True,
    ),
    Option(
        "memory_mb",
        Kind.CHOICE,
        "2048",
        title="Memory, serverless",
        choices=("1024", "2048", "3072", "4096", "5120", "6144"),
        advanced=True,
    ),
    Option(
        "concurrency",
        Kind.INTEGER,
        5,
        title="Concurrency, serverless",
        minimum=1,
        maximum=200,
        advanced=True,
    ),
)
_GUARDED = (
    Option(
        "shift",
        Kind.CHOICE,
        "all_at_once",
        title="Traffic shift",
        help="How an update shifts traffic to the new instances (deployment guardrail).",
        choices=("all_at_once", "canary", "linear", "rolling"),
        choice_titles=("all at once", "canary", "linear", "rolling"),
    ),
    Option(
        "step_percent",
        Kind.INTEGER,
        20,
        title="Size of a traffic step",
        unit="%",
        minimum=5,
        maximum=50,
        advanced=True,
    ),
    Option(
        "bake_s",
        Kind.INTEGER,
        300,
        title="Baking period",
        help="Baking period after each step, before the old instances end.",
        unit="s",
        minimum=0,
        maximum=3600,
        advanced=True,
    ),
    Option(
        "alarm_errors",
        Kind.INTEGER,
        1,
        title="Alarm at errors",
        help="5xx responses per minute at which an update rolls back automatically.",
        zero="no alarm",
        minimum=0,
        maximum=1000000,
    ),
    Option(
        "alarm_latency_ms",
        Kind.INTEGER,
        0,
        title="Alarm at latency",
        help="p90 model latency at which an update rolls back automatically.",
        unit="ms",
        zero="no alarm",
        minimum=0,
        maximum=60000,
    ),
)
DEPLOY_OPTIONS = (*_SERVED, *_GUARDED)
