"""The history of releases: each change of a target, in order."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from studio.registry import rows
from studio.registry.activity import after
from studio.registry.database import WITHOUT_LIMIT, Database, DatabaseRow, added
from studio.registry.records import Change, ChangeWindow, ReleaseRecord

_IN_ONE_QUERY = 500
_WINDOW = 6
"""Number of changes of a target to look at before a time."""

_ONE_TARGET = "WITH named AS (SELECT target FROM releases WHERE target = ? LIMIT 1)"
_TARGETS = (
    "WITH RECURSIVE named(target) AS (SELECT min(target) FROM releases UNION ALL"
    " SELECT (SELECT min(r.target) FROM releases r WHERE r.target > named.target) FROM named"
    " WHERE named.target IS NOT NULL)"
)
"""The targets from the index, without a look at each of their releases."""

_LAST = "SELECT max(r.id) AS id FROM releases r WHERE r.target = named.target AND r.state = "
_SERVING = (
    f" FROM named JOIN releases s ON s.id = (SELECT max(one.id) FROM ({_LAST} 'serving'"
    f" UNION ALL {_LAST} 'removed') one) WHERE named.target IS NOT NULL AND s.state = 'serving'"
)
"""The last change of each target to or from serving, by two looks into the index."""

_AROUND = (
    " SELECT r.id, r.target, r.digest, r.state, r.created,"
    " CASE r.state WHEN 'failed' THEN r.details END FROM named JOIN releases r"
    " ON r.target = named.target AND r.created >= coalesce("
    "(SELECT b.created FROM releases b WHERE b.target = named.target AND b.created <= ?"
    f" ORDER BY b.created DESC LIMIT 1 OFFSET {_WINDOW - 1}), '') AND r.created <= coalesce("
    "(SELECT a.created FROM releases a WHERE a.target = named.target AND a.created > ?"
    " AND a.state IN ('serving', 'committed', 'removed') ORDER BY a.created LIMIT 1), ?)"
    " WHERE named.target IS NOT NULL ORDER BY r.id"
)
_LAST_MOMENT = "9999-12-31T23:59:59.999+00:00"


class Releases:
    """The history of releases in a registry; rows are only added.

    The details of a row may have some kilobytes. Queries over all targets leave them out, so a
    fleet of hundreds of boards with years of history costs milliseconds.
    """

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(
        self,
        target: str,
        version: int | None,
        digest: str,
        state: str,
        details: Mapping[str, Any],
        at: str | None = None,
    ) -> ReleaseRecord:
        """Record a change of a target, at a unique time (by default now)."""
        with self._db.write() as db:
            last = db.execute(
                "SELECT created FROM releases WHERE target = ? ORDER BY id DESC LIMIT 1", (target,)
            ).fetchone()
            moment = after(last and last[0], at or self._db.now())
            text = json.dumps(dict(details), separators=(",", ":"), default=str)
            identifier = added(
                db,
                "INSERT INTO releases (target, version, digest, state, details, created)"
                " VALUES (?,?,?,?,?,?)",
                (target, version, digest, state, text, moment),
            )
        return self.these([identifier])[identifier]

    def all(self, target: str | None = None, most: int | None = None) -> list[ReleaseRecord]:
        """Return the changes of a target (of all), the newest first, with an optional limit."""
        limit = WITHOUT_LIMIT if most is None else most
        if target is None:
            found = self._db.all("SELECT * FROM releases ORDER BY id DESC LIMIT ?", (limit,))
        else:
            found = self._db.all(
                "SELECT * FROM releases WHERE target = ? ORDER BY id DESC LIMIT ?", (target, limit)
            )
        return [rows.release(row) for row in found]

    def these(self, numbers: Iterable[int]) -> dict[int, ReleaseRecord]:
        """Return releases by their numbers."""
        wanted, found = list(numbers), {}
        # SQLite limits the number of parameters in a query.
        for begin in range(0, len(wanted), _IN_ONE_QUERY):
            part = tuple(wanted[begin : begin + _IN_ONE_QUERY])
            marks = ",".join("?" * len(part))
            for row in self._db.all(f"SELECT * FROM releases WHERE id IN ({marks})", part):
                found[int(row["id"])] = rows.release(row)
        return found

    def changes(self, target: str | None = None) -> dict[str, list[Change]]:
        """Return the changes by target, the oldest first, without details."""
        statement = (
            "SELECT id, target, digest, state, created,"
            " CASE state WHEN 'failed' THEN details END FROM releases"
        )
        where, values = ("", ()) if target is None else (" WHERE target = ?", (target,))
        return _by_target(self._db.all(f"{statement}{where} ORDER BY id", values))

    def around(self, moment: str | None, target: str | None = None) -> dict[str, ChangeWindow]:
        """Return the changes of a target (of each) around a time (now), without details.

        The cost depends on the number of targets, not on the length of their histories.
        """
        at = moment or _LAST_MOMENT
        names, values = (_TARGETS, ()) if target is None else (_ONE_TARGET, (target,))
        found = _by_target(self._db.all(f"{names}{_AROUND}", (*values, at, at, at)))
        return {
            target: ChangeWindow(
                tuple(changes),
                whole=sum(one.created <= at for one in changes) < _WINDOW,
            )
            for target, changes in found.items()
        }

    def targets(self) -> list[str]:
        """Return all targets that ever had a release, by name."""
        named = f"{_TARGETS} SELECT target FROM named WHERE target IS NOT NULL ORDER BY target"
        found = self._db.all(named)
        return [str(row[0]) for row in found]

    def serving(self) -> frozenset[str]:
        """Return the targets with a release; a failed deploy does not change that."""
        found = self._db.all(f"{_TARGETS} SELECT s.target{_SERVING}")
        return frozenset(str(row[0]) for row in found)

    def running(self) -> dict[str, ReleaseRecord]:
        """Return the current release of each target."""
        found = self._db.all(f"{_TARGETS} SELECT s.*{_SERVING}")
        return {str(row["target"]): rows.release(row) for row in found}

    def has(self, model: int) -> bool:
        """Return whether a version of a model was ever deployed."""
        return bool(
            self._db.all(
                "SELECT 1 FROM releases WHERE version IN"
                " (SELECT id FROM versions WHERE model = ?) LIMIT 1",
                (model,),
            )
        )


def _by_target(rows: Iterable[DatabaseRow]) -> dict[str, list[Change]]:
    found: dict[str, list[Change]] = {}
    # Thousands of rows: a row of the server is slower by its columns than as a whole.
    for number, target, digest, state, created, details in rows:
        until = str(json.loads(details).get("until") or "") if details else ""
        change = Change(number, target, digest, state, created, until)
        found.setdefault(target, []).append(change)
    return found
