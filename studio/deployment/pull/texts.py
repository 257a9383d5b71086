"""Lines for people about the pull client of a board."""

from __future__ import annotations

import shlex

from studio.deployment.pull.results import PullResult

_MODULES = "/usr/share/mender/modules/v3/"


def lines(result: PullResult) -> list[str]:
    """Return where the board polls, and how its last action ended."""
    if result.removed:
        return [f"{result.target} polls no server any more."]
    if result.module:
        return _mender(result)
    if not result.server:
        return [f"{result.target} has no pull client."]
    place = f"{result.server} (tenant {result.tenant})"
    found = [f"{result.target} polls {place} as {result.id}, {_kept(result)}."]
    if result.action:
        found.append(f"Last action {result.action}: {result.outcome or 'under way'}.")
    return [*found, *([result.message] if result.message else [])]


def _mender(result: PullResult) -> list[str]:
    link = f"ln -s {shlex.quote(result.module)} {_MODULES}"
    return [f"Mender brings releases to {result.target}. Once, as root on the board: {link}"]


def _kept(result: PullResult) -> str:
    if not result.service:
        return "when its command is started: it has no systemd"
    return f"as {result.service}" + (", which does not run" if result.alive is False else "")
