"""The targets of a registry: this computer, the added ones, and their endpoints."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from studio.api import TargetSpec, UsageError
from studio.registry.database import Database
from studio.registry.endpoints import SIGN as BELOW
from studio.registry.endpoints import Endpoints, endpoint_of, target_of_row
from studio.registry.groups import SIGN as GROUP
from studio.registry.names import is_component, natural_order
from studio.registry.this_computer import LOCAL as LOCAL
from studio.registry.this_computer import add_row


class Targets:
    """The table of targets in the registry."""

    def __init__(self, database: Database, endpoints: Endpoints) -> None:
        self._db = database
        self._endpoints = endpoints

    def add(self, target: TargetSpec) -> None:
        """Add a target, or change an existing one without losing its facts."""
        if target.endpoint_name:  # an endpoint has the connection of its target
            base = target.name.partition(BELOW)[0]
            target = replace(target, name=base, endpoint_name="")
        if target.name == LOCAL.name:
            raise UsageError(
                "The name 'local' is reserved for this computer.", hint="Choose another name."
            )
        if target.name.startswith(GROUP):
            raise UsageError(f"A target name cannot begin with {GROUP}, the sign of groups.")
        if BELOW in target.name:
            raise UsageError(
                f"A target name cannot contain {BELOW}: it separates target and endpoint.",
                hint=f"Deploying creates the endpoint: studio deploy MODEL --target {target.name}",
            )
        if not is_component(target.name):
            raise UsageError(f"A target cannot be named {target.name!r}.", hint="Choose another.")
        with self._db.write() as db:
            before = db.execute("SELECT settings FROM targets WHERE name = ?", (target.name,))
            kept = _own(json.loads((before.fetchone() or ["{}"])[0]))
            settings = {**target.settings, **kept}
            db.execute(
                "INSERT INTO targets (name, url, host_key, settings, facts) VALUES (?,?,?,?,'{}')"
                " ON CONFLICT (name) DO UPDATE SET url = excluded.url,"
                " host_key = excluded.host_key, settings = excluded.settings",
                (target.name, target.url, target.host_key, _json(settings)),
            )

    def one(self, name: str) -> TargetSpec:
        """Return a target, or an endpoint of one (``TARGET/NAME``), which may be new.

        Raises:
            UsageError: when the target does not exist.
        """
        known = {target.name: target for target in self.all()}
        base, below, endpoint = name.partition(BELOW)
        if name in known:
            return known[name]
        if below and base in known:
            return endpoint_of(known[base], endpoint)
        asked = base if below and "://" not in name else name
        raise UsageError(
            f"Unknown target: {asked!r}.",
            hint=f"Known: {', '.join(known)}. Add one with: studio target add NAME ssh://user@host",
        )

    def all(self) -> list[TargetSpec]:
        """Return this computer, then the other targets by name, each with its endpoints."""
        found = self._db.all(
            "SELECT name, url, host_key, settings FROM targets WHERE name <> ?", (LOCAL.name,)
        )
        found = sorted(found, key=lambda row: natural_order(str(row[0])))
        owners = {str(row[0]): target_of_row(row[3]) for row in found}
        targets = [LOCAL] + [
            TargetSpec(r[0], r[1], r[2], _settings(r[3])) for r in found if not owners[str(r[0])]
        ]
        below = {name: owner for name, owner in owners.items() if owner}
        return [one for target in targets for one in (target, *_endpoints(target, below))]

    def remove(self, name: str) -> None:
        """Remove a target and its endpoints; its server keeps running, its history stays."""
        self.one(name)
        if name == LOCAL.name:
            raise UsageError("This computer cannot be removed.")
        with self._db.write() as db:
            for one in (name, *self._endpoints.of(name)):
                db.execute("DELETE FROM targets WHERE name = ?", (one,))

    def set_facts(self, name: str, facts: Mapping[str, Any]) -> None:
        """Store the facts of a target."""
        with self._db.write() as db:
            add_row(db, name)
            db.execute("UPDATE targets SET facts = ? WHERE name = ?", (_json(facts), name))

    def facts(self, name: str) -> dict[str, Any]:
        """Return the last facts of a target; empty if it was never probed.

        An endpoint without facts of its own has those of its target.
        """
        for one in (name, name.partition(BELOW)[0]):
            found = self._db.all("SELECT facts FROM targets WHERE name = ?", (one,))
            if found and found[0][0] != "{}":
                return dict(json.loads(found[0][0]))
        return {}


def _json(value: Any) -> str:
    return json.dumps({} if value is None else dict(value), separators=(",", ":"), default=str)


def _settings(text: str) -> dict[str, str]:
    """Return the settings of the connector, without the registry's own keys."""
    settings = json.loads(text)
    return {key: value for key, value in settings.items() if key not in _own(settings)}


def _own(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the registry keeps in the settings of a target: its groups and labels."""
    return {key: value for key, value in settings.items() if key.startswith(GROUP)}


def _endpoints(target: TargetSpec, owners: Mapping[str, str]) -> list[TargetSpec]:
    """Return the endpoints of a target, from names of endpoints and of their targets."""
    names = [name for name, owner in owners.items() if owner == target.name]
    return [endpoint_of(target, name.partition(BELOW)[2]) for name in names]
