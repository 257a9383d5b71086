"""The plan of a deploy: its checks, the files to send, and the steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from studio.api import Refused, StudioError, TargetError, TargetFacts
from studio.deployment import admission
from studio.deployment.access import Access, AccessRequest
from studio.deployment.admission import PreflightCheck, Request
from studio.deployment.bundle_facts import facts_of
from studio.deployment.language_memory import (
    LANGUAGE_SERVER_MB,
    fitting,
    language_bytes,
    served_bytes,
)
from studio.deployment.machine.upload import amount
from studio.deployment.machine.wheels import WheelSet
from studio.deployment.model_checks import model_check
from studio.deployment.results import DeployStep, SentFile
from studio.lazy_dataclass import dataclass
from studio.models.coverage import too_new
from studio.models.coverage.releases import release_of
from studio.packages import Bundle, ZipApplication
from studio.runtime.backends.catalog import ONNX_RUNTIME
from studio.settings.boards import boards
from studio.settings.user import user_name
from studio.targets.inventory import Inventory

_RESERVE_MB = 5
_SERVER_MB = {"onnxruntime": 80, "litert": 80, "openvino": 160, **LANGUAGE_SERVER_MB}
"""Resident memory of supervisor, interpreter, numpy and backend, as measured."""

_MANY_SECONDS = 86400.0


@dataclass(frozen=True, slots=True)
class Transfer:
    """A file that the target lacks."""

    name: str
    path: Path
    digest: str
    size: int


@dataclass(frozen=True, slots=True)
class DeployPlan:
    """The complete plan of one deploy.

    Attributes:
        wheels: Wheels of the environment; None if the target's own interpreter has all packages.
        transfers: Files to send as blobs.
        wanted: Digest and size of every blob of the release, present on the target or not.
        unpacked: Unpacked size of the environment in bytes; 0 if it is installed already.
        sends_runtime: Whether the zip application must be sent.
        access: Access after the deploy.
    """

    facts: TargetFacts
    bundle: Bundle
    runtime: ZipApplication
    wheels: WheelSet | None
    transfers: tuple[Transfer, ...]
    wanted: Mapping[str, int]
    unpacked: int
    sends_runtime: bool
    unchanged: bool
    checks: tuple[PreflightCheck, ...]
    access: Access

    @property
    def bytes_total(self) -> int:
        """Total size of the release in bytes."""
        return sum(self.wanted.values()) + self.runtime.size

    @property
    def bytes_to_send(self) -> int:
        """Number of bytes to send."""
        runtime = self.runtime.size if self.sends_runtime else 0
        return sum(transfer.size for transfer in self.transfers) + runtime

    def require(self) -> None:
        """Raise the error of the first check that blocks the deploy.

        Raises:
            Refused: when the deploy is not safe.
            TargetError: when the deploy cannot succeed.
        """
        for check in self.checks:
            if not check.ok and not check.warning:
                kind: type[StudioError] = Refused if check.safety else TargetError
                raise kind(check.text, hint=check.hint)

    def steps(self) -> Iterator[DeployStep]:
        """Yield the steps of the plan, for the window and the command line."""
        for check in self.checks:
            state = "checked" if check.ok else "warning" if check.warning else "blocked"
            hint = "" if check.ok else check.hint
            yield DeployStep(check.name, state, _sentences(check.text, hint))
        yield self._transfer_row()
        yield self._environment_row()
        if self.unchanged:
            yield DeployStep("switch", "skipped", "release already running")
            return
        put = f"install {self.bundle.digest[:12]} next to the other releases"
        yield DeployStep("stage", "planned", put, command=self._verb("stage"))
        count = facts_of(self.bundle).golden.count
        asked = f"run {count} golden samples in a separate process"
        yield DeployStep("probe", "planned", asked, command=self._verb("probe"))
        kept = "switch atomically, soak, then keep or roll back"
        yield DeployStep("switch", "planned", kept, command=self._verb("switch"))
        left = "remove unused files (the last two releases are kept)"
        yield DeployStep("clean", "planned", left, command=self._verb("gc"))

    def _environment_row(self) -> DeployStep:
        if self.wheels is None:
            return DeployStep("environment", "skipped", "no packages are missing")
        names = ", ".join("-".join(wheel.name.split("-")[:2]) for wheel in self.wheels.wheels)
        if not self.unpacked:
            return DeployStep("environment", "skipped", f"{names}: installed there already")
        text = f"{names}: {self.unpacked / 1e6:,.0f} MB on its disk"
        return DeployStep("environment", "planned", text, command=self._verb("install"))

    def _transfer_row(self) -> DeployStep:
        """Return the step that lists every file to send, with its size."""
        sent = self.bytes_to_send
        files = [SentFile(one.name, one.size) for one in self.transfers]
        if self.sends_runtime:
            files.insert(0, SentFile("the studio's runtime", self.runtime.size))
        return DeployStep(
            "transfer",
            "planned" if sent else "skipped",
            self._transfer_text(),
            bytes=sent,
            command=f"put {self.facts.root}/incoming/*.part; {self._verb('receive')}"
            if sent
            else "",
            files=tuple(files),
        )

    def _verb(self, verb: str) -> str:
        """Return the command line of a step's verb on the target."""
        facts = self.facts
        path = f"{facts.root}/runtime/{self.runtime.digest[:12]}....pyz"
        return f"{facts.python_path or 'python3'} {path} release {verb} --root {facts.root}"

    def _transfer_text(self) -> str:
        if not self.bytes_to_send:
            return "all files are there already"
        count = len(self.transfers) + self.sends_runtime
        files = "1 file" if count == 1 else f"{count} files"
        return f"{files}, {amount(self.bytes_to_send)}"


def _sentences(text: str, hint: str) -> str:
    """Return a finding and its hint as two sentences."""
    return f"{text.removesuffix('.')}. {hint}" if hint else text


def make_plan(
    facts: TargetFacts,
    found: Inventory,
    bundle: Bundle,
    runtime: ZipApplication,
    wheels: WheelSet | None,
    wish: AccessRequest | None = None,
    obstacle: StudioError | None = None,
    request: Request | None = None,
) -> DeployPlan:
    """Compare the state of a target with a release; read and change nothing on the target.

    Args:
        obstacle: Error of the search for wheels that the target needs.
        request: The operator, with the options that decide the admission.
    """
    wish = wish or AccessRequest()
    installed = wheels is not None and wheels.digest in found.environments
    pieces = [Transfer(file.name, file.path, file.digest, file.size) for file in bundle.files]
    if wheels is not None and not installed:
        pieces += [Transfer(w.name, w.path, w.digest, w.size) for w in wheels.wheels]
    unique = {piece.digest: piece for piece in pieces}
    present = found.blobs | found.runtimes | found.nearby
    transfers = tuple(piece for piece in unique.values() if piece.digest not in present)
    unpacked = 0 if wheels is None or installed else wheels.unpacked
    sends_runtime = f"{runtime.digest}.pyz" not in present
    need = sum(piece.size for piece in transfers) + unpacked
    return DeployPlan(
        facts=facts,
        bundle=bundle,
        runtime=runtime,
        wheels=wheels,
        transfers=transfers,
        wanted={piece.digest: piece.size for piece in unique.values()},
        unpacked=unpacked,
        sends_runtime=sends_runtime,
        unchanged=found.current == bundle.digest and not wish.changes(found.service),
        checks=(
            PreflightCheck("python", True, f"Python {facts.python} on {facts.arch}"),
            _board(facts),
            *(
                [PreflightCheck("wheels", False, obstacle.message, obstacle.hint)]
                if obstacle
                else ()
            ),
            _runtime(facts, wheels, bundle),
            _disk(facts, need),
            _memory(facts, found, bundle),
            model_check(bundle),
            *admission.checks(facts, found, bundle, request or Request()),
            _clock(facts),
            _service(facts),
            _access(found, wish, facts.name),
        ),
        access=wish.after(found.service),
    )


def _board(facts: TargetFacts) -> PreflightCheck:
    """Check the board for conditions that make its measurements unreliable."""
    kind = next((one for one in boards() if one.id == facts.board_id), None)
    names = (facts.board or (kind.title if kind else "unknown board type"), facts.image)
    text = ", ".join(filter(None, names))
    if facts.notes:
        return PreflightCheck("board", False, f"{text}: {'; '.join(facts.notes)}", warning=True)
    return PreflightCheck("board", True, text)


def _runtime(facts: TargetFacts, wheels: WheelSet | None, bundle: Bundle) -> PreflightCheck:
    """Check whether the target's backend, or the one in the wheels, can load the model."""
    name = bundle.backend.distribution
    version = _runtime_version(facts, wheels, name)
    if bundle.backend is not ONNX_RUNTIME:
        text = f"{bundle.backend.title} {version or ''}".strip() + ": the probe tests the model"
        return PreflightCheck("runtime", True, text)
    release = release_of(version)
    if release is None:
        text = f"compatibility of onnxruntime {version or 'there'} is unknown; the probe tests it"
        return PreflightCheck("runtime", False, text, warning=True)
    model = facts_of(bundle).model
    problem = next(too_new(model.opset or {}, model.ir_version or 0, release), None)
    if problem is None:
        return PreflightCheck(
            "runtime", True, f"onnxruntime {version} loads operator set {release.opset}"
        )
    return PreflightCheck("runtime", False, problem.text, problem.hint)


def _runtime_version(facts: TargetFacts, wheels: WheelSet | None, package: str) -> str:
    """Return the version of a package on the target after the deploy; empty if it is unknown."""
    if wheels is not None:
        for wheel in wheels.wheels:
            name, _, rest = wheel.name.partition("-")
            if name.replace("_", "-") == package:
                return rest.partition("-")[0]
    own = str(facts.runtimes.get(package, ""))
    known = next((one for one in boards() if one.id == facts.board_id), None)
    kind = known if package == ONNX_RUNTIME.distribution else None
    image = kind.image_of(facts.image, facts.os) if kind and not own else None
    return image.onnxruntime if image else own


def _disk(facts: TargetFacts, need: int) -> PreflightCheck:
    need_mb = need / 1e6 + _RESERVE_MB if need else 0
    # The facts count MiB, while sizes of files are in MB.
    free_mb = facts.disk_free_mb * 1.048576
    where = f"{free_mb:,.0f} MB is free in {facts.root}"
    if need_mb <= free_mb:
        return PreflightCheck("disk", True, f"{where}, {need_mb:,.0f} MB is needed")
    return PreflightCheck(
        "disk",
        False,
        f"Not enough disk space on {facts.name}: the release needs {need_mb:,.0f} MB, and {where}.",
        "Free disk space, or choose another release folder with --root.",
    )


def _memory(facts: TargetFacts, found: Inventory, bundle: Bundle) -> PreflightCheck:
    """Check the memory; during a switch the old and the new model are loaded at once."""
    server_mb = _SERVER_MB[bundle.backend.id]
    files = served_bytes(bundle)
    model = language_bytes(bundle, files) or files
    # The server of the current release answers until the new one has taken over.
    sessions = 2 if found.current and found.current != bundle.digest else 1
    others_mb = round(sum(found.beside)) + len(found.beside) * server_mb
    need_mb = round(sessions * model / 1e6) + server_mb + others_mb
    what = "to hold the old and the new model" if sessions == 2 else "to serve it"
    text = f"{facts.memory_mb:,} MB of memory, about {need_mb:,} MB is needed {what}"
    text += f" ({server_mb} MB of it for the server itself)"
    if found.beside:
        text = text.removesuffix(")") + f", {others_mb:,} MB for {_endpoints(found)})"
    if facts.memory_mb and need_mb > facts.memory_mb:
        hint = fitting(bundle, files, facts.memory_mb - server_mb - others_mb, sessions)
        hint = hint or "Deploy a smaller variant (studio quantize)"
        hint += (
            ", or undeploy the running release first (studio undeploy)." if sessions == 2 else "."
        )
        return PreflightCheck("memory", False, f"{facts.name} has {text}.", hint)
    new_mb = round(model / 1e6) + server_mb
    if facts.memory_free_mb and new_mb > facts.memory_free_mb:
        free = f"{text}, of which {facts.memory_free_mb:,} MB is free"
        return PreflightCheck(
            "memory", False, free, "Stop other programs on the target.", warning=True
        )
    return PreflightCheck("memory", True, text)


def _endpoints(found: Inventory) -> str:
    count = len(found.beside)
    return "another endpoint" if count == 1 else f"{count} other endpoints"


def _clock(facts: TargetFacts) -> PreflightCheck:
    """Check the clock: in the past it invalidates certificates and misorders the log."""
    skew = facts.clock_skew_s
    if skew <= -_MANY_SECONDS:
        return PreflightCheck(
            "clock",
            False,
            f"The clock of {facts.name} is {-skew / _MANY_SECONDS:,.0f} days in the past.",
            "Set the clock: sudo timedatectl set-ntp true, or sudo date -s TIME",
        )
    text = "its clock agrees" if not skew else f"clock skew {skew:,.0f} s"
    return PreflightCheck("clock", skew < _MANY_SECONDS, text, warning=True)


def _service(facts: TargetFacts) -> PreflightCheck:
    """Check whether the server restarts after a reboot; a deploy needs no rights for that."""
    here = facts.url.startswith("local")
    user = user_name() if here else urlsplit(facts.url).username or ""
    if not here and not facts.url.startswith("ssh:"):
        return PreflightCheck("service", True, "its service manager is used where it has one")
    # Only root may install a system service; other logins use their own systemd.
    if user in ("", "root") and "systemd" in facts.services:
        return PreflightCheck("service", True, "its service manager is used where it has one")
    if "systemd-user" in facts.services:
        return PreflightCheck(
            "service", True, f"the systemd of {user} starts it again after a restart"
        )
    if "systemd" not in facts.services:
        text = f"{facts.name} has no systemd: the server does not restart after a reboot"
        hint = f"Start it from a boot script, or with: studio start --target {facts.name}"
        return PreflightCheck("service", False, text, hint, warning=True)
    hint = f"Run once on the target: sudo loginctl enable-linger {user}"
    if "systemd-login" in facts.services:
        text = f"the systemd of {user} restarts it at the next login only"
        return PreflightCheck("service", False, text, hint, warning=True)
    text = f"the systemd of {user} does not start at boot, so the server stays off after a reboot"
    return PreflightCheck("service", False, text, hint, warning=True)


def _access(found: Inventory, wish: AccessRequest, name: str) -> PreflightCheck:
    """Check the access: open access needs consent, a token without TLS gives a warning."""
    after, before = wish.after(found.service), AccessRequest().after(found.service)
    if after.is_open and not after.token and not wish.open_to_all:
        if found.current and before.is_open and not before.token:
            return PreflightCheck(
                "access", False, f"unauthenticated access, unchanged: {after}", warning=True
            )
        return PreflightCheck(
            "access",
            False,
            f"The endpoint on {name} would accept unauthenticated requests from the network.",
            "Use --token generate, or confirm with --allow-unauthenticated.",
            safety=True,
        )
    if after.is_open and after.token and not after.tls:
        text = f"{after}; the token is sent unencrypted (use --tls self-signed)"
        return PreflightCheck("access", False, text, warning=True)
    return PreflightCheck("access", True, str(after))
