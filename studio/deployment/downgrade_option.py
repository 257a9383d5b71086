"""The option of a deploy, and of a rollout, that lets an older version go where a newer one was."""

from __future__ import annotations

from studio.api import Option

DOWNGRADE = Option(
    "downgrade",
    title="Reason to go back",
    placeholder="only for an older version",
    help="Why a version that is older than what the target had is to be served there; the "
    "target's history keeps the reason. Without it an older version is refused.",
    advanced=True,
)
