"""Starting and stopping of what a target serves; the release stays where it is."""

from __future__ import annotations

from typing import Any

from studio.api import TargetError, TargetSpec, UsageError
from studio.deployment.liveness import liveness, server_info
from studio.deployment.release_client import ReleaseClient
from studio.deployment.work import agent_on, connected
from studio.jobs import Arguments, Job, Result
from studio.targets import inventory
from studio.targets.connect import target_of
from studio.targets.platforms import is_platform

_START_S = 180.0


def start(arguments: Arguments, job: Job) -> Result:
    """Start the server of the release that a target has; one that runs goes on."""
    return _told(arguments, job, "start", {})


def stop(arguments: Arguments, job: Job) -> Result:
    """Let it finish its requests and end, until it is started again or something is deployed."""
    return _told(arguments, job, "stop", {})


def restart(arguments: Arguments, job: Job) -> Result:
    """Stop it and start it anew, at the same port."""
    return _told(arguments, job, "start", {"anew": True})


def _told(arguments: Arguments, job: Job, verb: str, request: dict[str, Any]) -> Result:
    target = target_of(arguments["target"])
    _require_machine(target)
    with connected(target, job) as channel:
        agent: ReleaseClient = agent_on(target, channel, job)
        release = inventory.take(channel, agent.root).current
        if not release:
            raise TargetError(
                f"{target.name} has no release.",
                hint=f"Deploy a model first: studio deploy MODEL --target {target.name}",
            )
        agent.install()
        done = agent.call(verb, request, timeout=_START_S)
        live = liveness(target, server_info(channel, agent.root))
    told: Result = {name: done[name] for name in ("version", "name", "service") if name in done}
    base: Result = {"target": target.name, **live.to_json(), "by": agent.owner, "release": release}
    return {**base, **told}


def _require_machine(target: TargetSpec) -> None:
    if is_platform(target):
        raise UsageError(
            f"{target.name} is a platform, which starts and stops what it serves itself.",
            hint="Deploy to it, or take away what it serves with studio undeploy.",
        )
