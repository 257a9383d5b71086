"""Settings of a target and choices of one deploy."""

from __future__ import annotations

from studio.api import Kind, Option

ACCELERATORS = {
    "none": "",
    "l4": "NVIDIA_L4",
    "t4": "NVIDIA_TESLA_T4",
    "a100": "NVIDIA_TESLA_A100",
    "a100-80gb": "NVIDIA_A100_80GB",
    "h100": "NVIDIA_H100_80GB",
}
"""The studio's name -> Vertex AI's name."""

TARGET_OPTIONS = (
    Option("project", title="Project", help="ID of the Google Cloud project."),
    Option(
        "api_endpoint",
        title="Address of the API",
        help="Instead of Google's own, for Private Service Connect; https only.",
        advanced=True,
    ),
    Option(
        "poll_s",
        Kind.NUMBER,
        5.0,
        title="Poll interval",
        unit="s",
        minimum=0.01,
        maximum=300,
        advanced=True,
    ),
)

DEPLOY_OPTIONS = (
    Option(
        "image",
        title="Image",
        help="In Artifact Registry, with the bundle in it; {name} and {version} are filled in.",
    ),
    Option("machine", default="n1-standard-2", title="Machine type", help="Of each replica."),
    Option(
        "accelerator",
        Kind.CHOICE,
        "none",
        title="Accelerator",
        choices=tuple(ACCELERATORS),
        choice_titles=("None", "L4", "T4", "A100 40 GB", "A100 80 GB", "H100 80 GB"),
        help="L4 goes with g2-, A100 with a2-, H100 with a3- machines, T4 with n1-.",
    ),
    Option(
        "accelerators",
        Kind.INTEGER,
        1,
        title="Accelerators",
        minimum=1,
        maximum=16,
        advanced=True,
    ),
    Option("replicas", Kind.INTEGER, 1, title="Minimum replicas", minimum=1, maximum=1000),
    Option(
        "max_replicas",
        Kind.INTEGER,
        0,
        title="Maximum replicas",
        zero="same as minimum",
        minimum=0,
        maximum=1000,
    ),
    Option(
        "scale_at",
        Kind.INTEGER,
        60,
        title="Add replicas at load",
        help="Of the processor, or of the accelerator where there is one.",
        unit="%",
        minimum=1,
        maximum=100,
    ),
    Option(
        "service_account",
        title="Service account",
        help="Identity of the server. Default: the Vertex AI service agent.",
        advanced=True,
    ),
    Option(
        "timeout_s",
        Kind.INTEGER,
        3600,
        title="Deploy timeout",
        help="A repeated deploy resumes where it stopped.",
        unit="s",
        minimum=1,
        maximum=86400,
        advanced=True,
    ),
)
