"""The work of the deployment steps, inside a worker."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace

from studio.api import Channel, TakenBack, TargetError, TargetSpec, UsageError
from studio.deployment.access import keep_token
from studio.deployment.admission import downgrade_of
from studio.deployment.deploy_job import Deployment
from studio.deployment.liveness import liveness, server_info
from studio.deployment.machine.answers import RemoveAnswer, RollbackAnswer
from studio.deployment.machine.release_client import ReleaseClient
from studio.deployment.machine.releases import machine_releases
from studio.deployment.options import DeployOptions, TargetOptions
from studio.deployment.platform_verbs import PlatformOperation
from studio.deployment.results import (
    DeployResult,
    LogsResult,
    ReleasesResult,
    ResourcesResult,
    SwitchResult,
    UndeployResult,
)
from studio.deployment.step import LogsOptions, RollbackOptions, UndeployOptions
from studio.deployment.step_log import instant
from studio.deployment.trial import check_platform_can
from studio.documents.dataclass_json import from_json
from studio.jobs import Job, Result
from studio.packages import Bundle, build_runtime
from studio.settings.user import owner
from studio.targets import inventory
from studio.targets.connect import gather_facts, interpreter_of, is_local, open_channel, root_of
from studio.targets.platforms import is_platform

_ROLLBACK_S = 180.0

Lost = Callable[[Deployment, Bundle, TakenBack], DeployResult]


def probe_target(options: TargetOptions, job: Job) -> Result:
    """Read the facts of a target."""
    target = options.target
    if is_platform(target):
        return _hosting(target, job).probe()
    with connected(target, job) as channel:
        return asdict(gather_facts(target, channel))


def deploy(options: DeployOptions, job: Job) -> DeployResult:
    """Deploy a model or a bundle to a target, or return the plan of a dry run.

    Raises:
        TakenBack: when the release failed its trial.
    """
    return _deploy(options, job, None)


def deploy_noted(options: DeployOptions, job: Job) -> DeployResult:
    """Deploy as a step; a release that failed its trial becomes a result, not an error."""
    return _deploy(options, job, Deployment.rolled_back)


def _deploy(options: DeployOptions, job: Job, lost: Lost | None) -> DeployResult:
    check_platform_can(options.target, options)
    if not options.model and not options.bundle:
        raise UsageError(
            "Missing model or bundle.", hint="Pass a model or a bundle folder: studio deploy MODEL"
        )
    deployment = Deployment(options, job, owner())
    bundle = deployment.find_bundle()
    try:
        return _served(deployment, bundle, options, job)
    except TakenBack as error:
        if lost is None:
            raise
        return lost(deployment, bundle, error)


def _served(
    deployment: Deployment, bundle: Bundle, options: DeployOptions, job: Job
) -> DeployResult:
    target = options.target
    if is_platform(target):
        done = _hosting(target, job).deploy(options, bundle, deployment.log)
        reason = downgrade_of(options.downgrade)
        return replace(done, packaged=deployment.packaged, reason=reason)
    if options.canary or options.set:
        raise UsageError(
            f"{target.name} is a machine, which has no options of its own and no canary.",
            hint="Leave out --set and --canary.",
        )
    with connected(target, job) as channel:
        return deployment.run(channel, bundle)


def rollback(options: RollbackOptions, job: Job) -> SwitchResult:
    """Activate an earlier release."""
    began = time.monotonic()
    target = options.target
    if is_platform(target):
        return _hosting(target, job).rollback(options.to)
    with connected(target, job) as channel:
        agent = agent_on(target, channel, job)
        if inventory.read(channel, agent.root).is_bare:  # a refusal leaves no file there
            raise TargetError("This target has no release.")
        agent.install()
        done = agent.request(RollbackAnswer, "rollback", {"to": options.to}, timeout=_ROLLBACK_S)
    return SwitchResult(
        target=target.name,
        left_version=done.left_version,
        to=done.to,
        release=done.release,
        name=done.name,
        left=done.left,
        switch_seconds=done.seconds,
        seconds=time.monotonic() - began,
        by=agent.owner,
        at=instant(),
        log=done.log,
    )


def releases(options: TargetOptions, job: Job) -> ReleasesResult:
    """List the releases from the target's files, without installing the runtime there."""
    target = options.target
    if is_platform(target):
        return _hosting(target, job).releases()
    with connected(target, job) as channel:
        root = root_of(target, channel)
        found, server = inventory.read(channel, root), server_info(channel, root)
    live = liveness(target, server)
    return ReleasesResult(
        target.name,
        found.current,
        live.state,
        live.endpoint,
        live.scheme,
        live.text,
        machine_releases(found, live),
    )


def undeploy(options: UndeployOptions, job: Job) -> UndeployResult:
    """Stop the server of a target."""
    target, purge = options.target, options.purge
    if is_platform(target):
        return _hosting(target, job).undeploy(purge)
    with connected(target, job) as channel:
        agent = agent_on(target, channel, job)
        done, found = RemoveAnswer(), inventory.read(channel, agent.root)
        if not found.is_bare or (purge and found.lines):  # the lines outlive what was served
            agent.install()
            done = agent.request(RemoveAnswer, "remove", {"purge": purge})
    if purge:
        keep_token(target, agent.root, "")
    return UndeployResult(
        target.name,
        agent.owner,
        instant(),
        done.freed,
        done.kept,
        done.log,
        done.release,
        done.stopped,
    )


def promote(options: TargetOptions, job: Job) -> SwitchResult:
    """Send all requests to the canary."""
    target = options.target
    if not is_platform(target):
        raise TargetError(
            f"{target.name} has no canary to promote: this kind of target runs "
            "one release at a time."
        )
    return _hosting(target, job).promote()


def logs(options: LogsOptions, job: Job) -> LogsResult:
    """Return the last log lines of a target's server."""
    target, lines = options.target, options.lines
    if is_platform(target):
        return _hosting(target, job).logs(lines)
    with connected(target, job) as channel:
        return LogsResult(target.name, tuple(tail(channel, root_of(target, channel), lines)))


def resources(options: TargetOptions, job: Job) -> ResourcesResult:
    """Return the resources on a target that the studio created."""
    target = options.target
    if is_platform(target):
        return _hosting(target, job).resources()
    with connected(target, job) as channel:
        root = root_of(target, channel)
        rows = inventory.resources(inventory.read(channel, root), root)
    return from_json(ResourcesResult, {"target": target.name, "resources": rows})


@contextmanager
def connected(target: TargetSpec, job: Job) -> Iterator[Channel]:
    """Open a channel, and close it at the end."""
    channel = open_channel(target, job)
    try:
        yield channel
    finally:
        channel.close()


def _hosting(target: TargetSpec, job: Job) -> PlatformOperation:
    return PlatformOperation(target, job, owner())


def agent_on(target: TargetSpec, channel: Channel, job: Job) -> ReleaseClient:
    """Return the client for a target's release machine."""
    root, runtime = root_of(target, channel), build_runtime(job.folder, is_local(target))
    return ReleaseClient(channel, root, interpreter_of(target), runtime, owner(), target.name)


SCRIPT = """\
cd "$1" 2>/dev/null || exit 0
for one in run/server.log.1 run/server.log; do
  if [ -s "$one" ]; then tail -n "$2" "$one" || exit 1; fi
done
"""


def tail(channel: Channel, root: str, lines: int) -> list[str]:
    """Return the last log lines, the oldest first; empty before the first deploy.

    Raises:
        TargetError: when the log cannot be read.
    """
    done = channel.run(["sh", "-c", SCRIPT, "sh", root, str(lines)], timeout=60)
    if done.status:
        reason = done.stderr.decode("utf-8", "replace").strip()
        raise TargetError("The server log cannot be read.", detail=reason)
    return done.text.splitlines()[-lines:]
