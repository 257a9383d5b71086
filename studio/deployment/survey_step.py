"""The steps for many targets: find some, look at all of them."""

from __future__ import annotations

from studio.api import Kind, Option, Permission
from studio.api.discovery import WAYS
from studio.jobs import Limits, Step

_NEEDS = frozenset({Permission.NETWORK, Permission.HOME, Permission.SECRETS, Permission.PROCESSES})

TARGET_FIND = Step(
    name="target-find",
    title="Find boards",
    summary="Look for boards: in ~/.ssh/config, by what they announce, in a subnet on request.",
    options=(
        Option(
            "way",
            Kind.CHOICE,
            default=["config", "mdns"],
            many=True,
            choices=WAYS,
            choice_titles=("~/.ssh/config", "announcements (mDNS)", "a subnet"),
            title="Where to look",
            help="The network is only listened to, unless a subnet is asked for.",
        ),
        Option(
            "subnet",
            help="Ask each address of it for an SSH server: 192.168.1.0/24. At most 1,024.",
        ),
        Option("seconds", Kind.NUMBER, 3.0, minimum=0, maximum=60, title="Listen", unit="s"),
    ),
    work="studio.deployment.survey:find",
    needs=_NEEDS,
    limits=Limits(seconds=600),
)

TARGET_LOOK = Step(
    name="target-look",
    title="Look at boards",
    summary="Ask many targets at once how they are, and what they serve.",
    options=(
        Option(
            "target",
            Kind.TARGET,
            many=True,
            required=True,
            positional=True,
            help="Targets, or @GROUP.",
        ),
        Option("parallel", Kind.INTEGER, 16, minimum=1, maximum=64, help="Targets at a time."),
    ),
    work="studio.deployment.survey:look",
    record="studio.deployment.record:looked",
    needs=_NEEDS,
    limits=Limits(seconds=3600),
)
