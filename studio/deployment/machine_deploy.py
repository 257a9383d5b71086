"""A deploy in steps: each can be repeated, and nothing active changes before the switch."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from studio.api import Refused
from studio.deployment.access import AccessRequest, certify
from studio.deployment.decisions.record_options import Keeping
from studio.deployment.machine.answers import (
    CleanupAnswer,
    InstallAnswer,
    ProbeAnswer,
    ProgressMessage,
    ServiceFacts,
    StageAnswer,
    SwitchAnswer,
)
from studio.deployment.machine.release_client import ReleaseClient
from studio.deployment.machine.upload import Outgoing, Upload, amount
from studio.deployment.machine.wheels import module_of
from studio.deployment.plan import DeployPlan
from studio.deployment.step_log import StepLog, StepRow, begun, instant
from studio.deployment.trial import Sampling, longest_s, summary_of_trial
from studio.documents.dataclass_json import JsonValue, from_json, to_json
from studio.jobs import Job
from studio.lazy_dataclass import dataclass
from studio.runtime.backends.providers import CPU

_TELLING = 8 << 20
"""Smallest transfer in bytes whose duration describes the rate of the link."""

_SEND_S = 120.0
_SLOWEST = 4096
"""Bytes per second. A dead link is detected far earlier; this limits a very slow one."""

_INSTALL_S = 900.0
_PROBE_S = 120.0
_COMPILATION_S = 1200.0
"""Of a model for an accelerator, which the probe waits for; the server then has what it made."""
_GENERATION_S = 900.0
"""Of a language model: gigabytes are read from a slow disk, and tokens may take seconds."""
_ANSWER_S = 180.0
_SWITCH_S = 120.0
_PROBES_PATIENCE = 16.0
"""Multiple of the probe's time: on a slow board both the new and the restored server get eight."""


@dataclass(frozen=True, slots=True)
class ServeSettings:
    """Settings of the server for a release.

    Attributes:
        access: Access options of the deploy.
        providers: Execution providers; None keeps the current ones.
        port: Port; None keeps the current one.
        usual_port: Default port for a first release; 0 lets the target choose.
        budget_ms: Largest median latency; None for no limit.
        soak_s: Length of the soak after the switch, in seconds.
        quality: The trial's rule against the previous release; None without a trial.
        sampling: Limits of stored requests for labelling; None stores none.
        keeping: The record of decisions; None leaves it as it is.
        agreement: Share of a core for comparing answers with the previous release; 0: none.
        replace: Whether the release may replace another model.
        downgrade: Reason for an older release.
        order: Signature of the downgrade, for a target that requires one.
    """

    access: AccessRequest
    port: int | None
    usual_port: int
    budget_ms: float | None
    soak_s: float
    providers: str | None = None
    quality: Mapping[str, str] | None = None
    sampling: Sampling | None = None
    keeping: Keeping | None = None
    agreement: float = 0.0
    replace: bool = False
    downgrade: str = ""
    order: str = ""


@dataclass(frozen=True, slots=True)
class Switched:
    """The answer to a switch, and the time at which the release became active."""

    answer: SwitchAnswer
    at: str


class TargetDeployment:
    """The execution of a plan on one target; the host is its name on the network."""

    def __init__(
        self,
        agent: ReleaseClient,
        plan: DeployPlan,
        wish: ServeSettings,
        host: str,
        log: StepLog,
        job: Job,
    ) -> None:
        self._agent = agent
        self._plan = plan
        self._wish = wish
        self._host = host
        self._log = log
        self._job = job
        self.bytes_sent = 0
        self.certificate = ""
        self._patience_s = _SWITCH_S

    def run(self) -> Switched:
        """Carry out all steps, and return the result of the switch."""
        with self._log.step("runtime") as row:
            self._runtime(row)
        with self._log.step("claim", "lock the target") as row:
            claimed = self._agent.begin(self._plan.bundle.digest)
            row.text = (
                "nothing was served"
                if not claimed.current
                else "the previous release keeps running"
            )
        try:
            self._require_signature(claimed.signed_only)
            return self._release()
        finally:
            self._agent.end()

    def _require_signature(self, signed_only: bool) -> None:
        """Refuse a missing signature before the upload; the target verifies it later."""
        if signed_only and not self._plan.bundle.signature:
            raise Refused(
                "The target requires signed releases, and this bundle is not signed.",
                hint="Deploy with --sign KEY, or sign the bundle with studio sign.",
            )

    def _release(self) -> Switched:
        with self._log.step("transfer") as row:
            self._transfer(row)
        with self._log.step("environment") as row:
            self._environment(row)
        with self._log.step("stage") as row:
            self._stage(row)
        with self._log.step("probe") as row:
            self._probe(row)
        with self._log.step("access") as row:
            self._access(row)
        with self._log.step("switch") as row:
            done = self._switch(row)
        with self._log.step("clean") as row:
            freed = self._agent.request(CleanupAnswer, "gc", {}).freed
            row.text = f"{freed / 1e6:,.1f} MB freed; the last two releases are kept"
        return done

    def _runtime(self, row: StepRow) -> None:
        row.bytes = self._agent.install()
        self.bytes_sent += row.bytes
        if not row.bytes:
            row.skip("the studio's runtime is there already")
        else:
            row.text = f"the studio's runtime, {row.bytes / 1e3:,.0f} kB"

    def _transfer(self, row: StepRow) -> None:
        plan = self._plan
        delivery, began = Upload(self._pieces(), self._job), time.monotonic()
        try:
            self._agent.call(
                "transfer",
                {"blobs": dict(plan.wanted), "extra": plan.unpacked},
                timeout=_SEND_S + sum(plan.wanted.values()) / _SLOWEST,
                watch=delivery.watch,
                frames=delivery.frames(),
            )
        finally:
            delivery.end()
            row.bytes = delivery.sent
            self.bytes_sent += delivery.sent
        if not delivery.files:
            row.skip("all files are there already")
            return
        row.text = _transfer_summary(delivery.files, delivery.sent, time.monotonic() - began)

    def _pieces(self) -> list[Outgoing]:
        """Return all files of the release, as the target may have lost some since the plan."""
        plan = self._plan
        pieces = [Outgoing(f.name, f.path, f.digest, f.size) for f in plan.bundle.files]
        wheels = plan.wheels.wheels if plan.wheels else ()
        pieces += [Outgoing(w.name, w.path, w.digest, w.size) for w in wheels]
        return list({piece.digest: piece for piece in pieces}.values())

    def _environment(self, row: StepRow) -> None:
        wheels = self._plan.wheels
        if wheels is None:
            row.skip("no packages are missing")
            return
        done = self._agent.request(
            InstallAnswer,
            "install",
            {
                "env": wheels.digest,
                "wheels": [{"name": w.name, "sha256": w.digest} for w in wheels.wheels],
                "imports": sorted(filter(None, map(module_of, self._plan.bundle.requirements))),
            },
            timeout=_INSTALL_S,
            watch=self._on_progress,
        )
        if not done.installed:
            row.skip("installed already")
            return
        row.text = ", ".join(f"{name} {version}" for name, version in done.versions.items())

    def _stage(self, row: StepRow) -> None:
        plan = self._plan
        interpreter = (
            {"python": plan.facts.python_path}
            if plan.wheels is None
            else {"env": plan.wheels.digest}
        )
        request = {
            "manifest": plan.bundle.text,
            "signature": plan.bundle.signature,
            "runtime": plan.runtime.digest,
            "replace": self._wish.replace,
            "downgrade": self._wish.downgrade,
            "order": self._wish.order,
            **interpreter,
        }
        done = self._agent.request(StageAnswer, "stage", request)
        row.text = f"version {done.version} of {done.name}, every file verified"
        if done.signer:
            row.text += f", signed by {done.signer}"

    def _probe(self, row: StepRow) -> None:
        if self._plan.unchanged:
            row.skip("release already running")
            return
        seconds = self._longest_probe()
        found = self._agent.request(
            ProbeAnswer,
            "probe",
            {
                "release": self._plan.bundle.digest,
                "budget_ms": self._wish.budget_ms,
                "providers": self._wish.providers,
                "seconds": seconds,
            },
            timeout=seconds + _ANSWER_S,
        )
        # A switch loads models as the probe did, so the probe's time scales its timeout.
        self._patience_s += _PROBES_PATIENCE * (found.probe_s or 0.0)
        row.text = (
            f"{found.samples} golden samples agree (largest difference "
            f"{found.max_error:.2g}), {found.latency_ms:.2f} ms a request, "
            f"{found.backend} {found.version}"
        )
        if found.fallback:
            row.text += f". {found.fallback}"
        elif found.providers not in ((), ("cpu",)):
            row.text += f" on {', '.join(found.providers)}"

    def _longest_probe(self) -> float:
        if self._compiles:
            return _COMPILATION_S
        return _GENERATION_S if self._plan.bundle.backend.generates else _PROBE_S

    @property
    def _compiles(self) -> bool:
        """Whether an execution provider may compile the model on the target."""
        wanted = self._wish.providers
        return wanted != CPU and bool(wanted or self._plan.facts.accelerators)

    def _access(self, row: StepRow) -> None:
        """Prepare a certificate; the switch itself generates a token."""
        plan = self._plan
        if not plan.access.tls:
            row.skip(str(plan.access))
            return
        names = [self._host, "localhost", "127.0.0.1", "::1"]
        skew = plan.facts.clock_skew_s
        wish, folder = self._wish.access, self._job.folder
        summary, self.certificate = certify(self._agent, wish, names, skew, folder)
        row.text = f"{plan.access}; {summary}"

    def _switch(self, row: StepRow) -> Switched:
        wish = self._wish
        done = self._agent.request(
            SwitchAnswer,
            "switch",
            {
                "release": self._plan.bundle.digest,
                "host": wish.access.host,
                "access": wish.access.request(),
                "providers": wish.providers,
                "port": wish.port,
                "usual_port": wish.usual_port,
                "soak_s": wish.soak_s,
                "quality": None if wish.quality is None else dict(wish.quality),
                "agreement": wish.agreement,
                "downgrade": wish.downgrade,
                "order": wish.order,
                "sampling": to_json(wish.sampling),
                "keeping": to_json(wish.keeping),
            },
            timeout=self._patience_s + longest_s(wish.soak_s, wish.quality),
            watch=self._on_progress,
        )
        at = instant()
        if done.state == "unchanged":
            row.skip("release already running")
        else:
            at = begun(done.soak or {"seconds": wish.soak_s})
            watched = summary_of_trial(done.soak) or f"watched for {wish.soak_s:g} s"
            row.text = f"serving at port {done.port}, {watched}, {_kept_by(done.service)}"
        if wish.keeping and wish.keeping.days:
            row.text += f"; records decisions for {wish.keeping.days} days"
        if wish.sampling:
            row.text += f"; keeps up to {wish.sampling.most} uncertain requests there"
        return Switched(done, at)

    def _on_progress(self, message: Mapping[str, JsonValue]) -> None:
        if message.get("event") == "progress":
            progress = from_json(ProgressMessage, message)
            self._job.progress(progress.done, progress.total, progress.text)


def _kept_by(service: ServiceFacts) -> str:
    """Return how the target keeps the server running."""
    if service.enabled and service.boot:
        return f"kept by {service.manager}, also after a restart"
    if service.enabled:
        return f"kept by {service.manager} while its user is logged in, and again at each login"
    return "kept until a restart of the target; studio start brings it back then"


def _transfer_summary(files: Sequence[Outgoing], sent: int, seconds: float) -> str:
    """Describe a transfer: its size, the part kept from earlier attempts, and the compression."""
    size, kept = sum(file.size for file in files), sum(file.offset for file in files)
    text = f"{'1 file' if len(files) == 1 else f'{len(files)} files'}, {amount(size)}"
    if kept:
        text += f", {amount(kept)} of them kept from an earlier attempt"
    if sent < 0.98 * (size - kept):
        text += f", packed to {amount(sent)}"
    # For a few small files, latency dominates the time, so a rate would not describe the link.
    return text if size < _TELLING else f"{text}, {(size - kept) / 1e6 / seconds:,.0f} MB/s"
