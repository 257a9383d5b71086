"""The deployment verbs on a platform, with the same results as on a machine."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

from studio.api import (
    Action,
    Deployed,
    Parcel,
    Platform,
    PlatformRelease,
    Preview,
    Refused,
    Site,
    TargetError,
    TargetSpec,
    UsageError,
)
from studio.deployment.admission import ON_PLATFORM, another_model, downgrade_of
from studio.deployment.deploy_job import Deployment
from studio.deployment.language_memory import language_server_mb
from studio.deployment.machine.wheels import WheelCache, WheelPlatform
from studio.deployment.model_checks import action_of, model_check
from studio.deployment.options import DeployOptions
from studio.deployment.results import (
    DeployResult,
    DeployStep,
    LogsResult,
    ReleasesResult,
    ResourcesResult,
    SwitchResult,
    UndeployResult,
)
from studio.deployment.step_log import StepLog, begun, instant, release_on
from studio.deployment.trial import (
    summary_of_trial,
    trial_options,
    why_no_trial,
    why_none_compared,
    why_none_kept,
)
from studio.documents.dataclass_json import JsonValue, read_parts
from studio.jobs import Job, Result
from studio.lazy_dataclass import dataclass
from studio.packages import Bundle, build_runtime
from studio.runtime.parts import SWITCHED
from studio.settings import Paths
from studio.targets.platforms import deploy_options, site_of

log = logging.getLogger(__name__)

_GLIBC = (2, 28)
"""The glibc of the oldest supported images (Debian 10, Red Hat 8)."""

_INSTEAD = (
    "Use --canary PERCENT to send a share of the traffic to the new release, or "
    "studio rollout to compare golden samples before and after."
)


@dataclass(frozen=True, slots=True)
class _DeployFacts:
    """The trial in the facts of a platform's deploy."""

    soak: Mapping[str, JsonValue] | None = None


class PlatformOperation:
    """A verb on the site of one platform."""

    def __init__(self, target: TargetSpec, job: Job, owner: str) -> None:
        self._target = target
        self._job = job
        self._owner = owner
        self._began = time.monotonic()

    def probe(self) -> Result:
        """Return the account and the place, in the keys of a machine's facts where they apply."""
        with self._site() as (platform, site):
            identity = site.identity()
        facts = dict(identity.facts)
        return {
            "arch": "",
            "os": platform.title,
            "python": "",
            "runtimes": {},
            "memory_mb": 0,
            "disk_free_mb": 0,
            "accelerators": [],
            "services": [],
            **facts,
            "name": self._target.name,
            "url": self._target.url,
            "who": identity.who,
            "where": identity.where,
        }

    def check(self, wanted: DeployOptions) -> None:
        """Refuse options that a platform has no use for, before a bundle is packaged.

        Raises:
            UsageError: with the alternative on a platform.
        """
        if wanted.keep_samples:
            raise UsageError(why_none_kept(self._target), hint="Omit --keep-samples.")
        if wanted.keep_decisions:
            why_not = why_none_kept(self._target, "record decisions")
            raise UsageError(why_not, hint="Omit --keep-decisions.")
        if wanted.shadow_cpu and (why_not := why_none_compared(self._target)):
            raise UsageError(why_not, hint="Omit --shadow-cpu.")
        if wanted.providers:
            raise UsageError(
                f"{self._target.name} takes the execution providers that its image has.",
                hint="Omit --providers.",
            )
        if wanted.parts:
            raise UsageError(
                f"{self._target.name} gets all parts that an environment may turn on.",
                hint="Omit --parts.",
            )
        on_trial = wanted.trial or wanted.trial_rule
        if on_trial and (why_not := why_no_trial(self._target)):
            raise UsageError(f"No trial: {why_not}", hint=_INSTEAD)

    def deploy(self, deployment: Deployment, bundle: Bundle) -> DeployResult:
        """Deploy a bundle, or return the plan of a dry run."""
        done = self._deployed(deployment.options, bundle, deployment.log)
        reason = downgrade_of(deployment.options.downgrade)
        return replace(done, packaged=deployment.packaged, reason=reason)

    def _deployed(self, wanted: DeployOptions, bundle: Bundle, log: StepLog) -> DeployResult:
        with self._site() as (platform, site):
            options = self._options(platform, wanted)
            with log.step("connect", self._target.url) as row:
                identity = site.identity()
                row.text = f"{identity.where}, as {identity.who}"
            parcel = parcel_of(bundle, self._job, self._owner)
            preview = site.preview(parcel, options)
            refused = self._another_model(site, bundle, wanted.replace)
            checks = [action_of(model_check(bundle)), *([refused] if refused else [])]
            if wanted.dry_run:
                actions = (*checks, *preview.actions)
                return self._planned(bundle, replace(preview, actions=actions), log)
            for action in checks:
                if action.state == "blocked":
                    raise Refused(action.text, hint=action.hint)
            done = self._deploy(site, parcel, options, log)
        state = "serving" if done.state == "unchanged" else done.state
        soak = _soak(done)
        return replace(
            self._result(bundle, state, log.results()),
            bytes_sent=done.bytes_sent,
            bytes_to_send=done.bytes_sent,
            endpoint=done.endpoint,
            soak=soak,
            facts=done.facts,
            at=begun(soak),
        )

    def promote(self) -> SwitchResult:
        """Give the canary all requests."""
        with self._site() as (_, site):
            before = _serving(site)
            done = site.promote(self._job)
            return self._moved(before, done, site)

    def rollback(self, to: str | None) -> SwitchResult:
        """Activate an earlier release, or end the canary."""
        with self._site() as (_, site):
            before = _newest(site)
            done = site.rollback(to, self._job)
            return self._moved(before, done, site)

    def releases(self) -> ReleasesResult:
        """Return the releases that the platform lists."""
        with self._site() as (_, site):
            rows = tuple(site.releases())
        current = next((row.release for row in rows if row.state == "serving"), "")
        return ReleasesResult(self._target.name, current, releases=rows)

    def resources(self) -> ResourcesResult:
        """Return all resources on the platform that the studio created for this target."""
        with self._site() as (_, site):
            return ResourcesResult(self._target.name, tuple(site.resources()))

    def logs(self, lines: int) -> LogsResult:
        """Return the last log lines of the release."""
        with self._site() as (_, site):
            return LogsResult(self._target.name, tuple(site.logs(lines)))

    def undeploy(self, purge: bool) -> UndeployResult:
        """Stop the release; a purge also deletes everything that the studio created."""
        with self._site() as (_, site):
            before = _serving(site)
            left = site.remove(purge, self._job)
        return UndeployResult(
            self._target.name,
            self._owner,
            instant(),
            release=before.release if before else "",
            purged=purge,
            left=tuple(left),
        )

    def _site(self) -> AbstractContextManager[tuple[Platform, Site]]:
        return site_of(self._target, self._job)

    def _options(self, platform: Platform, wanted: DeployOptions) -> dict[str, JsonValue]:
        for name in ("port", "budget_ms", "expose", "token", "token_file", "tls", "cert", "key"):
            if getattr(wanted, name) is not None:
                raise UsageError(
                    f"{platform.title} has no option {name!r}.",
                    hint="Pass platform options with --set NAME=VALUE.",
                )
        options = deploy_options(platform, self._target, wanted.set or (), wanted.canary)
        return {**options, **trial_options(self._target, wanted)}

    def _another_model(self, site: Site, bundle: Bundle, replace: bool) -> Action | None:
        """Return the action that blocks the deploy if another model is served; None if none is."""
        before = _serving(site)
        served = before.name if before else ""
        text, hint = another_model(
            self._target.name, served, bundle.name, replace=replace, beside=ON_PLATFORM
        )
        return Action("model", text, "blocked", hint) if text else None

    def _deploy(
        self, site: Site, parcel: Parcel, options: Mapping[str, JsonValue], log: StepLog
    ) -> Deployed:
        with log.step("deploy") as row:
            done = site.deploy(parcel, options, self._job)
            self._log("deploy", done)
            row.bytes = done.bytes_sent
            if done.state == "unchanged":
                row.skip("release already running")
            else:
                summary = summary_of_trial(_soak(done))
                row.text = f"version {parcel.version} of {parcel.name} is {done.state}"
                row.text += f", {summary}" if summary else ""
        return done

    def _planned(self, bundle: Bundle, preview: Preview, log: StepLog) -> DeployResult:
        steps = (*log.results(), *map(_step, preview.actions))
        return replace(
            self._result(bundle, "planned", steps),
            possible=all(action.state != "blocked" for action in preview.actions),
            documents=preview.documents,
            cost_per_hour=preview.cost_per_hour,
            currency=preview.currency,
            cost_note=preview.cost_note,
            at=instant(),
        )

    def _result(self, bundle: Bundle, state: str, steps: tuple[DeployStep, ...]) -> DeployResult:
        return replace(
            release_on(self._target, bundle, state),
            bytes_total=bundle.size,
            seconds=time.monotonic() - self._began,
            steps=steps,
            by=self._owner,
        )

    def _log(self, verb: str, done: Deployed) -> None:
        keys = {"target": self._target.name, "state": done.state, "release": done.release}
        log.info("platform: %s", verb, extra=keys)

    def _moved(self, before: PlatformRelease | None, done: Deployed, site: Site) -> SwitchResult:
        self._log("switch", done)
        found = {one.release: one for one in site.releases()}
        now = found.get(done.release)
        if now is None:
            # The site is read again: a platform's answer to a switch lacks name and version.
            raise TargetError(f"{self._target.name} did not report its running release.")
        seconds = time.monotonic() - self._began
        return SwitchResult(
            target=self._target.name,
            left_version=before.version if before else None,
            to=now.version,
            release=now.release,
            name=now.name,
            endpoint=done.endpoint,
            left=before.release if before else "",
            switch_seconds=seconds,
            seconds=seconds,
            by=self._owner,
            at=instant(),
        )


def parcel_of(bundle: Bundle, job: Job, owner: str, *parts: str) -> Parcel:
    """Return the parcel of a bundle for a platform or a packager.

    Args:
        parts: Further parts of its runtime; a container's health check and listener always come.
    """
    cache = WheelCache(Paths.of().cache / "wheels")

    def wheels(arch: str, python: tuple[int, int], wanted: Sequence[str]) -> Sequence[Path]:
        found = cache.find(WheelPlatform(arch, python, _GLIBC), wanted, job)
        return [wheel.path for wheel in found.wheels]

    runtime = build_runtime(job.folder, parts=bundle.parts | SWITCHED | {"containers", *parts})
    return Parcel(
        bundle.folder,
        runtime.path,
        bundle.digest,
        bundle.raw,
        owner,
        wheels,
        language_server_mb(bundle),
    )


def _step(action: Action) -> DeployStep:
    return DeployStep(action.name, action.state, f"{action.text} {action.hint}".strip())


def _soak(done: Deployed) -> Mapping[str, JsonValue]:
    """Return the trial in a platform's facts; empty without a trial."""
    return read_parts(_DeployFacts, done.facts).soak or {}


def _serving(site: Site) -> PlatformRelease | None:
    return next((one for one in site.releases() if one.state == "serving"), None)


def _newest(site: Site) -> PlatformRelease | None:
    """Return the release that a rollback removes: the canary if there is one."""
    found = site.releases()
    canary = next((one for one in found if one.state == "canary"), None)
    return canary or next((one for one in found if one.state == "serving"), None)
