"""The steps of deployment: read a target's status, deploy, list, roll back, undeploy."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from studio.api import Kind, Permission, TargetSpec
from studio.deployment.options import DeployOptions, TargetOptions
from studio.deployment.results import (
    DeployResult,
    FindResult,
    LogsResult,
    ReleasesResult,
    ResourcesResult,
    ServerResult,
    StatusResult,
    SwitchResult,
    TrustResult,
    UndeployResult,
    VerifyLogResult,
)
from studio.jobs import Effect, Limits, Result, Step, Use
from studio.jobs.options_form import option
from studio.lazy_dataclass import dataclass

_NEEDS = frozenset({Permission.NETWORK, Permission.HOME, Permission.SECRETS, Permission.PROCESSES})


@dataclass(frozen=True, slots=True)
class FindOptions:
    """Options of the step ``target-find``."""

    source: tuple[Literal["config", "mdns", "subnet"], ...] = option(
        ("config", "mdns"),
        choice_titles=("~/.ssh/config", "announcements (mDNS)", "a subnet"),
        title="Source",
        help="Source of boards: ~/.ssh/config, mDNS announcements or a subnet.",
    )
    subnet: str | None = option(
        None, help="Subnet to scan for SSH servers, such as 192.168.1.0/24 (up to 1,024 addresses)."
    )
    seconds: float = option(3.0, minimum=0, maximum=60, title="Listen", unit="s")


@dataclass(frozen=True, slots=True)
class StatusOptions:
    """Options of the step ``target-look``."""

    target: tuple[TargetSpec, ...] = option(
        kind=Kind.TARGET, positional=True, help="Target names, or @GROUP."
    )
    parallel: int = option(16, minimum=1, maximum=64, help="Number of targets checked in parallel.")


@dataclass(frozen=True, kw_only=True)
class RollbackOptions(TargetOptions):
    """Options of the step ``rollback``."""

    to: str | None = option(
        None, title="Version", help="Release to restore (default: the previous release)."
    )


@dataclass(frozen=True, kw_only=True)
class TrustOptions(TargetOptions):
    """Options of the step ``trust``."""

    signers: Path | None = option(
        None,
        kind=Kind.FILE,
        help="File of allowed signers as in ssh-keygen(1), or the .pub file of one key.",
    )


@dataclass(frozen=True, slots=True)
class Anchor:
    """The recorded end of a target's chain after one change."""

    entries: int
    head: str


@dataclass(frozen=True, slots=True)
class RegistryChain:
    """The registry's own chain: its length, and its first altered entry (0: none)."""

    entries: int = 0
    broken_at: int = 0


@dataclass(frozen=True, kw_only=True)
class VerifyLogOptions(TargetOptions):
    """Options of the step ``verify-log``.

    Attributes:
        anchors, registry: Registry data, added before the work starts.
    """

    anchors: tuple[Anchor, ...] = ()
    registry: RegistryChain = RegistryChain()


@dataclass(frozen=True, kw_only=True)
class UndeployOptions(TargetOptions):
    """Options of the step ``undeploy``."""

    purge: bool = option(False, help="Also delete the files on the target.")


@dataclass(frozen=True, kw_only=True)
class LogsOptions(TargetOptions):
    """Options of the step ``logs``."""

    lines: int = option(50, minimum=1, maximum=10_000, help="Number of lines.")


TARGET_FIND: Step[FindOptions, FindResult] = Step(
    name="target-find",
    title="Discover boards",
    summary="Discover boards in ~/.ssh/config, by mDNS or in a subnet.",
    options=FindOptions,
    result=FindResult,
    work="studio.deployment.survey:find",
    needs=_NEEDS,
    limits=Limits(seconds=600),
    effect=Effect.LOOKS,
    in_history=False,
)

TARGET_LOOK: Step[StatusOptions, StatusResult] = Step(
    name="target-look",
    title="Refresh boards",
    summary="Show the status and releases of several targets.",
    options=StatusOptions,
    result=StatusResult,
    work="studio.deployment.survey:poll",
    record="studio.deployment.record:record_status",
    needs=_NEEDS,
    limits=Limits(seconds=3600),
    effect=Effect.LOOKS,
    in_history=False,
)

PROBE_TARGET: Step[TargetOptions, Result] = Step(
    name="target-probe",
    title="Probe",
    summary="Read the hardware and software of a target: processor, memory, disk, Python, "
    "runtimes.",
    options=TargetOptions,
    work="studio.deployment.work:probe_target",
    record="studio.deployment.record:probed",
    needs=_NEEDS,
    limits=Limits(seconds=120),
    effect=Effect.LOOKS,
    in_history=False,
)

DEPLOY: Step[DeployOptions, DeployResult] = Step(
    name="deploy",
    awaits_approval=True,
    event="release.deployed",
    title="Deploy",
    summary="Deploy a model: upload it, test it on the target, switch atomically.",
    options=DeployOptions,
    result=DeployResult,
    work="studio.deployment.work:deploy_noted",
    prepare="studio.deployment.record:prepare",
    record="studio.deployment.record:deployed",
    needs=_NEEDS,
    limits=Limits(seconds=3600),
    use=Use.SERVE,
    texts="studio.deployment.texts:deployment",
)

ROLLBACK: Step[RollbackOptions, SwitchResult] = Step(
    name="rollback",
    event="release.rolled-back",
    title="Roll back",
    summary="Roll back to a previous release.",
    options=RollbackOptions,
    result=SwitchResult,
    work="studio.deployment.work:rollback",
    record="studio.deployment.record:rolled_back",
    needs=_NEEDS,
    limits=Limits(seconds=600),
    guarded=False,
    texts="studio.deployment.texts:rollback",
)

RELEASES: Step[TargetOptions, ReleasesResult] = Step(
    name="releases",
    title="List releases",
    summary="List the releases of a target, newest first.",
    options=TargetOptions,
    result=ReleasesResult,
    work="studio.deployment.work:releases",
    needs=_NEEDS,
    limits=Limits(seconds=120),
    effect=Effect.LOOKS,
    in_history=False,
)

TRUST: Step[TrustOptions, TrustResult] = Step(
    name="trust",
    awaits_approval=True,
    title="Require signatures",
    summary="Set the allowed signers of a target. Without a file, it accepts unsigned releases.",
    options=TrustOptions,
    result=TrustResult,
    work="studio.deployment.trust:trust",
    needs=_NEEDS,
    limits=Limits(seconds=300),
    texts="studio.deployment.texts:trust",
)

VERIFY_LOG: Step[VerifyLogOptions, VerifyLogResult] = Step(
    name="verify-log",
    title="Verify the history",
    summary="Verify that no entry of a target's release history was altered, removed or inserted.",
    options=VerifyLogOptions,
    result=VerifyLogResult,
    work="studio.deployment.history:verify_log",
    prepare="studio.deployment.record:anchors",
    needs=_NEEDS,
    limits=Limits(seconds=300),
    effect=Effect.LOOKS,
    in_history=False,
)

UNDEPLOY: Step[UndeployOptions, UndeployResult] = Step(
    name="undeploy",
    awaits_approval=True,
    event="release.undeployed",
    title="Undeploy",
    summary="Stop the release of a target.",
    options=UndeployOptions,
    result=UndeployResult,
    work="studio.deployment.work:undeploy",
    record="studio.deployment.record:undeployed",
    needs=_NEEDS,
    limits=Limits(seconds=300),
    guarded=False,
    texts="studio.deployment.texts:undeployment",
)

PROMOTE: Step[TargetOptions, SwitchResult] = Step(
    name="promote",
    awaits_approval=True,
    event="release.promoted",
    title="Promote",
    summary="Promote the canary to all traffic.",
    options=TargetOptions,
    result=SwitchResult,
    work="studio.deployment.work:promote",
    record="studio.deployment.record:promoted",
    needs=_NEEDS,
    limits=Limits(seconds=3600),
    texts="studio.deployment.texts:promotion",
)

LOGS: Step[LogsOptions, LogsResult] = Step(
    name="logs",
    title="Show the log",
    summary="Show the last lines of the server log.",
    options=LogsOptions,
    result=LogsResult,
    work="studio.deployment.work:logs",
    needs=_NEEDS,
    limits=Limits(seconds=300),
    effect=Effect.LOOKS,
    in_history=False,
    texts="studio.deployment.texts:log_lines",
)

RESOURCES: Step[TargetOptions, ResourcesResult] = Step(
    name="resources",
    title="Inspect",
    summary="List the resources that the studio created on a target.",
    options=TargetOptions,
    result=ResourcesResult,
    work="studio.deployment.work:resources",
    needs=_NEEDS,
    limits=Limits(seconds=300),
    effect=Effect.LOOKS,
    in_history=False,
)

START: Step[TargetOptions, ServerResult] = Step(
    name="start",
    title="Start",
    summary="Start the server of a target's release after a crash, a reboot or a stop.",
    options=TargetOptions,
    result=ServerResult,
    work="studio.deployment.server_control:start",
    needs=_NEEDS,
    limits=Limits(seconds=600),
    texts="studio.deployment.texts:server",
)

STOP: Step[TargetOptions, ServerResult] = Step(
    name="stop",
    title="Stop",
    summary="Stop the server of a target's release and keep the release for a later start.",
    options=TargetOptions,
    result=ServerResult,
    work="studio.deployment.server_control:stop",
    needs=_NEEDS,
    limits=Limits(seconds=300),
    guarded=False,
    texts="studio.deployment.texts:server",
)

RESTART: Step[TargetOptions, ServerResult] = Step(
    name="restart",
    title="Restart",
    summary="Restart the server of a target's release on the same port.",
    options=TargetOptions,
    result=ServerResult,
    work="studio.deployment.server_control:restart",
    needs=_NEEDS,
    limits=Limits(seconds=600),
    texts="studio.deployment.texts:server",
)
