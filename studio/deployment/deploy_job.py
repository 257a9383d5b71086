"""One deploy from the bundle to the active release, and its result."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

from studio.api import Cancelled, Channel, StudioError, TakenBack, TargetFacts
from studio.deployment.access import AccessRequest, keep_certificate, keep_token
from studio.deployment.admission import Request, ordered
from studio.deployment.contained_packaging import signed_copy, with_signature
from studio.deployment.decisions.record_options import keeping
from studio.deployment.liveness import SERVING, ServerAddress, liveness, server_info, url_of
from studio.deployment.machine.release_client import ReleaseClient
from studio.deployment.machine.wheels import WheelCache, WheelPlatform, WheelSet, lacking, no_python
from studio.deployment.machine_deploy import ServeSettings, Switched, TargetDeployment
from studio.deployment.options import DeployOptions
from studio.deployment.plan import DeployPlan, make_plan
from studio.deployment.providers import named_parts, refuse_unknown_providers
from studio.deployment.results import DeployResult, DeployStep
from studio.deployment.step_log import StepLog, begun, instant, release_on
from studio.deployment.trial import comparing, sampling, soak_rule, trial_checks, trial_s
from studio.documents.dataclass_json import read_parts
from studio.jobs import Job
from studio.lazy_dataclass import dataclass
from studio.packages import Bundle, build_runtime
from studio.packages.backends import backends_among
from studio.packages.packaging_job import package_contained
from studio.packages.results import PackageResult
from studio.settings import Paths
from studio.targets import inventory
from studio.targets.connect import gather_facts, host_of, is_local, tunnel_command
from studio.targets.inventory import Inventory
from studio.targets.target import open_target

BOARD_PORT = 8477
"""Default port of the server on a board."""


@dataclass(frozen=True, slots=True)
class _ServedBy:
    """The execution providers of a running server."""

    providers: str = ""


class Deployment:
    """The plan and the execution of one deploy on one target.

    Attributes:
        options: The wanted deploy.
        log: The steps so far.
        packaged: The result of packaging a model; None for a given bundle.
    """

    def __init__(self, options: DeployOptions, job: Job, owner: str) -> None:
        self._target = options.target
        self.options = options
        self._job = job
        self._owner = owner
        self._access = AccessRequest.of(options, os.environ)
        refuse_unknown_providers(options.providers or "")
        self._given_parts = named_parts(options.parts)
        self._quality = soak_rule(options)
        self._request = Request.of(options, owner)
        self.log = StepLog(job)
        self.packaged: PackageResult | None = None
        self._began = time.monotonic()

    def find_bundle(self) -> Bundle:
        """Verify the given bundle, or package the given model; sign it if requested."""
        bundle, key = self._found_bundle(), self.options.sign
        if key and not bundle.signature:
            with self.log.step("sign", f"with {key.name}"):
                # A platform gets nothing but the folder.
                sign = open_target(self._target).choose(with_signature, signed_copy)
                return sign(bundle, key, self._job)
        return bundle

    def _found_bundle(self) -> Bundle:
        if self.options.bundle:
            with self.log.step("bundle", "every file verified"):
                return Bundle.open(self.options.bundle)
        with self.log.step("package") as row:
            self.packaged = packaged = package_contained(
                self.options.packaging(self.options.model), self._job
            )
            bundle = Bundle.open(Path(packaged.bundle))
            if packaged.new:
                row.text = f"version {bundle.version} of {bundle.name}"
            else:
                row.skip(f"version {bundle.version} of {bundle.name} is the same")
            row.text = ". ".join(filter(None, (row.text, " ".join(packaged.notes))))
            return bundle

    def run(self, channel: Channel, bundle: Bundle) -> DeployResult:
        """Make the plan, and carry it out unless this is a dry run."""
        facts = self._facts(channel)
        plan = self._plan(channel, facts, bundle)
        if self.options.dry_run:
            steps = (*self.log.results(), *plan.steps())
            return self._result(plan, steps, state="planned")
        with self.log.step("check") as row:
            plan.require()
            notes = [f"{check.name}: {check.text}" for check in plan.checks if not check.ok]
            row.text = "; ".join([f"{len(plan.checks) - len(notes)} checks passed", *notes])
        python = facts.python_path
        agent = ReleaseClient(
            channel, facts.root, python, plan.runtime, self._owner, self._target.name
        )
        host = "127.0.0.1" if is_local(self._target) else host_of(self._target)
        rollout = TargetDeployment(agent, plan, self._wish(), host, self.log, self._job)
        done = rollout.run()
        kept = self._keep_token(plan, done.answer.secret or self._access.value)
        result = self._result(plan, self.log.results(), state="serving")
        return replace(
            self._served(result, done),
            bytes_sent=rollout.bytes_sent,
            token_kept=kept,
            certificate_file=keep_certificate(self._target, rollout.certificate),
        )

    def rolled_back(self, bundle: Bundle, error: TakenBack) -> DeployResult:
        """Return the result of a release that failed its trial: its reason and duration."""
        return replace(
            release_on(self._target, bundle, "failed"),
            by=self._owner,
            reason=error.message,
            hint=error.hint,
            soak=error.evidence,
            at=begun(error.evidence),
            until=instant(),
            packaged=self.packaged,
        )

    def _served(self, result: DeployResult, done: Switched) -> DeployResult:
        """Add the server's state after the switch to the result."""
        answer = done.answer
        return replace(
            result,
            soak=answer.soak,
            reason=answer.reason or "",
            endpoint=url_of(self._target, ServerAddress(answer.host, answer.port, answer.scheme)),
            log=answer.log,
            at=done.at,
            host=answer.host,
            port=answer.port,
            pid=answer.pid,
            scheme=answer.scheme,
            tunnel=tunnel_command(self._target, answer.host or "", answer.port or 0),
            fingerprint=answer.fingerprint,
            token_required=answer.token_required,
        )

    def _keep_token(self, plan: DeployPlan, token: str) -> str:
        """Store the token on this computer, too; no result, log or message contains it."""
        if not token and plan.access.token:
            return ""  # the stored token stays valid
        return keep_token(self._target, plan.facts.root, token)

    def _facts(self, channel: Channel) -> TargetFacts:
        with self.log.step("connect", self._target.url) as row:
            facts = gather_facts(self._target, channel)
            if not facts.python:
                raise no_python(self._target.name)
            row.text = f"{facts.os or facts.kernel}, {facts.arch}, Python {facts.python}"
            return facts

    def _plan(self, channel: Channel, facts: TargetFacts, bundle: Bundle) -> DeployPlan:
        obstacle = None
        found = inventory.read(channel, facts.root)
        with self.log.step("wheels") as row:
            try:
                wheels = self._wheels(facts, bundle, found)
            except StudioError as error:
                if isinstance(error, Cancelled) or not self.options.dry_run:
                    raise
                wheels, obstacle = None, error  # a plan lists this with all other obstacles
            if obstacle is not None:
                row.skip("none fit it")
            elif wheels is None:
                row.skip("no packages are missing")
            else:
                row.text = ", ".join("-".join(w.name.split("-")[:2]) for w in wheels.wheels)
        self._request = ordered(found, bundle, self._request)
        parts = self._parts(found, bundle)
        runtime = build_runtime(self._job.folder, is_local(self._target), parts)
        wish, request = self._access, self._request
        plan = make_plan(facts, found, bundle, runtime, wheels, wish, obstacle, request)
        live = liveness(self._target, server_info(channel, facts.root))
        # A release whose server has stopped is switched to like a new one.
        same = plan.unchanged and self._keeps_providers(found)
        checks = (*plan.checks, *trial_checks(bundle, found, self.options))
        return replace(plan, checks=checks, unchanged=same and live.state == SERVING)

    def _parts(self, found: Inventory, bundle: Bundle) -> frozenset[str]:
        """Return the parts of the runtime: of the bundle, and of what is switched on.

        In a trial the server also loads the current release.
        """
        records = {"decisions"} if self.options.keep_decisions else set[str]()
        current = found.parts if self._compares else frozenset[str]()
        return bundle.parts | found.switched | self._given_parts | records | current

    def _keeps_providers(self, found: Inventory) -> bool:
        wanted = self.options.providers
        return wanted is None or wanted == read_parts(_ServedBy, found.service).providers

    def _wheels(self, facts: TargetFacts, bundle: Bundle, found: Inventory) -> WheelSet | None:
        """Return the wheels to install: the whole set if one is missing, so that versions fit.

        In a trial the server also runs the current release, which another backend may load.
        """
        current = backends_among(found.needs) if self._compares else {}
        needed = {**current, **bundle.requirements}
        if not lacking(facts, needed):
            return None
        cache = WheelCache(Paths.of().cache / "wheels")
        wanted = [f"{name}{version}" for name, version in sorted(needed.items())]
        return cache.find(WheelPlatform.of(facts, bundle.backend.distribution), wanted, self._job)

    @property
    def _compares(self) -> bool:
        """Whether answers are compared with those of the current release."""
        return self._quality is not None or comparing(self.options) > 0

    def _wish(self) -> ServeSettings:
        given = self.options
        return ServeSettings(
            access=self._access,
            providers=given.providers,
            port=given.port,
            usual_port=0 if is_local(self._target) else BOARD_PORT,
            budget_ms=given.budget_ms,
            soak_s=trial_s(given.soak_s, self._quality),
            quality=self._quality,
            sampling=sampling(given),
            keeping=keeping(given),
            agreement=comparing(given),
            replace=given.replace,
            downgrade=self._request.downgrade,
            order=self._request.order,
        )

    def _result(self, plan: DeployPlan, steps: tuple[DeployStep, ...], state: str) -> DeployResult:
        return replace(
            release_on(self._target, plan.bundle, state),
            possible=all(check.ok or check.warning for check in plan.checks),
            bytes_to_send=plan.bytes_to_send,
            bytes_total=plan.bytes_total,
            seconds=time.monotonic() - self._began,
            steps=steps,
            by=self._owner,
            root=plan.facts.root,
            packaged=self.packaged,
        )
