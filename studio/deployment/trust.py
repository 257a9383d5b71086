"""Allowed signers of a target: read, changed, and recorded."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studio.api import StudioError, UsageError
from studio.deployment.work import agent_on, connected
from studio.jobs import Arguments, Job, Result
from studio.runtime.release.intake.signers import signers_in
from studio.runtime.release.store.layout import SYSTEM_SIGNERS
from studio.targets.connect import target_of
from studio.targets.inventory import Inventory, when
from studio.targets.platforms import is_platform

_LARGEST = 1 << 20
_KEYS = ("ssh-", "ecdsa-", "sk-")


def trust(arguments: Arguments, job: Job) -> Result:
    """Have a target admit some signers, or everybody."""
    target = target_of(arguments["target"])
    if is_platform(target):
        raise UsageError(f"{target.name} is no machine; who may deploy there is its own affair.")
    text = _signers(arguments.get("signers"))
    with connected(target, job) as channel:
        agent = agent_on(target, channel, job)
        agent.install()
        done = agent.call("trust", {"signers": text})
    return {"target": target.name, "signers": done["signers"], "by": agent.owner}


def _signers(given: str | None) -> str:
    """The content of the file; a public key becomes a line with its comment as the name."""
    if not given:
        return ""
    path = Path(given).expanduser()
    try:
        if path.stat().st_size > _LARGEST:
            raise UsageError(f"{path} is too large to be a file of signers.")
        text = path.read_text("utf-8")
    except (OSError, ValueError):
        raise StudioError(f"The file of signers {path} cannot be read.") from None
    if text.startswith(_KEYS):
        kind, key, *comment = text.split()
        return f"{'-'.join(comment) or path.stem} {kind} {key}\n"
    return text


def admitted(found: Inventory) -> dict[str, Any]:
    """Who may release on a target.

    Returns:
        ``file``: where the target says it, empty where it takes everybody's releases;
        ``fixed``: only its administrator may change that; ``keys``: ``name``, ``kind``,
        ``fingerprint``, ``limits``, ``since`` and ``by`` of each, the last two empty where the
        target's record does not tell; ``changed`` and ``by``: the last change that it knows of.
    """
    fixed = found.signers_file == str(SYSTEM_SIGNERS)
    # What the administrator wrote is in no record of the release machine.
    history = () if fixed else found.admissions
    last = history[-1] if history else {}
    keys = []
    for one in signers_in(found.signers):
        first: Mapping[str, Any] = {}
        for entry in reversed(history):
            if not one.fingerprint or one.fingerprint not in (entry.get("keys") or ()):
                break
            first = entry
        keys.append({**one._asdict(), "since": when(first.get("at")), "by": _owner(first)})
    return {
        "file": found.signers_file,
        "fixed": fixed,
        "keys": keys,
        "changed": when(last.get("at")),
        "by": _owner(last),
    }


def _owner(entry: Mapping[str, Any]) -> str:
    return str(entry.get("owner") or "")
