"""Allowed signers of a target: read, changed, and recorded."""

from __future__ import annotations

from pathlib import Path

from studio.api import StudioError, UsageError
from studio.deployment.machine.answers import TrustAnswer
from studio.deployment.machine_verbs import machine_session
from studio.deployment.results import AllowedKey, AllowedSigners, TrustResult
from studio.deployment.step import TrustOptions
from studio.documents.dataclass_json import read_parts
from studio.jobs import Job
from studio.lazy_dataclass import dataclass
from studio.runtime.release.intake.signers import Signer, signers_in
from studio.runtime.release.store.layout import SYSTEM_SIGNERS
from studio.targets.inventory import Inventory, when

_LARGEST = 1 << 20
_KEYS = ("ssh-", "ecdsa-", "sk-")


def trust(options: TrustOptions, job: Job) -> TrustResult:
    """Set the allowed signers of a target, or allow unsigned releases."""
    target = options.target
    text = _signers(options.signers)
    refusal = "is a platform target. The platform controls who can deploy."
    with machine_session(target, job, refusal) as (_, agent):
        agent.install()
        done = agent.request(TrustAnswer, "trust", {"signers": text})
    return TrustResult(target.name, done.signers, agent.owner)


def _signers(path: Path | None) -> str:
    """Return the content of the file; a public key becomes a line with its comment as the name."""
    if path is None:
        # A file of signers is short; a limit keeps a wrong path from being read into memory.
        return ""
    try:
        if path.stat().st_size > _LARGEST:
            raise UsageError(f"{path} is too large for an allowed-signers file.")
        text = path.read_text("utf-8")
    except (OSError, ValueError):
        raise StudioError(f"The file of allowed signers {path} cannot be read.") from None
    if text.startswith(_KEYS):
        kind, key, *comment = text.split()
        return f"{'-'.join(comment) or path.stem} {kind} {key}\n"
    return text


@dataclass(frozen=True, slots=True)
class _Change:
    """A change of the allowed signers in a target's history."""

    at: float | None = None
    owner: str = ""
    keys: tuple[str, ...] = ()


def admitted(found: Inventory) -> AllowedSigners:
    """Return the allowed signers of a target."""
    fixed = found.signers_file == str(SYSTEM_SIGNERS)
    # The release machine does not record what the administrator wrote by hand.
    history = [] if fixed else [read_parts(_Change, entry) for entry in found.admissions]
    last = history[-1] if history else _Change()
    keys = tuple(_key(one, history) for one in signers_in(found.signers))
    return AllowedSigners(found.signers_file, fixed, keys, when(last.at), last.owner)


def _key(signer: Signer, history: list[_Change]) -> AllowedKey:
    """Return a signer, with the last change that added its key."""
    first = _Change()
    for change in reversed(history):
        if not signer.fingerprint or signer.fingerprint not in change.keys:
            break
        first = change
    return AllowedKey(*signer, since=when(first.at), by=first.owner)
