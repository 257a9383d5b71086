"""Endpoints of targets: further releases on a target, each with its own folder.

An endpoint is written ``TARGET/NAME``, and can be used like a target. A deploy adds it to the
registry, and a purge removes it.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

from studio.api import TargetSpec, UsageError
from studio.registry.database import Database
from studio.registry.names import natural_order

SIGN = "/"
"""The separator between the name of a target and that of its endpoint."""

KEY = "@endpoint"
"""The key in an endpoint's row with the name of its target."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SCHEME = "endpoint"
"""Of the URL in an endpoint's row. An older studio, which knows no endpoints, then refuses the row
rather than deploying to the target's own place."""


def endpoint_of(target: TargetSpec, name: str) -> TargetSpec:
    """Return an endpoint of a target.

    Raises:
        UsageError: when the name, which becomes a folder on the target, is invalid.
    """
    if target.endpoint_name:
        raise UsageError(
            f"{target.name} is an endpoint and cannot have endpoints.",
            hint=f"Name it {target.name.rpartition(SIGN)[0]}{SIGN}{name}.",
        )
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"Invalid endpoint name {name!r}.",
            hint="Use letters, digits, dots, dashes and underscores; begin with a letter or digit.",
        )
    return replace(target, name=f"{target.name}{SIGN}{name}", endpoint_name=name)


class Endpoints:
    """The endpoints of a registry, in the table of targets."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, name: str) -> None:
        """Add an endpoint, ``TARGET/NAME``, unless it exists."""
        target = name.partition(SIGN)[0]
        with self._db.write() as db:
            db.execute(
                "INSERT INTO targets (name, url, host_key, settings, facts)"
                " VALUES (?, ?, '', ?, '{}') ON CONFLICT DO NOTHING",
                (name, f"{_SCHEME}:{name}", json.dumps({KEY: target})),
            )

    def forget(self, name: str) -> None:
        """Remove an endpoint, but not a target of the same name."""
        found = self._db.all("SELECT settings FROM targets WHERE name = ?", (name,))
        if found and target_of_row(found[0][0]):
            with self._db.write() as db:
                db.execute("DELETE FROM targets WHERE name = ?", (name,))

    def of(self, target: str) -> list[str]:
        """Return the endpoints of a target, as ``TARGET/NAME``."""
        rows = self._db.all("SELECT name, settings FROM targets")
        found = [str(name) for name, settings in rows if target_of_row(settings) == target]
        return sorted(found, key=natural_order)


def target_of_row(settings: str) -> str:
    """Return the target of an endpoint's row; empty for the row of a target."""
    found: dict[str, Any] = json.loads(settings)
    return str(found.get(KEY) or "")
