"""Approvals of people: at a terminal, or signed with the SSH key of a named approver."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from studio.api import Refused
from studio.plans.author import author_in, key_in
from studio.plans.record import Approval, ChangePlan
from studio.plans.store import approve_hint
from studio.settings import Paths
from studio.settings.user import owner

NAMESPACE = "edgewright-plan"
VALID_S = 900.0
"""Time for which an approval can be used."""

SYSTEM_APPROVERS = Path("/etc/edgewright/plan_approvers")
"""File of the administrator, which goes before the user's own."""


def approvers_file(paths: Paths, system: Path = SYSTEM_APPROVERS) -> Path | None:
    """Return the file of approvers in force; None where an approval at a terminal is enough."""
    own = paths.config / "plan_approvers"
    return next((one for one in (system, own) if one.is_file()), None)


def by_terminal(
    digest: str, plan: ChangePlan, approvers: Path | None, now: float, uid: int | None
) -> Approval:
    """Return the approval of the person at the terminal.

    Args:
        uid: Number of this user; None where a server records the role that approves.

    Raises:
        Refused: where only signatures of named approvers count, or a second person's.
    """
    if approvers is not None:
        raise Refused(
            f"Only a signature of an approver in {approvers} counts.",
            hint=f"studio plan approve {digest[:12]}... --key FILE",
        )
    approval = Approval(digest, owner(), now, _until(plan, now), uid=uid)
    _require_other_user(approval, plan)
    return approval


def by_key(
    digest: str, plan: ChangePlan, key: Path, approvers: Path | None, now: float
) -> Approval:
    """Return an approval that a key has signed.

    Raises:
        Refused: when the key is not that of an approver, or of the author of the plan.
        StudioError: when the key cannot be used.
    """
    if approvers is None:
        raise _no_approvers()
    made = signed(digest, plan, key, now)
    return replace(made, by=_signer(made, plan, approvers))


def signed(digest: str, plan: ChangePlan, key: Path, now: float) -> Approval:
    """Return an approval with the signature of a key, of which the owner is not yet known.

    Raises:
        Refused: when the plan has expired.
        StudioError: when the key cannot be used.
    """
    from studio.packages.signing import signature_of  # a start of the studio needs it not

    if now >= plan.expires:
        raise Refused(f"Plan {digest[:12]} has expired.", hint="Make a new plan.")
    unsigned = Approval(digest, "", now, float(int(_until(plan, now))))
    return replace(unsigned, signature=signature_of(unsigned.statement, key, NAMESPACE))


def received(
    approval: Approval, digest: str, plan: ChangePlan, paths: Paths, now: float
) -> Approval:
    """Return an approval that was signed at another computer, in the name of its signer.

    Raises:
        Refused: when approvers are not named here, or the approval does not count.
    """
    if approvers_file(paths) is None:
        raise _no_approvers()
    return replace(approval, by=require(approval, digest, plan, paths, now), at=now)


def require(approval: Approval, digest: str, plan: ChangePlan, paths: Paths, now: float) -> str:
    """Return who approved a plan.

    Raises:
        Refused: when the approval is of another plan, has expired, or does not count.
    """
    if approval.digest != digest:
        raise Refused("The approval is of another plan.", hint=approve_hint(digest))
    if now >= min(approval.expires, plan.expires):
        raise Refused(f"The approval of plan {digest[:12]} has expired.", hint="Approve it again.")
    approvers = approvers_file(paths)
    if approvers is not None:
        return _signer(approval, plan, approvers)
    _require_other_user(approval, plan)
    return approval.by


def _require_other_user(approval: Approval, plan: ChangePlan) -> None:
    is_author = approval.uid is not None and approval.uid == plan.uid
    if plan.needs_second and (is_author or approval.by == plan.author):
        raise _own(plan.author)


def _until(plan: ChangePlan, now: float) -> float:
    """Return the end of an approval: a rollout may be carried out later, by its author."""
    return plan.expires if plan.needs_second else min(now + VALID_S, plan.expires)


def _no_approvers() -> Refused:
    return Refused(
        "The file of approvers is missing.",
        hint="Write one as for ssh-keygen(1): plan_approvers in the configuration folder.",
    )


def _own(name: str) -> Refused:
    return Refused(
        f"{name} made this plan and cannot approve it.", hint="A second person approves it."
    )


def _signer(approval: Approval, plan: ChangePlan, approvers: Path) -> str:
    from studio.runtime.release.intake.signature import signer_of
    from studio.runtime.shared.errors import ReleaseError

    if not approval.signature:
        raise Refused(f"Only a signature of an approver in {approvers} counts.")
    try:
        name = signer_of(approvers, approval.statement, approval.signature, NAMESPACE)
    except ReleaseError:
        raise Refused(f"No approver in {approvers} has signed this plan.") from None
    if plan.needs_other and (
        name == author_in(approvers, plan) or key_in(approval.signature) == key_in(plan.signature)
    ):
        raise _own(name)
    return name
