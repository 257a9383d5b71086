"""The work of the deployment steps, inside a worker."""

from __future__ import annotations

from collections.abc import Callable

from studio.api import TakenBack, TargetSpec, UsageError
from studio.deployment.deploy_job import Deployment
from studio.deployment.machine_verbs import MachineOperation
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
from studio.jobs import Job, Result
from studio.packages import Bundle
from studio.settings.user import owner
from studio.targets.target import open_target

Lost = Callable[[Deployment, Bundle, TakenBack], DeployResult]


def operation_on(target: TargetSpec, job: Job) -> MachineOperation | PlatformOperation:
    """Return the deployment verbs of a target."""
    return open_target(target).choose(MachineOperation, PlatformOperation)(target, job, owner())


def probe_target(options: TargetOptions, job: Job) -> Result:
    """Read the facts of a target."""
    return operation_on(options.target, job).probe()


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
    operation = operation_on(options.target, job)
    operation.check(options)
    if not options.model and not options.bundle:
        raise UsageError(
            "Missing model or bundle.", hint="Pass a model or a bundle folder: studio deploy MODEL"
        )
    deployment = Deployment(options, job, owner())
    bundle = deployment.find_bundle()
    try:
        return operation.deploy(deployment, bundle)
    except TakenBack as error:
        if lost is None:
            raise
        return lost(deployment, bundle, error)


def rollback(options: RollbackOptions, job: Job) -> SwitchResult:
    """Activate an earlier release."""
    return operation_on(options.target, job).rollback(options.to)


def releases(options: TargetOptions, job: Job) -> ReleasesResult:
    """List the releases of a target."""
    return operation_on(options.target, job).releases()


def undeploy(options: UndeployOptions, job: Job) -> UndeployResult:
    """Stop the server of a target."""
    return operation_on(options.target, job).undeploy(options.purge)


def promote(options: TargetOptions, job: Job) -> SwitchResult:
    """Send all requests to the canary."""
    return operation_on(options.target, job).promote()


def logs(options: LogsOptions, job: Job) -> LogsResult:
    """Return the last log lines of a target's server."""
    return operation_on(options.target, job).logs(options.lines)


def resources(options: TargetOptions, job: Job) -> ResourcesResult:
    """Return the resources on a target that the studio created."""
    return operation_on(options.target, job).resources()
