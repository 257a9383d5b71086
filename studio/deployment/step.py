"""The steps of deployment: look at a target, deploy, list, roll back, take away."""

from __future__ import annotations

from studio.api import Kind, Option, Permission
from studio.api.discovery import WAYS
from studio.deployment.options import DOWNGRADE, EMBEDDING, ENDPOINT, KEPT, REPLACE
from studio.deployment.options import OPTIONS as ACCESS_OPTIONS
from studio.jobs import Arguments, Effect, Limits, Result, Step, Use
from studio.packages.step import SIGN_WITH

_NEEDS = frozenset({Permission.NETWORK, Permission.HOME, Permission.SECRETS, Permission.PROCESSES})

TARGET_FIND: Step[Arguments, Result] = Step(
    name="target-find",
    title="Discover boards",
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
            spelling="source",
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
    effect=Effect.LOOKS,
    in_history=False,
)

TARGET_LOOK: Step[Arguments, Result] = Step(
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
    effect=Effect.LOOKS,
    in_history=False,
)


_TARGET = Option(
    "target",
    Kind.TARGET,
    default="local",
    help="Target name, or TARGET/NAME for one endpoint (default: this computer).",
)

PROBE_TARGET: Step[Arguments, Result] = Step(
    name="target-probe",
    title="Probe",
    summary="Learn what a target is: processor, memory, disk, Python, runtimes.",
    options=(_TARGET,),
    work="studio.deployment.work:probe_target",
    record="studio.deployment.record:probed",
    needs=_NEEDS,
    limits=Limits(seconds=120),
    effect=Effect.LOOKS,
    in_history=False,
)

DEPLOY: Step[Arguments, Result] = Step(
    name="deploy",
    title="Deploy",
    summary="Deploy a model: upload it, test it on the target, switch atomically.",
    options=(
        Option("model", Kind.MODEL, positional=True, help="Model or bundle folder."),
        _TARGET,
        ENDPOINT,
        REPLACE,
        Option("bundle", Kind.FOLDER, help="Bundle folder, instead of a model.", advanced=True),
        Option("dry_run", Kind.FLAG, default=False, title="Plan only", help="Change nothing."),
        Option(
            "data",
            Kind.DATA,
            title="Golden samples",
            help="Golden samples for the bundle (see studio package).",
        ),
        Option(
            "labels",
            Kind.FILE,
            help="Class names, one per line (see studio package).",
            advanced=True,
        ),
        Option(
            "preprocess",
            Kind.FILE,
            help="Input preprocessing, a preprocess.toml (see studio package).",
            advanced=True,
        ),
        EMBEDDING,
        *ACCESS_OPTIONS,
        Option(
            "host",
            title="Listen on",
            help="One address of the target to listen on, instead of --expose.",
            advanced=True,
        ),
        Option(
            "port",
            Kind.INTEGER,
            minimum=0,
            maximum=65535,
            help="Port to listen on: by default the one that the endpoint has had, else 8477 or "
            "the next free one on a board, and a free one on this computer; 0 chooses anew.",
            advanced=True,
        ),
        SIGN_WITH,
        DOWNGRADE,
        Option(
            "budget_ms",
            Kind.NUMBER,
            minimum=0,
            title="Latency budget",
            unit="ms",
            help="Refuse the release if its median latency on the target is above this.",
        ),
        Option(
            "soak_s",
            Kind.NUMBER,
            minimum=0,
            maximum=3600,
            title="Soak time",
            placeholder="1 s, on trial 300 s",
            unit="s",
            help="Maximum soak time in seconds (default 1; 300 with --trial).",
            advanced=True,
        ),
        Option(
            "quality",
            Kind.FLAG,
            default=False,
            title="Roll back automatically",
            help="Compare with the previous release on live requests. Roll back automatically "
            "if answers, latency, errors or drift are worse.",
            spelling="trial",
        ),
        Option(
            "soak_rule",
            many=True,
            title="Trial rule",
            help="Limit of the trial as NAME=VALUE, such as disagreement=0.05 (see "
            "docs/monitoring.md).",
            advanced=True,
            spelling="trial_rule",
        ),
        *KEPT,
        Option(
            "canary",
            Kind.INTEGER,
            default=0,
            minimum=0,
            maximum=99,
            title="Canary",
            unit="%",
            zero="all at once",
            help="Share of the traffic for the new release until it is promoted or rolled back.",
            advanced=True,
        ),
        Option(
            "set",
            many=True,
            title="Options of the platform",
            help="NAME=VALUE, for a target that is an engine, a cluster or a cloud.",
            advanced=True,
        ),
    ),
    work="studio.deployment.work:deploy_noted",
    prepare="studio.deployment.record:prepare",
    record="studio.deployment.record:deployed",
    needs=_NEEDS,
    limits=Limits(seconds=3600),
    use=Use.SERVE,
)

ROLLBACK: Step[Arguments, Result] = Step(
    name="rollback",
    title="Roll back",
    summary="Roll back to a previous release.",
    options=(
        _TARGET,
        Option("to", title="Version", help="Release to restore (default: the previous release)."),
    ),
    work="studio.deployment.work:rollback",
    record="studio.deployment.record:rolled_back",
    needs=_NEEDS,
    limits=Limits(seconds=600),
    guarded=False,
)

RELEASES: Step[Arguments, Result] = Step(
    name="releases",
    title="List releases",
    summary="What was released on a target, the newest first.",
    options=(_TARGET,),
    work="studio.deployment.work:releases",
    needs=_NEEDS,
    limits=Limits(seconds=120),
    effect=Effect.LOOKS,
    in_history=False,
)

TRUST: Step[Arguments, Result] = Step(
    name="trust",
    title="Require signatures",
    summary="Set the allowed signers of a target. Without a file, it accepts unsigned releases.",
    options=(
        _TARGET,
        Option(
            "signers",
            Kind.FILE,
            help="Allowed signers, a line each: name, type of key, key (as in ssh-keygen(1)); or "
            "the .pub file of one key.",
        ),
    ),
    work="studio.deployment.trust:trust",
    needs=_NEEDS,
    limits=Limits(seconds=300),
)

VERIFY_LOG: Step[Arguments, Result] = Step(
    name="verify-log",
    title="Verify the history",
    summary="Check that no entry of a target's history was altered, removed or put in.",
    options=(_TARGET,),
    work="studio.deployment.history:verify_log",
    prepare="studio.deployment.record:anchors",
    needs=_NEEDS,
    limits=Limits(seconds=300),
    effect=Effect.LOOKS,
    in_history=False,
)

UNDEPLOY: Step[Arguments, Result] = Step(
    name="undeploy",
    title="Undeploy",
    summary="Stop what a target serves.",
    options=(
        _TARGET,
        Option("purge", Kind.FLAG, default=False, help="Also remove the files from its disk."),
    ),
    work="studio.deployment.work:undeploy",
    record="studio.deployment.record:undeployed",
    needs=_NEEDS,
    limits=Limits(seconds=300),
    guarded=False,
)

PROMOTE: Step[Arguments, Result] = Step(
    name="promote",
    title="Promote",
    summary="Give all requests to the release that gets a part of them as a canary.",
    options=(_TARGET,),
    work="studio.deployment.work:promote",
    record="studio.deployment.record:promoted",
    needs=_NEEDS,
    limits=Limits(seconds=3600),
)

LOGS: Step[Arguments, Result] = Step(
    name="logs",
    title="Show the log",
    summary="The last lines that the served model's server logged.",
    options=(
        _TARGET,
        Option("lines", Kind.INTEGER, default=50, minimum=1, maximum=10_000, help="How many."),
    ),
    work="studio.deployment.work:logs",
    needs=_NEEDS,
    limits=Limits(seconds=300),
    effect=Effect.LOOKS,
    in_history=False,
)

RESOURCES: Step[Arguments, Result] = Step(
    name="resources",
    title="Inspect",
    summary="Everything that exists on a target because the studio made it.",
    options=(_TARGET,),
    work="studio.deployment.work:resources",
    needs=_NEEDS,
    limits=Limits(seconds=300),
    effect=Effect.LOOKS,
    in_history=False,
)

START: Step[Arguments, Result] = Step(
    name="start",
    title="Start",
    summary="Start the server of what a target serves, after a crash, a restart or a stop.",
    options=(_TARGET,),
    work="studio.deployment.server_control:start",
    needs=_NEEDS,
    limits=Limits(seconds=600),
)

STOP: Step[Arguments, Result] = Step(
    name="stop",
    title="Stop",
    summary="Stop the server of what a target serves; the release stays, and starts again later.",
    options=(_TARGET,),
    work="studio.deployment.server_control:stop",
    needs=_NEEDS,
    limits=Limits(seconds=300),
    guarded=False,
)

RESTART: Step[Arguments, Result] = Step(
    name="restart",
    title="Restart",
    summary="Stop the server of what a target serves, and start it at the same port.",
    options=(_TARGET,),
    work="studio.deployment.server_control:restart",
    needs=_NEEDS,
    limits=Limits(seconds=600),
)
