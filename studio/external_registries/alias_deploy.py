"""A target that follows a version of a registry: one look, and at most one release.

An alias that moves on to a version that was not served yet is a deploy. One that moves back to a
release which lies on the target is a rollback by the target's own release machine, so that the
counter of releases, which never goes back otherwise, may.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from studio.api import ModelVersion, PlatformRelease, RegistrySession, TargetError
from studio.deployment import record as deployment
from studio.deployment import work as deploying
from studio.deployment.options import DeployOptions, TargetOptions
from studio.deployment.results import DeployResult, MachineRelease, SwitchResult
from studio.deployment.step import RollbackOptions
from studio.documents.dataclass_json import from_json, to_json
from studio.external_registries import record
from studio.external_registries.pull import fetch
from studio.external_registries.reference import Reference, RegistryAddress
from studio.external_registries.results import FollowResult
from studio.external_registries.step import FetchedFiles, FetchedVersion, PullOptions
from studio.external_registries.work import described, opened
from studio.jobs import Arguments, Job, JobOutcome, Result
from studio.registry import Registry
from studio.targets.connect import target_of

UNCHANGED = "unchanged"
_HELD = ("replaced", "rolled back")
_DEPLOY = "deploy"
_ROLLBACK = "rollback"


def prepare(registry: Registry, arguments: Arguments) -> dict[str, Any]:
    """Add what is known of versions that were pulled or pushed before, and their bundles."""
    return {
        **arguments,
        "place": asdict(record.place_of(registry, arguments["registry"])),
        "known": [str(path) for path in record.bundles_here(registry)],
        "releases": record.releases_known(registry),
        "folders": {version.digest: str(version.path) for version in registry.versions()},
    }


def follow(arguments: Arguments, job: Job) -> Result:
    """Let a target serve the version that a reference means now."""
    began = time.monotonic()
    with opened(RegistryAddress(**arguments["place"]), job) as session:
        version = Reference.of(arguments["name"]).find(session)
        facts = {**asdict(described(session, version)), "target": arguments["target"]["name"]}
        if version.version == arguments.get("unless"):
            return {**facts, "action": WAITING, "release": version.release, "seconds": 0.0}
        job.event(SEEN, version=version.version)
        release = _release_of(version, session, arguments)
        there = deploying.releases(TargetOptions(target=target_of(arguments["target"])), job)
        if release and release == there.current:
            done: Result = {"action": UNCHANGED, "release": release}
        elif release and is_back(there.releases, release, there.current):
            done = _rolled_back(arguments, release, job)
        else:
            done = _deployed(session, version, release, arguments, job)
    return {**facts, **done, "seconds": time.monotonic() - began}


def followed(registry: Registry, arguments: Arguments, result: Result, folder: Path) -> Result:
    """Keep what was pulled, then what was done on the target; the reason stands beside it."""
    files = result.pop("pulled", None)
    if files:
        fetched = from_json(FetchedVersion, {**result, "files": files})
        record.record_pull(registry, from_json(PullOptions, arguments), fetched, folder)
    done = result.pop("done", None)
    if done is None:
        return result
    done["because"] = because = f"{arguments['name']} is version {result['version']}"
    given = {key: value for key, value in arguments.items() if key not in _OWN}
    given["target"] = arguments["target"]["name"]
    target = target_of(arguments["target"])
    if result["action"] == _ROLLBACK:
        switch = from_json(SwitchResult, done)
        deployment.rolled_back(registry, TargetOptions(target=target), switch, folder, given)
    else:
        deploy = from_json(DeployResult, done)
        deployment.deployed(registry, DeployOptions(target=target), deploy, folder, given)
    return {**result, "because": because, "details": done}


_OWN = ("known", "releases", "folders", "place", "name", "registry", "unless", "model")


def is_back(rows: Sequence[MachineRelease | PlatformRelease], release: str, now: str) -> bool:
    """Whether a release was served before what a target serves now, and is to be served again.

    Args:
        rows: Of the step ``releases``, the newest first.
        now: The release that is served, or would be if its server ran.

    Raises:
        TargetError: when the target holds it no more; a target goes back to what it holds only.
    """
    current = next((row for row in rows if now and row.release == now), None)
    wanted = next((row for row in rows if row.release == release), None)
    if current is None or wanted is None or wanted.state not in _HELD:
        return False
    if wanted.name != current.name or (wanted.version or 0) > (current.version or 0):
        return False
    if isinstance(wanted, MachineRelease) and not wanted.kept:
        raise TargetError(
            f"Version {wanted.version} of {wanted.name} was served there before, and is not "
            "kept there any more.",
            hint="A target follows back only to a release that it keeps; deploy this one once with "
            'studio deploy and --downgrade "REASON".',
        )
    return True


def _release_of(version: ModelVersion, session: RegistrySession, arguments: Arguments) -> str:
    key = record.key_of(session.address, version.name, version.version)
    return version.release or str(arguments["releases"].get(key, ""))


def _rolled_back(arguments: Arguments, release: str, job: Job) -> Result:
    target = target_of(arguments["target"])
    done = deploying.rollback(RollbackOptions(target=target, to=release), job)
    return {"action": _ROLLBACK, "release": release, "done": to_json(done)}


def _deployed(
    session: RegistrySession, version: ModelVersion, release: str, arguments: Arguments, job: Job
) -> Result:
    """Deploy the bundle that is here already, or fetch it first."""
    files: FetchedFiles | None = None
    folder = arguments["folders"].get(release, "")
    if not folder or not Path(folder).is_dir():
        files = fetch(session, version, map(Path, arguments["known"]), job)
        folder = files.packaged.bundle
    given = from_json(DeployOptions, {**arguments, "model": None, "bundle": folder})
    done = deploying.deploy(given, job)
    result = {"action": _DEPLOY, "release": done.release, "done": to_json(done)}
    return {**result, "pulled": to_json(files)} if files else result


SEEN = "registry-version"
"""The message with which the work says what the alias stands for, before it acts on it."""

WAITING = "waiting"


class AliasWatcher:
    """Looks at one alias.

    Attributes:
        acted_on: The version that was acted on last, whether that went well or not; it is not
            tried again until the alias has moved away from it.
        moves: The results of the moves so far.
    """

    def __init__(self) -> None:
        self.acted_on = ""
        self.moves: list[Mapping[str, Any]] = []
        self._seen = ""
        self._told = ""

    def take_message(self, name: str, values: Mapping[str, Any]) -> None:
        """Take a message of the work."""
        if name == SEEN:
            self._seen = str(values["version"])

    def judge(self, outcome: JobOutcome) -> str:
        """Take in the outcome of a look; a line for people, empty when there is nothing new."""
        seen, self._seen = self._seen, ""
        if outcome.ok and outcome.result["action"] == WAITING:
            self._told = ""
            return ""
        if seen:
            self.acted_on = seen
        if outcome.ok:
            self.moves.append(outcome.result)
            return from_json(FollowResult, outcome.result).sentence
        line = " ".join(filter(None, (outcome.sentence, outcome.hint)))
        if seen:
            line += f" Version {seen} is not tried again before the alias moves."
        told, self._told = self._told, line
        return "" if line == told else line
