"""Start, stop and restart of a target's server; the release stays installed."""

from __future__ import annotations

from studio.api import TargetSpec
from studio.deployment.liveness import liveness, server_info
from studio.deployment.machine.answers import StartAnswer
from studio.deployment.machine_verbs import current_release, machine_session
from studio.deployment.options import TargetOptions
from studio.deployment.results import ServerResult
from studio.jobs import Job

_START_S = 180.0


def start(options: TargetOptions, job: Job) -> ServerResult:
    """Start the server of the installed release; a running server is left alone."""
    return _controlled(options.target, job, "start")


def stop(options: TargetOptions, job: Job) -> ServerResult:
    """Stop the server after its current requests, until the next start or deploy."""
    return _controlled(options.target, job, "stop")


def restart(options: TargetOptions, job: Job) -> ServerResult:
    """Restart the server at the same port."""
    return _controlled(options.target, job, "start", anew=True)


def _controlled(target: TargetSpec, job: Job, verb: str, **request: bool) -> ServerResult:
    refusal = "is a platform target, which starts and stops its server itself."
    hint = "Use studio deploy or studio undeploy."
    with machine_session(target, job, refusal, hint) as (channel, agent):
        release = current_release(target, channel, agent, "a model")
        agent.install()
        done = agent.request(StartAnswer, verb, request, timeout=_START_S)
        live = liveness(target, server_info(channel, agent.root))
    return ServerResult(
        target.name,
        live.state,
        live.endpoint,
        live.scheme,
        agent.owner,
        release,
        done.version,
        done.name,
        done.service,
    )
