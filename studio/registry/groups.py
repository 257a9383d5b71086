"""Groups of targets: a name for several of them, so that one rollout can be told all."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from studio.api import UsageError
from studio.registry.database import Database
from studio.registry.endpoints import SIGN as BELOW

SIGN = "@"
"""Stands before a group's name where a target could be named, too."""

KEY = "@groups"
"""In a target's row, beside the settings of its kind, which never begin so."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Groups:
    """The groups of a registry. A group is what its members say: it has no row of its own."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def all(self) -> dict[str, list[str]]:
        """The members of each group, both by name."""
        found: dict[str, list[str]] = {}
        for name, text in self._db.all("SELECT name, settings FROM targets ORDER BY name"):
            for group in _of(json.loads(text)):
                found.setdefault(group, []).append(str(name))
        return dict(sorted(found.items()))

    def members(self, name: str) -> list[str]:
        """The targets of a group.

        Raises:
            UsageError: when there is none of this name.
        """
        groups = self.all()
        try:
            return groups[name.removeprefix(SIGN)]
        except KeyError:
            known = ", ".join(groups) or "none yet"
            raise UsageError(
                f"There is no group {name.removeprefix(SIGN)!r}.",
                hint=f"Known: {known}. Make one with: studio target group NAME TARGET...",
            ) from None

    def set(self, name: str, members: Sequence[str]) -> None:
        """Let a group have these members; without any it is gone.

        Raises:
            UsageError: when the name cannot be one, or there is no such target.
        """
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"{name!r} is no name for a group.", hint="Use letters, digits, dots and dashes."
            )
        with self._db.write() as db:
            rows = dict(db.execute("SELECT name, settings FROM targets").fetchall())
            for strange in sorted(set(members) - set(rows)):
                raise UsageError(f"There is no target {strange!r} to put into a group.")
            for target, text in rows.items():
                settings = json.loads(text)
                groups = {*_of(settings)} - {name} | ({name} if target in members else set())
                settings[KEY] = sorted(groups)
                db.execute(
                    "UPDATE targets SET settings = ? WHERE name = ?",
                    (json.dumps(settings, separators=(",", ":")), target),
                )


def expand(names: Sequence[str], groups: Groups) -> list[str]:
    """Names of targets, with the members in the place of each ``@group``, each once then.

    ``@group/NAME`` is the endpoint of this name on each member.
    """
    if not any(name.startswith(SIGN) for name in names):
        return list(names)
    found: list[str] = []
    for name in names:
        group, below, endpoint = name.partition(BELOW)
        members = groups.members(group) if name.startswith(SIGN) else [group]
        found += [one + below + endpoint for one in members]
    return list(dict.fromkeys(found))


def _of(settings: dict[str, Any]) -> list[str]:
    return [str(name) for name in settings.get(KEY) or ()]
