"""Protected boards as they are met over a connection, whatever the spelling of their address."""

from __future__ import annotations

import logging

from studio.api import Channel, Refused, StudioError, TargetSpec
from studio.jobs.protection_guard import ProtectionGuard

log = logging.getLogger(__name__)

MARK = ".config/edgewright/approval-required"
"""The mark of a board in the login's home, which other studios read; also below /etc."""

_READ = f'[ ! -e "$HOME/{MARK}" ] && [ ! -e "/etc/{MARK[8:]}" ]'
_WRITE = f'mkdir -p "$HOME/.config/edgewright" && : > "$HOME/{MARK}"'


def identity_of(channel: Channel) -> tuple[str, ...]:
    """Return the host key and the address of a machine that is connected to; empty without."""
    identity: tuple[str, ...] = getattr(channel, "identity", ())
    return identity


def is_marked(channel: Channel) -> bool:
    """Return whether a machine has the mark of a protected board."""
    return bool(identity_of(channel)) and bool(channel.run(["sh", "-c", _READ]).status)


def protect(target: TargetSpec, channel: Channel, guard: ProtectionGuard | None) -> None:
    """Mark a protected board, or refuse a change of one that no approved plan allows.

    Raises:
        Refused: when the board is protected under another name, or by another studio.
    """
    identity = identity_of(channel)
    if guard is None or not identity:
        return
    if {target.name, target.name.partition("/")[0]}.intersection(guard.protected):
        try:
            channel.run(["sh", "-c", _WRITE])
        except StudioError as error:
            log.warning("%s has no mark: %s", target.name, error)
    elif guard.is_change and ({*guard.identities}.intersection(identity) or is_marked(channel)):
        raise Refused(
            f"{target.name} is a protected board: only an approved plan changes it.",
            hint=f"Label it, then try again: studio target label {target.name} approval=required",
        )
