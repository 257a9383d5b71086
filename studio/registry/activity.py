"""Records of user actions, cached results, and aliases with their moves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from studio.documents.former_options import current
from studio.registry.database import Database, SqlValue, added
from studio.registry.records import (
    ActionRecord,
    AliasRecord,
    KeptResult,
    MoveRecord,
    VariantRecord,
)

_MOST_ACTIONS = 5_000
"""Number of actions to keep; runs, versions and releases are kept without limit."""


class Activity:
    """The registry's tables of actions, kept results and aliases."""

    def __init__(self, database: Database) -> None:
        self._db = database

    # Actions

    def add_action(
        self, step: str, options: Mapping[str, object], result: Mapping[str, object], source: str
    ) -> int:
        """Record a step that succeeded; return the number of the action."""
        with self._db.write() as db:
            number = added(
                db,
                "INSERT INTO actions (step, options, result, source, created) VALUES (?,?,?,?,?)",
                (step, _json(options), _json(result), source, self._db.now()),
            )
            db.execute("DELETE FROM actions WHERE id <= ?", (number - _MOST_ACTIONS,))
        return number

    def actions(self, limit: int = 500) -> list[ActionRecord]:
        """Return the newest actions, the newest first."""
        return self._actions("ORDER BY id DESC LIMIT ?", (limit,))

    def action(self, number: int) -> ActionRecord | None:
        """Return an action; None if it was removed."""
        return next(iter(self._actions("WHERE id = ?", (number,))), None)

    def producer(self, variant: VariantRecord) -> ActionRecord | None:
        """Return the first action that created a variant; None if none is recorded."""
        found = self._with_result(variant.step, "variant", variant.id)
        return min(found, key=lambda action: action.id, default=None)

    def packager(self, bundle: str) -> ActionRecord | None:
        """Return the last action that created a bundle's folder; None if none is recorded."""
        found = self._with_result("package", "bundle", bundle)
        return max(found, key=lambda action: action.id, default=None)

    def _with_result(self, step: str, name: str, value: object) -> list[ActionRecord]:
        """Return the actions of a step whose result has a value."""
        text = _json({name: value})[1:-1]
        for sign in "!%_":
            text = text.replace(sign, f"!{sign}")
        where = "WHERE step = ? AND result LIKE ? ESCAPE '!'"
        # The text may also occur deeper in a result, or begin a longer number.
        found = self._actions(where, (step, f"%{text}%"))
        return [action for action in found if action.result.get(name) == value]

    def _actions(self, where: str, values: tuple[SqlValue, ...]) -> list[ActionRecord]:
        rows = self._db.all(
            f"SELECT id, step, options, result, source, created FROM actions {where}", values
        )
        return [
            ActionRecord(
                number,
                step,
                current(step, json.loads(options)),
                json.loads(result),
                source,
                created,
            )
            for number, step, options, result, source, created in rows
        ]

    # Cached results

    def store_result(self, key: str, step: str, run: str, result: Mapping[str, object]) -> None:
        """Store a result under the digest of its inputs, in place of an older one."""
        with self._db.write() as db:
            db.execute(
                "INSERT INTO kept (key, step, run, result, created) VALUES (?,?,?,?,?)"
                " ON CONFLICT (key) DO UPDATE SET step = excluded.step, run = excluded.run,"
                " result = excluded.result, created = excluded.created",
                (key, step, run, _json(result), self._db.now()),
            )

    def cached_result(self, key: str) -> KeptResult | None:
        """Return the cached result of some inputs; None without one."""
        statement = "SELECT step, run, result, created FROM kept WHERE key = ?"
        for step, run, result, created in self._db.all(statement, (key,)):
            return KeptResult(key, step, run, json.loads(result), created)
        return None

    def remove_result(self, key: str) -> None:
        """Remove a cached result that is no longer valid."""
        with self._db.write() as db:
            db.execute("DELETE FROM kept WHERE key = ?", (key,))

    # Aliases

    def aliases(self, model: int | None = None) -> list[AliasRecord]:
        """Return the aliases of a model (of all), by name."""
        where, values = ("", ()) if model is None else ("WHERE model = ?", (model,))
        found = self._db.all(
            f"SELECT model, name, version FROM aliases {where} ORDER BY name", values
        )
        return [AliasRecord(*row) for row in found]

    def move_alias(
        self,
        model: int,
        alias: str,
        version: int | None,
        *,
        why: str,
        evidence: Mapping[str, object],
        by: str,
    ) -> MoveRecord:
        """Point an alias to a version (to none), and record the move in the same transaction."""
        with self._db.write() as db:
            row = db.execute(
                "SELECT version FROM aliases WHERE model = ? AND name = ?", (model, alias)
            ).fetchone()
            before = int(row[0]) if row else None
            if version is None:
                db.execute("DELETE FROM aliases WHERE model = ? AND name = ?", (model, alias))
            else:
                db.execute(
                    "INSERT INTO aliases (model, name, version) VALUES (?,?,?)"
                    " ON CONFLICT (model, name) DO UPDATE SET version = excluded.version",
                    (model, alias, version),
                )
            number = added(
                db,
                "INSERT INTO moves (model, alias, version, before, why, evidence, by, created)"
                " VALUES (?,?,?,?,?,?,?,?)",
                (model, alias, version, before, why, _json(evidence), by, self._db.now()),
            )
        return self._moves("WHERE id = ?", (number,))[0]

    def moves(self, model: int, alias: str | None = None) -> list[MoveRecord]:
        """Return the moves of a model's aliases, the newest first."""
        if alias is None:
            return self._moves("WHERE model = ?", (model,))
        return self._moves("WHERE model = ? AND alias = ?", (model, alias))

    def _moves(self, where: str, values: tuple[SqlValue, ...]) -> list[MoveRecord]:
        rows = self._db.all(
            "SELECT id, model, alias, version, before, why, evidence, by, created FROM moves"
            f" {where} ORDER BY id DESC",
            values,
        )
        return [
            MoveRecord(number, model, alias, version, before, why, json.loads(evidence), by, at)
            for number, model, alias, version, before, why, evidence, by, at in rows
        ]


def now() -> str:
    """Return the present time in the registry's spelling."""
    return spelled(datetime.now(UTC))


def after(last: str | None, at: str | None = None) -> str:
    """Return a time (now) later than the last row's, as equal times would have no order.

    A clock that was set back by a second or more is trusted.
    """
    moment = datetime.now(UTC) if at is None else datetime.fromisoformat(at)
    if last:
        least = datetime.fromisoformat(last) + timedelta(milliseconds=1)
        if moment < least < moment + timedelta(seconds=1):
            moment = least
    return spelled(moment)


def external_time(text: object) -> str | None:
    """Return a time from another source in the registry's spelling.

    None if the text is no time, or a time in the future.
    """
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    try:
        found = moment.astimezone(UTC)
    except (OverflowError, ValueError):
        return None
    return spelled(found) if found <= datetime.now(UTC) else None


def spelled(moment: datetime) -> str:
    """Return a time in the spelling of all stored times."""
    return moment.isoformat(timespec="milliseconds")


def _json(value: Mapping[str, object]) -> str:
    return json.dumps(dict(value), separators=(",", ":"), default=str)
