"""The work of the deployment steps, inside a worker."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict

from studio.api import Channel, TakenBack, TargetError, TargetSpec, UsageError
from studio.deployment.access import keep_token
from studio.deployment.admission import downgrade_of
from studio.deployment.deploy_job import Deployment
from studio.deployment.liveness import liveness, server_info
from studio.deployment.platform_verbs import PlatformOperation
from studio.deployment.release_client import ReleaseClient
from studio.deployment.step_log import begun, instant, owner
from studio.deployment.trial import check_platform_can
from studio.jobs import Arguments, Job, Result
from studio.packages import Bundle, build_runtime
from studio.targets import inventory
from studio.targets.connect import gather_facts, interpreter_of, open_channel, root_of, target_of
from studio.targets.platforms import is_platform

_ROLLBACK_S = 180.0

Lost = Callable[[Deployment, Bundle, TakenBack], Result]


def probe_target(arguments: Arguments, job: Job) -> Result:
    """Ask a target what it is."""
    target = target_of(arguments["target"])
    if is_platform(target):
        return _hosting(target, job).probe()
    with connected(target, job) as channel:
        return asdict(gather_facts(target, channel))


def deploy(arguments: Arguments, job: Job) -> Result:
    """Put a model or a bundle to work on a target, or plan to.

    Raises:
        TakenBack: when it was worse on trial.
    """
    return _deploy(arguments, job, None)


def deploy_noted(arguments: Arguments, job: Job) -> Result:
    """The same as a step, whose result also tells of a release that was taken back on trial."""
    return _deploy(arguments, job, Deployment.taken_back)


def _deploy(arguments: Arguments, job: Job, lost: Lost | None) -> Result:
    target = target_of(arguments["target"])
    check_platform_can(target, arguments)
    if not arguments.get("model") and not arguments.get("bundle"):
        raise UsageError(
            "Missing model or bundle.", hint="Pass a model or a bundle folder: studio deploy MODEL"
        )
    deployment = Deployment(target, arguments, job, owner())
    bundle = deployment.find_bundle()
    try:
        return _served(target, deployment, bundle, arguments, job)
    except TakenBack as error:
        if lost is None:
            raise
        return lost(deployment, bundle, error)


def _served(
    target: TargetSpec, deployment: Deployment, bundle: Bundle, arguments: Arguments, job: Job
) -> Result:
    if is_platform(target):
        done = _hosting(target, job).deploy(arguments, bundle, deployment.log)
        told = {"packaged": deployment.packaged, "at": begun(done.get("soak") or {})}
        return {**done, **told, "reason": downgrade_of(arguments)}
    if arguments.get("canary") or arguments.get("set"):
        raise UsageError(
            f"{target.name} is a machine, which has no options of its own and no canary.",
            hint="Leave out --set and --canary.",
        )
    with connected(target, job) as channel:
        return deployment.run(channel, bundle)


def rollback(arguments: Arguments, job: Job) -> Result:
    """Serve an earlier release again."""
    began = time.monotonic()
    target = target_of(arguments["target"])
    if is_platform(target):
        return {**_hosting(target, job).rollback(arguments.get("to")), "at": instant()}
    with connected(target, job) as channel:
        agent = agent_on(target, channel, job)
        if inventory.take(channel, agent.root).is_bare:  # a refusal leaves no file there
            raise TargetError("This target has no release.")
        agent.install()
        done = agent.call("rollback", {"to": arguments.get("to")}, timeout=_ROLLBACK_S)
    return {
        "target": target.name,
        "from": done["from"],
        "to": done["to"],
        "release": done["release"],
        "name": done["name"],
        "left": done["left"],
        "switch_seconds": done["seconds"],
        "seconds": time.monotonic() - began,
        "by": agent.owner,
        "at": instant(),
        "log": done["log"],
    }


def releases(arguments: Arguments, job: Job) -> Result:
    """List what was released; reads the target's state, and needs nothing to be installed."""
    target = target_of(arguments["target"])
    if is_platform(target):
        return _hosting(target, job).releases()
    with connected(target, job) as channel:
        root = root_of(target, channel)
        found, server = inventory.take(channel, root), server_info(channel, root)
    live = liveness(target, server)
    address = {"endpoint": live.endpoint, "scheme": live.scheme}
    rows = inventory.history(found, live.state)
    for row in rows:
        row.update(address if row["state"] == live.state else {"endpoint": "", "scheme": ""})
    return {
        "target": target.name,
        "current": found.current,
        **live.to_json(),
        "text": live.text,
        "releases": rows,
    }


def undeploy(arguments: Arguments, job: Job) -> Result:
    """Stop what a target serves."""
    target = target_of(arguments["target"])
    if is_platform(target):
        return {**_hosting(target, job).undeploy(bool(arguments.get("purge"))), "at": instant()}
    with connected(target, job) as channel:
        agent = agent_on(target, channel, job)
        done: Result = {"stopped": False, "release": ""}
        found, purge = inventory.take(channel, agent.root), bool(arguments.get("purge"))
        if not found.is_bare or (purge and found.lines):  # the lines outlive what was served
            agent.install()
            done = agent.call("remove", {"purge": purge})
    if purge:
        keep_token(target, agent.root, "")
    return {"target": target.name, "by": agent.owner, "at": instant(), **done}


def promote(arguments: Arguments, job: Job) -> Result:
    """Give all requests to the release that gets a part of them."""
    target = target_of(arguments["target"])
    if not is_platform(target):
        raise TargetError(
            f"{target.name} has no canary to promote: this kind of target runs "
            "one release at a time."
        )
    return {**_hosting(target, job).promote(), "at": instant()}


def logs(arguments: Arguments, job: Job) -> Result:
    """The last lines of what serves there."""
    target, lines = target_of(arguments["target"]), int(arguments["lines"])
    if is_platform(target):
        return _hosting(target, job).logs(lines)
    with connected(target, job) as channel:
        return {
            "target": target.name,
            "lines": tail(channel, root_of(target, channel), lines),
        }


def resources(arguments: Arguments, job: Job) -> Result:
    """What exists on a target because the studio made it."""
    target = target_of(arguments["target"])
    if is_platform(target):
        return _hosting(target, job).resources()
    with connected(target, job) as channel:
        root = root_of(target, channel)
        rows = inventory.resources(inventory.take(channel, root), root)
    return {"target": target.name, "resources": rows}


@contextmanager
def connected(target: TargetSpec, job: Job) -> Iterator[Channel]:
    """A channel that is closed in the end."""
    channel = open_channel(target, job)
    try:
        yield channel
    finally:
        channel.close()


def _hosting(target: TargetSpec, job: Job) -> PlatformOperation:
    return PlatformOperation(target, job, owner())


def agent_on(target: TargetSpec, channel: Channel, job: Job) -> ReleaseClient:
    """The release machine of a target."""
    root, runtime = root_of(target, channel), build_runtime(job.folder)
    return ReleaseClient(channel, root, interpreter_of(target), runtime, owner(), target.name)


SCRIPT = """\
cd "$1" 2>/dev/null || exit 0
for one in run/server.log.1 run/server.log; do
  if [ -s "$one" ]; then tail -n "$2" "$one" || exit 1; fi
done
"""


def tail(channel: Channel, root: str, lines: int) -> list[str]:
    """The last lines, the oldest first; empty where nothing was served yet.

    Raises:
        TargetError: when the log cannot be read.
    """
    done = channel.run(["sh", "-c", SCRIPT, "sh", root, str(lines)], timeout=60)
    if done.status:
        reason = done.stderr.decode("utf-8", "replace").strip()
        raise TargetError("The server's log cannot be read.", detail=reason)
    return done.text.splitlines()[-lines:]
