"""Whose releases a target takes."""

from __future__ import annotations

from pathlib import Path

from studio.api import StudioError, UsageError
from studio.deployment.work import agent_on, connected
from studio.jobs import Arguments, Job, Result
from studio.targets.connect import target_of
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
