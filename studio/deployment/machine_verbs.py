"""The deployment verbs on a machine, by its release machine or from its files."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict

from studio.api import Channel, TargetError, TargetSpec, UsageError
from studio.deployment.access import keep_token
from studio.deployment.deploy_job import Deployment
from studio.deployment.liveness import liveness, server_info
from studio.deployment.machine.answers import RemoveAnswer, RollbackAnswer
from studio.deployment.machine.release_client import ReleaseClient
from studio.deployment.machine.releases import machine_releases
from studio.deployment.options import DeployOptions
from studio.deployment.results import (
    DeployResult,
    LogsResult,
    ReleasesResult,
    ResourcesResult,
    SwitchResult,
    UndeployResult,
)
from studio.deployment.step_log import instant
from studio.documents.dataclass_json import from_json
from studio.jobs import Job, Result
from studio.packages import Bundle, build_runtime
from studio.settings.user import owner
from studio.targets import inventory
from studio.targets.connect import gather_facts, interpreter_of, is_local, open_channel, root_of
from studio.targets.target import open_target

_ROLLBACK_S = 180.0


class MachineOperation:
    """A verb on one machine."""

    def __init__(self, target: TargetSpec, job: Job, owner: str) -> None:
        self._target = target
        self._job = job
        self._owner = owner

    def probe(self) -> Result:
        """Read the facts of the machine."""
        with self._channel() as channel:
            return asdict(gather_facts(self._target, channel))

    def check(self, wanted: DeployOptions) -> None:
        """Refuse options of platforms, before a bundle is packaged."""
        if wanted.canary or wanted.set:
            raise UsageError(
                f"{self._target.name} is a machine, which has no options of its own and no canary.",
                hint="Leave out --set and --canary.",
            )

    def deploy(self, deployment: Deployment, bundle: Bundle) -> DeployResult:
        """Deploy a bundle, or return the plan of a dry run."""
        with self._channel() as channel:
            return deployment.run(channel, bundle)

    def promote(self) -> SwitchResult:
        """Refuse: a machine has no canary."""
        raise TargetError(
            f"{self._target.name} has no canary to promote: this kind of target runs "
            "one release at a time."
        )

    def rollback(self, to: str | None) -> SwitchResult:
        """Activate an earlier release."""
        began = time.monotonic()
        with self._channel() as channel:
            agent = agent_on(self._target, channel, self._job)
            if inventory.read(channel, agent.root).is_bare:  # a refusal leaves no file there
                raise TargetError("This target has no release.")
            agent.install()
            done = agent.request(RollbackAnswer, "rollback", {"to": to}, timeout=_ROLLBACK_S)
        return SwitchResult(
            target=self._target.name,
            left_version=done.left_version,
            to=done.to,
            release=done.release,
            name=done.name,
            left=done.left,
            switch_seconds=done.seconds,
            seconds=time.monotonic() - began,
            by=self._owner,
            at=instant(),
            log=done.log,
        )

    def releases(self) -> ReleasesResult:
        """List the releases from the machine's files, without installing the runtime there."""
        with self._channel() as channel:
            root = root_of(self._target, channel)
            found, server = inventory.read(channel, root), server_info(channel, root)
        live = liveness(self._target, server)
        return ReleasesResult(
            self._target.name,
            found.current,
            live.state,
            live.endpoint,
            live.scheme,
            live.text,
            machine_releases(found, live),
        )

    def undeploy(self, purge: bool) -> UndeployResult:
        """Stop the server; a purge also deletes everything that the studio put there."""
        with self._channel() as channel:
            agent = agent_on(self._target, channel, self._job)
            done, found = RemoveAnswer(), inventory.read(channel, agent.root)
            if not found.is_bare or (purge and found.lines):  # the lines outlive what was served
                agent.install()
                done = agent.request(RemoveAnswer, "remove", {"purge": purge})
        if purge:
            keep_token(self._target, agent.root, "")
        return UndeployResult(
            self._target.name,
            self._owner,
            instant(),
            done.freed,
            done.kept,
            done.log,
            done.release,
            done.stopped,
        )

    def logs(self, lines: int) -> LogsResult:
        """Return the last log lines of the server."""
        with self._channel() as channel:
            root = root_of(self._target, channel)
            return LogsResult(self._target.name, tuple(tail(channel, root, lines)))

    def resources(self) -> ResourcesResult:
        """Return all files on the machine that the studio put there."""
        with self._channel() as channel:
            root = root_of(self._target, channel)
            rows = inventory.resources(inventory.read(channel, root), root)
        return from_json(ResourcesResult, {"target": self._target.name, "resources": rows})

    def _channel(self) -> closing[Channel]:
        return closing(open_channel(self._target, self._job))


@contextmanager
def machine_session(
    target: TargetSpec, job: Job, refusal: str, hint: str = "", parts: Sequence[str] = ()
) -> Iterator[tuple[Channel, ReleaseClient]]:
    """Open a channel to a machine and the client of its release machine.

    Args:
        refusal: Why a platform is refused, after its name.
        parts: Further parts of the runtime than those of the current release.

    Raises:
        UsageError: for a platform.
    """
    open_target(target).require_machine(refusal, hint)
    with closing(open_channel(target, job)) as channel:
        yield channel, agent_on(target, channel, job, *parts)


def current_release(target: TargetSpec, channel: Channel, agent: ReleaseClient, what: str) -> str:
    """Return the digest of the current release; TargetError without one."""
    release = inventory.read(channel, agent.root).current
    if not release:
        word = what.split()[-1].upper()
        raise TargetError(
            f"{target.name} has no release.",
            hint=f"Deploy {what} first: studio deploy {word} --target {target.name}",
        )
    return release


def agent_on(target: TargetSpec, channel: Channel, job: Job, *parts: str) -> ReleaseClient:
    """Return the client for a target's release machine.

    Its runtime is that of the current release, which the target mostly has already.

    Args:
        parts: Further parts of the runtime that are needed.
    """
    root = root_of(target, channel)
    found = inventory.read(channel, root)
    runtime = build_runtime(job.folder, is_local(target), found.parts | found.switched | {*parts})
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
