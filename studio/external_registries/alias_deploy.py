"""A deploy that follows a version of a registry: one poll, and at most one new release.

If an alias moves to a version that is new to the target, that version is deployed. If it moves back
to a release on the target, the target's release machine rolls back. Only that way may the release
counter decrease.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path

from studio.api import ModelVersion, PlatformRelease, RegistrySession, TargetError
from studio.deployment import record as deployment
from studio.deployment import work as deploying
from studio.deployment.options import DeployOptions, TargetOptions
from studio.deployment.results import MachineRelease
from studio.deployment.step import RollbackOptions
from studio.documents.dataclass_json import JsonValue, to_json
from studio.external_registries import record
from studio.external_registries.follow_step import FollowedVersion, FollowOptions
from studio.external_registries.pull import fetch
from studio.external_registries.reference import Reference
from studio.external_registries.results import FollowResult, RegisteredVersion
from studio.external_registries.step import FetchedVersion
from studio.external_registries.work import described, opened
from studio.jobs import Job, JobOutcome
from studio.jobs.options_form import form
from studio.registry import Registry

_HELD = ("replaced", "rolled back")

Release = MachineRelease | PlatformRelease


def prepare(registry: Registry, options: FollowOptions) -> FollowOptions:
    """Add the known versions of the registry, and their bundles on this computer."""
    return replace(
        options,
        place=record.place_of(registry, options.registry),
        known=record.local_bundles(registry),
        releases=record.releases_known(registry),
        folders={version.digest: version.path for version in registry.versions()},
    )


def follow(options: FollowOptions, job: Job) -> FollowedVersion:
    """Deploy the version that a reference means now."""
    began = time.monotonic()
    with opened(options.place, job) as session:
        version = Reference.of(options.name).find(session)
        followed = FollowedVersion(
            **asdict(described(session, version)),
            target=options.target.name,
            action=WAITING,
            release=version.release,
            seconds=0.0,
        )
        if version.version == options.skip_version:
            return followed
        job.event(SEEN, version=version.version)
        followed = _follow(replace(followed, action="unchanged"), session, version, options, job)
    return replace(followed, seconds=time.monotonic() - began)


def _follow(
    followed: FollowedVersion,
    session: RegistrySession,
    version: ModelVersion,
    options: FollowOptions,
    job: Job,
) -> FollowedVersion:
    release = _release_of(version, session, options)
    there = deploying.releases(TargetOptions(target=options.target), job)
    if release and release == there.current:
        return replace(followed, release=release)
    if release and is_back(there.releases, release, there.current):
        back = deploying.rollback(RollbackOptions(target=options.target, to=release), job)
        return replace(followed, action="rollback", release=release, switched=back)
    return _deploy(followed, session, version, options.folders.get(release), options, job)


def _deploy(
    followed: FollowedVersion,
    session: RegistrySession,
    version: ModelVersion,
    folder: Path | None,
    options: FollowOptions,
    job: Job,
) -> FollowedVersion:
    """Deploy the bundle on this computer, or fetch it first."""
    files = None
    if folder is None or not folder.is_dir():
        files = fetch(session, version, options.known, job)
        folder = Path(files.packaged.bundle)
    done = deploying.deploy(_deploy_options(options, folder), job)
    return replace(followed, action="deploy", release=done.release, deployed=done, files=files)


def record_follow(
    registry: Registry, options: FollowOptions, result: FollowedVersion, folder: Path
) -> FollowResult:
    """Record the pulled version, then the change of the target with its reason."""
    version = {one.name: getattr(result, one.name) for one in fields(RegisteredVersion)}
    final = FollowResult(
        **version,
        target=result.target,
        action=result.action,
        release=result.release,
        seconds=result.seconds,
    )
    if result.files is not None:
        record.record_pull(registry, options, FetchedVersion(**version, files=result.files), folder)
    because = f"{options.name} is version {result.version}"
    given = _stored_options(options)
    if result.switched is not None:
        back = replace(result.switched, because=because)
        target = TargetOptions(target=options.target)
        details = to_json(deployment.rolled_back(registry, target, back, folder, given))
    elif result.deployed is not None:
        done, deploy = replace(result.deployed, because=because), _deploy_options(options)
        details = to_json(deployment.deployed(registry, deploy, done, folder, given))
    else:
        return final
    return replace(final, because=because, details=details)


def _deploy_options(options: FollowOptions, bundle: Path | None = None) -> DeployOptions:
    """Return the options of following that the step ``deploy`` shares."""
    shared = {one.name for one in fields(DeployOptions)} & {one.name for one in fields(options)}
    return DeployOptions(bundle=bundle, **{name: getattr(options, name) for name in shared})


def _stored_options(options: FollowOptions) -> dict[str, JsonValue]:
    """Return the options as the registry stores them with a deploy."""
    values = {**to_json(options), "target": options.target.name}
    own = ("name", "registry", "skip_version", "target")
    names = [one.name for one in form(FollowOptions) if one.name not in own]
    return {name: values[name] for name in (*names, "target")}


def is_back(rows: Sequence[Release], release: str, now: str) -> bool:
    """Return whether a release precedes the current one on the target, so that a rollback fits.

    Args:
        rows: The releases of a target, the newest first.
        now: The current release, whether its server runs or not.

    Raises:
        TargetError: when the target no longer has its files, so a rollback is impossible.
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


def _release_of(version: ModelVersion, session: RegistrySession, options: FollowOptions) -> str:
    key = record.key_of(session.address, version.name, version.version)
    return version.release or options.releases.get(key, "")


SEEN = "registry-version"
"""The message with the version of the alias, sent before the version is deployed."""

WAITING = "waiting"


class AliasWatcher:
    """A watch of an alias.

    Attributes:
        acted_on: The last version that was deployed, or failed; it is not tried again until the
            alias has moved away from it.
        moves: The results of the moves so far.
    """

    def __init__(self) -> None:
        self.acted_on = ""
        self.moves: list[FollowResult] = []
        self._read = ""
        self._failure = ""

    def on_message(self, name: str, values: Mapping[str, object]) -> None:
        """Process a message of the poll's work."""
        if name == SEEN:
            self._read = str(values["version"])

    def judge(self, outcome: JobOutcome) -> str:
        """Process the outcome of a poll; return a line for people, empty without news."""
        seen, self._read = self._read, ""
        if outcome.ok and outcome.result.action == WAITING:
            self._failure = ""
            return ""
        # Without that message the registry was not read, so the version is not marked as tried.
        if seen:
            self.acted_on = seen
        if outcome.ok:
            result: FollowResult = outcome.result
            self.moves.append(result)
            return result.sentence
        line = " ".join(filter(None, (outcome.sentence, outcome.hint)))
        if seen:
            line += f" Version {seen} is not tried again before the alias moves."
        before, self._failure = self._failure, line
        return "" if line == before else line
