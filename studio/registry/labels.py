"""Labels of targets: pairs of a name and a value that choose, order and limit in a rollout."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from studio.api import UsageError
from studio.registry.database import Database
from studio.registry.names import natural_order
from studio.registry.this_computer import add_row

KEY = "@labels"
"""The key of the labels in a target's row; keys of connectors never start with ``@``."""

APPROVAL, REQUIRED = "approval", "required"
"""The label of targets whose release only an approved plan changes."""

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MOST = 32
"""Labels of one target."""


class Labels:
    """The labels of a registry, stored in the rows of their targets."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def all(self) -> dict[str, dict[str, str]]:
        """Return the labels of each target that has some, both by name."""
        rows = self._db.all("SELECT name, settings FROM targets")
        found = {str(name): _of(json.loads(text)) for name, text in rows}
        return {name: found[name] for name in sorted(found, key=natural_order) if found[name]}

    def having(self, name: str, value: str) -> dict[str, str]:
        """Return the targets with a label, each with its address."""
        return {target: url for target, url, _, _ in self._rows(name, value)}

    def identities(self, name: str, value: str) -> tuple[str, ...]:
        """Return the host keys and addresses of the targets with a label, as last connected to."""
        found = set()
        for _, _, key, facts in self._rows(name, value):
            found.update([key, *map(str, json.loads(facts).get("identity") or ())])
        return tuple(sorted(found - {""}))

    def _rows(self, name: str, value: str) -> list[tuple[str, str, str, str]]:
        # The pattern keeps the rows of thousands of others unread; it may find more than it should.
        rows = self._db.all(
            "SELECT name, url, host_key, facts, settings FROM targets WHERE settings LIKE ?",
            (f'%"{value}"%',),
        )
        return [
            (str(row[0]), str(row[1]), str(row[2]), str(row[3]))
            for row in rows
            if _of(json.loads(row[4])).get(name) == value
        ]

    def change(self, target: str, changes: Mapping[str, str]) -> dict[str, str]:
        """Set labels of a target; one with an empty value is removed.

        Returns:
            All its labels.

        Raises:
            UsageError: for an invalid name or value, too many labels, or an unknown target.
        """
        for name, value in changes.items():
            _check(name, value)
        with self._db.write() as db:
            add_row(db, target)
            row = db.execute("SELECT settings FROM targets WHERE name = ?", (target,)).fetchone()
            if row is None:
                raise UsageError(f"Unknown target: {target!r}.")
            settings = json.loads(row[0])
            merged = {**_of(settings), **changes}
            labels = {name: value for name, value in sorted(merged.items()) if value}
            if len(labels) > _MOST:
                raise UsageError(f"A target has at most {_MOST} labels.")
            settings[KEY] = labels
            text = json.dumps(settings, separators=(",", ":"))
            db.execute("UPDATE targets SET settings = ? WHERE name = ?", (text, target))
        return labels

    def select(self, text: str) -> list[str]:
        """Return the targets that have all labels of a selection.

        Args:
            text: Such as ``site=berlin,line=3``.

        Raises:
            UsageError: for an invalid selection, or one that no target fits.
        """
        wanted = parse_labels(text.split(","))
        found = [name for name, labels in self.all().items() if wanted.items() <= labels.items()]
        if not found:
            raise UsageError(
                f"No target is labelled {text}.",
                hint="Label one with: studio target label TARGET NAME=VALUE",
            )
        return found


def parse_labels(pairs: list[str]) -> dict[str, str]:
    """Return labels of texts such as ``site=berlin``.

    Raises:
        UsageError: for an invalid one.
    """
    found = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign:
            raise UsageError(f"Not a label: {pair!r}.", hint="Write NAME=VALUE.")
        _check(name, value)
        found[name] = value
    return found


def _check(name: str, value: str) -> None:
    if name == APPROVAL and value not in ("", REQUIRED):
        raise UsageError(
            f"The label {APPROVAL} cannot be {value}.", hint=f"Write {APPROVAL}={REQUIRED}."
        )
    for text in (name, value or name):
        if not _WORD.fullmatch(text):
            raise UsageError(
                f"Invalid label {name}={value}.", hint="Use letters, digits, dots and dashes."
            )


def _of(settings: Mapping[str, Any]) -> dict[str, str]:
    labels = settings.get(KEY) or {}
    return {str(name): str(value) for name, value in labels.items()}
