"""Pre-flight checks of a release against the state of a target, before anything is sent.

The target repeats these checks with the same functions (``studio.runtime.release``) once the
release has arrived; the studio reports a refusal early.
"""

from __future__ import annotations

import shlex
import shutil
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from studio.api import TargetFacts, UsageError
from studio.deployment.options import DeployOptions
from studio.documents.dataclass_json import read_parts
from studio.lazy_dataclass import dataclass
from studio.packages import Bundle
from studio.packages.signing import signature_of
from studio.runtime.release.intake.signature import DOWNGRADES, NAMESPACE, signer_of
from studio.runtime.release.store.latest_releases import (
    check_unused,
    is_older,
    order_of,
    reason_of,
)
from studio.runtime.release.store.lease import LEASE_S
from studio.runtime.shared.errors import ReleaseError
from studio.targets.inventory import Inventory

_UNSIGNED = "Deploy with --sign KEY, or sign the bundle with studio sign."


@dataclass(frozen=True, slots=True)
class Request:
    """The operator of a deploy, with the options that decide its admission.

    Attributes:
        owner: The operator, as named by the target's lease.
        model: The model as given on the command line, for the commands in hints.
        downgrade: Reason for an older release; empty for a newer one.
        key: Signing key; None without one.
        order: Signature of the downgrade, if the target requires one.
        replace: Whether a release may replace another model.
    """

    owner: str = ""
    model: str = "MODEL"
    downgrade: str = ""
    key: Path | None = None
    order: str = ""
    replace: bool = False

    @classmethod
    def of(cls, options: DeployOptions, owner: str) -> Request:
        """Return the request of a deploy's options.

        Raises:
            UsageError: when the reason for a downgrade is invalid.
        """
        reason = downgrade_of(options.downgrade)
        return cls(owner, _named(options), reason, options.sign, replace=options.replace)


def downgrade_of(given: str | None) -> str:
    """Return the reason for a downgrade in one line; empty if there is no downgrade.

    Raises:
        UsageError: when it is empty, or contains characters that a history cannot hold.
    """
    if given is None:
        return ""
    try:
        reason = reason_of(given)
    except ReleaseError as error:
        raise UsageError(error.message) from None
    if not reason:
        raise UsageError("A downgrade needs a reason.", hint='Pass --downgrade "REASON".')
    return reason


def ordered(found: Inventory, bundle: Bundle, request: Request) -> Request:
    """Return the request with a signed order, if the target requires one for this downgrade.

    Raises:
        StudioError: when the key cannot be used.
    """
    older = is_older(found.lines, bundle.name, bundle.counter, bundle.digest)
    if not (older and found.signers_file and request.downgrade and request.key):
        return request
    order = order_of(found.lines, bundle.name, bundle.digest, request.downgrade)
    return replace(request, order=signature_of(order, request.key, DOWNGRADES))


def checks(
    facts: TargetFacts, found: Inventory, bundle: Bundle, request: Request
) -> tuple[PreflightCheck, ...]:
    """Return the checks of a release: folder, operator, model, counters, signatures."""
    return (
        _folder(facts, found),
        _operator(facts, found, request),
        _model(facts, found, bundle, request),
        _counter(facts, found, bundle, request),
        _signature(facts, found, bundle),
    )


def _folder(facts: TargetFacts, found: Inventory) -> PreflightCheck:
    if not found.read_only:
        return PreflightCheck("folder", True, f"{facts.root} can be written to")
    why = f": {found.read_only_why}" if found.read_only_why else ""
    return PreflightCheck(
        "folder",
        False,
        f"{found.read_only} is not writable on {facts.name}{why}.",
        "Choose another release folder with --root, or give this login write access.",
    )


def _operator(facts: TargetFacts, found: Inventory, request: Request) -> PreflightCheck:
    """Check that no other deploy holds the target's lease, which lasts a few minutes."""
    lease = read_parts(_Lease, found.lease)
    holder, left = lease.owner, lease.expires - (time.time() + facts.clock_skew_s)
    if not holder or holder == request.owner or not 0 < left <= LEASE_S:
        return PreflightCheck("operator", True, "no other deployment is running")
    return PreflightCheck(
        "operator",
        False,
        f"{holder} is deploying to {facts.name}.",
        f"Wait for it to finish. The lock expires in {left:.0f} s if that deployment has stopped.",
    )


def _model(
    facts: TargetFacts, found: Inventory, bundle: Bundle, request: Request
) -> PreflightCheck:
    """Check whether the model may replace the current one."""
    text, hint = another_model(facts.name, found.model, bundle.name, replace=request.replace)
    if text:
        return PreflightCheck("model", False, text, hint, safety=True)
    other = found.model not in ("", bundle.name)
    told = f"it takes the place of {found.model}" if other else "no other model is replaced"
    return PreflightCheck("model", True, told)


def _counter(
    facts: TargetFacts, found: Inventory, bundle: Bundle, request: Request
) -> PreflightCheck:
    what = f"version {bundle.version} of {bundle.name}"
    # The current release may be deployed again, whatever its counter.
    if bundle.digest == found.current:
        return PreflightCheck("counter", True, f"{what} is already running")
    last = found.lines.get(bundle.name)
    if last is None:
        return PreflightCheck(
            "counter", True, f"{what} is the first version of {bundle.name} on this target"
        )
    if not is_older(found.lines, bundle.name, bundle.counter, bundle.digest):
        return PreflightCheck("counter", True, f"{what} is not older than the last release")
    if request.downgrade:
        return _downgrade(facts, found, bundle, request)
    return PreflightCheck(
        "counter",
        False,
        f"{what[0].upper()}{what[1:]} is older than the last release on {facts.name}.",
        f"To downgrade, run: {_way_back(facts, found, bundle, request)}",
        safety=True,
    )


def _downgrade(
    facts: TargetFacts, found: Inventory, bundle: Bundle, request: Request
) -> PreflightCheck:
    """Check the signed order, without which a target with signers accepts no downgrade."""
    text = f"version {bundle.version} of {bundle.name} is older than the last release; "
    text += f"reason: {request.downgrade}"
    if not found.signers_file:
        return PreflightCheck("counter", False, text, warning=True)
    if not request.order:
        refused = f"{facts.name} requires signed releases, and this downgrade is not signed."
        hint = "Deploy with --sign KEY. A downgrade needs a new signature."
        return PreflightCheck("counter", False, refused, hint, safety=True)
    order = order_of(found.lines, bundle.name, bundle.digest, request.downgrade)
    try:
        who = _signer(found.signers, order, request.order, DOWNGRADES)
        check_unused(found.lines, bundle.name, order)
    except ReleaseError as error:
        return PreflightCheck("counter", False, error.message, error.hint, safety=True)
    return PreflightCheck("counter", False, f"{text}; ordered by {who}", warning=True)


def _way_back(facts: TargetFacts, found: Inventory, bundle: Bundle, request: Request) -> str:
    """Return the command for an older release: a rollback, or another deploy."""
    target = f"--target {shlex.quote(facts.name)}"
    if found.current and bundle.digest in found.releases:
        return f"studio rollback {target} --to {bundle.version}"
    return f'studio deploy {shlex.quote(request.model)} {target} --downgrade "REASON"'


def _signature(facts: TargetFacts, found: Inventory, bundle: Bundle) -> PreflightCheck:
    if not found.signers_file:
        text = "it accepts unsigned releases"
        return PreflightCheck(
            "signature", True, text + (", also signed ones" if bundle.signature else "")
        )
    if not bundle.signature:
        text = f"{facts.name} requires signed releases, and this bundle is not signed."
        return PreflightCheck("signature", False, text, _UNSIGNED, safety=True)
    if not found.checks_signatures:
        text = f"{facts.name} requires signed releases, but has no ssh-keygen to verify them."
        hint = "Install the OpenSSH client (8.2 or later) on the target."
        return PreflightCheck("signature", False, text, hint)
    if shutil.which("ssh-keygen") is None:
        text = "the target verifies the signature: this computer has no ssh-keygen"
        return PreflightCheck("signature", False, text, warning=True)
    try:
        who = _signer(found.signers, bundle.text.encode(), bundle.signature, NAMESPACE)
    except ReleaseError as error:
        return PreflightCheck("signature", False, error.message, error.hint, safety=True)
    return PreflightCheck("signature", True, f"signed by {who}, an allowed signer")


def _signer(signers: str, content: bytes, signature: str, namespace: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "allowed_signers")
        path.write_text(signers + "\n", "utf-8")
        return signer_of(path, content, signature, namespace)


def _named(options: DeployOptions) -> str:
    """Return the arguments of the same deploy on a command line."""
    if options.bundle:
        return str(options.bundle)
    model = options.model
    return f"{model.model_name}:{model.name}" if model else "MODEL"


@dataclass(frozen=True, slots=True)
class _Lease:
    """The current lease of a target: its operator and its end."""

    owner: str = ""
    expires: float = 0.0


@dataclass(frozen=True, slots=True)
class PreflightCheck:
    """The result of one check before a deploy.

    Attributes:
        hint: Fix for a failed check.
        safety: Whether a failure is a refusal for safety.
        warning: Whether the deploy may continue nevertheless.
    """

    name: str
    ok: bool
    text: str
    hint: str = ""
    safety: bool = False
    warning: bool = False


ON_PLATFORM = "on a separate target (studio target add)"
"""Hint for a second model on a platform, where an address has a single endpoint."""


def another_model(
    target: str, served: str, model: str, *, replace: bool, beside: str = ""
) -> tuple[str, str]:
    """Explain why a model may not replace the current one, with both fixes; empty if it may.

    Args:
        target: Its name, which is ``TARGET/NAME`` for an endpoint.
        served: Name of the current model; empty without one.
        replace: Whether the user allowed the replacement.
        beside: Command that serves both, if the target is no named endpoint.
    """
    if replace or not served or served == model:
        return "", ""
    base, below, _ = target.partition("/")
    beside = beside or f"with {f'--target {base}/NAME' if below else '--endpoint NAME'}"
    return (
        f"{target} already serves {served}, not {model}.",
        f"Serve both {beside}, or replace the model with --replace.",
    )
