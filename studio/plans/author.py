"""The author of a plan: the person whose SSH key has signed it."""

from __future__ import annotations

import base64
import binascii
from dataclasses import replace
from pathlib import Path

from studio.api import Refused
from studio.plans.record import ChangePlan
from studio.settings import Paths

NAMESPACE = "edgewright-plan-author"
"""A key with the option ``namespaces="edgewright-plan-author"`` makes plans and approves none."""

_HEAD = 10
"""Bytes before the public key in a signature (see PROTOCOL.sshsig)."""


def with_signature(plan: ChangePlan, paths: Paths, approvers: Path | None) -> ChangePlan:
    """Return a plan with the signature of this user's key, if one is set.

    Raises:
        Refused: where approvers are named, and the key is not set or not named there.
        StudioError: when the key cannot be used.
    """
    setting = paths.config / "plan_key"
    if setting.is_file():
        from studio.packages.signing import signature_of  # a start of the studio needs it not

        key = Path(setting.read_text("utf-8").strip())
        plan = replace(plan, signature=signature_of(plan.statement, key, NAMESPACE))
    if approvers is not None and plan.needs_other:
        author_in(approvers, plan)
    return plan


def author_in(approvers: Path, plan: ChangePlan) -> str:
    """Return the name of a plan's author in the file of approvers.

    Raises:
        Refused: when no key of the file has signed the plan.
    """
    from studio.runtime.release.intake.signature import signer_of
    from studio.runtime.shared.errors import ReleaseError

    hint = "Write the path of your SSH key into plan_key in the configuration folder."
    if not plan.signature:
        raise Refused("The plan has no signature of its author.", hint=hint)
    try:
        return signer_of(approvers, plan.statement, plan.signature, NAMESPACE)
    except ReleaseError:
        raise Refused(
            f"The author's key of the plan is not in {approvers}.",
            hint=f'Add a line: NAME namespaces="{NAMESPACE}" KEY',
        ) from None


def key_in(signature: str) -> bytes:
    """Return the public key in a signature that has been verified; empty without one."""
    try:
        content = base64.b64decode("".join(signature.split("-----")[2].split()))
    except (IndexError, binascii.Error):
        return b""
    end = _HEAD + 4 + int.from_bytes(content[_HEAD : _HEAD + 4], "big")
    return content[_HEAD + 4 : end]
