"""Settings of a target and choices of one deploy."""

from __future__ import annotations

from studio.api import Kind, Option

MANAGEMENT = "https://management.azure.com"

TARGET_OPTIONS = (
    Option("subscription", title="Subscription", help="Its ID."),
    Option("resource_group", title="Resource group", help="That of the workspace."),
    Option(
        "management",
        default=MANAGEMENT,
        title="Management address",
        help="Of Azure Resource Manager; https only.",
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

PLACE_OPTIONS = (
    Option("workspace", title="Workspace", required=True, help="In Foundry: the project of a hub."),
    Option(
        "endpoint", title="Endpoint", required=True, help="A managed online one; a deploy makes it."
    ),
)
"""Parts of a target's URL."""

DEPLOY_OPTIONS = (
    Option(
        "image",
        title="Image",
        help="With the bundle in it, in the workspace's registry; {name} and {version} are "
        "filled in.",
    ),
    Option(
        "instance_type",
        default="Standard_DS3_v2",
        title="Instance type",
        help="A100: Standard_NC24ads_A100_v4. H100: Standard_NC40ads_H100_v5. "
        "T4: Standard_NC4as_T4_v3.",
    ),
    Option("instances", Kind.INTEGER, 1, title="Instances", minimum=1, maximum=100),
    Option(
        "max_instances",
        Kind.INTEGER,
        0,
        title="Maximum instances",
        zero="no autoscaling",
        minimum=0,
        maximum=100,
    ),
    Option(
        "scale_at",
        Kind.INTEGER,
        70,
        title="Add instances at CPU load",
        unit="%",
        minimum=2,
        maximum=100,
    ),
    Option(
        "mirror",
        Kind.INTEGER,
        0,
        title="Mirror",
        help="Percent of the requests copied to the new release. Its answers are discarded.",
        zero="none",
        unit="%",
        minimum=0,
        maximum=50,
    ),
    Option(
        "auth",
        Kind.CHOICE,
        "AADToken",
        title="Authentication",
        choices=("AADToken", "Key"),
        choice_titles=("A token of Microsoft Entra", "A key of the endpoint"),
        help="Kept as it is once the endpoint exists.",
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
