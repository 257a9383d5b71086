"""Groups of targets: names for several targets of a rollout."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from studio.api import UsageError
from studio.registry.database import Database
from studio.registry.endpoints import SIGN as BELOW
from studio.registry.labels import Labels
from studio.registry.names import natural_order
from studio.registry.this_computer import add_row

SIGN = "@"
"""The prefix of a group's name among names of targets."""

KEY = "@groups"
"""The key of the groups in a target's row; keys of connectors never start with it."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Groups:
    """The groups of a registry, stored in the rows of their members."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def all(self) -> dict[str, list[str]]:
        """Return the members of each group, both by name."""
        found: dict[str, list[str]] = {}
        for name, text in self._db.all("SELECT name, settings FROM targets"):
            for group in _of(json.loads(text)):
                found.setdefault(group, []).append(str(name))
        return {
            group: sorted(found[group], key=natural_order)
            for group in sorted(found, key=natural_order)
        }

    def members(self, name: str) -> list[str]:
        """Return the targets of a group.

        Raises:
            UsageError: when the group does not exist.
        """
        groups = self.all()
        try:
            return groups[name.removeprefix(SIGN)]
        except KeyError:
            known = ", ".join(groups) or "none yet"
            raise UsageError(
                f"Unknown group {name.removeprefix(SIGN)!r}.",
                hint=f"Known: {known}. Create one with: studio target group NAME TARGET...",
            ) from None

    def set(self, name: str, members: Sequence[str]) -> None:
        """Set the members of a group; without members it is removed.

        Raises:
            UsageError: when the name is invalid, or a target does not exist.
        """
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"Invalid group name {name!r}.", hint="Use letters, digits, dots and dashes."
            )
        with self._db.write() as db:
            for member in members:
                add_row(db, member)
            rows = dict(db.execute("SELECT name, settings FROM targets").fetchall())
            for strange in sorted(set(members) - set(rows)):
                raise UsageError(f"Unknown target: {strange!r}.")
            for target, text in rows.items():
                settings = json.loads(text)
                groups = {*_of(settings)} - {name} | ({name} if target in members else set())
                if groups == {*_of(settings)}:
                    continue
                settings[KEY] = sorted(groups)
                db.execute(
                    "UPDATE targets SET settings = ? WHERE name = ?",
                    (json.dumps(settings, separators=(",", ":")), target),
                )


def expand(names: Sequence[str], groups: Groups, labels: Labels) -> list[str]:
    """Replace each ``@group`` in names of targets by its members, without duplicates.

    ``@site=berlin,line=3`` means all targets with these labels. ``@group/NAME`` becomes the
    endpoint of that name on each member.
    """
    if not any(name.startswith(SIGN) for name in names):
        return list(names)
    found: list[str] = []
    for name in names:
        group, below, endpoint = name.partition(BELOW)
        members = _members(group, groups, labels)
        found += [one + below + endpoint for one in members]
    # A target may be a member of several named groups.
    return list(dict.fromkeys(found))


def _members(name: str, groups: Groups, labels: Labels) -> list[str]:
    if not name.startswith(SIGN):
        return [name]
    chosen = name.removeprefix(SIGN)
    return labels.select(chosen) if "=" in chosen else groups.members(name)


def _of(settings: dict[str, Any]) -> list[str]:
    return [str(name) for name in settings.get(KEY) or ()]
