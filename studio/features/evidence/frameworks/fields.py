"""Checked values of a table in a TOML file of the frameworks."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from studio.api import UsageError
from studio.documents.plain import one_line
from studio.documents.toml_text import TomlText, no_such

MOST_BYTES = 256 * 1024
MOST_TEXT = 600
MOST_ROWS = 500
_MOST_ID, _MOST_LIST = 64, 64
_ID = re.compile(r"[a-z0-9]+(?:[.-][a-z0-9]+)*")


class TableFields:
    """The values of one table, each read once and checked.

    Args:
        path: Keys and positions of the table in the file; none for the file itself.
        known: Keys that the table may have.

    Raises:
        UsageError: for an unknown key, with file, line and column.
    """

    def __init__(self, toml: TomlText, path: Sequence[str | int], known: Collection[str]) -> None:
        self.toml, self.path = toml, tuple(path)
        values: Any = toml.values
        for step in self.path:
            values = values[step]
        if not isinstance(values, dict):
            raise toml.wrong("this must be a table.", *self.path)
        self.values = values
        for key in values:
            if key not in known:
                raise toml.unknown(known, *self.path, key)

    def wrong(self, reason: str, key: str, hint: str = "") -> UsageError:
        """Return the error for the value of a key."""
        return self.toml.wrong(reason, *self.path, key, hint=hint)

    def id(self, key: str = "id") -> str:
        """Return an identifier: small letters, digits, dots and hyphens, at most 64."""
        value = self.text(key, _MOST_ID)
        if not _ID.fullmatch(value):
            reason = f"{key} must be small letters and digits, joined by dots or hyphens."
            raise self.wrong(reason, key)
        return value

    def text(self, key: str, most: int = MOST_TEXT) -> str:
        """Return a text of one line that must be there."""
        if key not in self.values:
            raise self.toml.wrong(f"{key} is missing.", *self.path)
        value = self.values[key]
        if not isinstance(value, str) or not value.strip() or one_line(value) != value:
            raise self.wrong(f"{key} must be a text of one line.", key)
        if len(value) > most:
            raise self.wrong(f"{key} is longer than {most} characters.", key)
        return value

    def optional_text(self, key: str) -> str:
        """Return a text of one line, or an empty one."""
        return self.text(key) if key in self.values else ""

    def choice(self, key: str, choices: Collection[str]) -> str:
        """Return one of several words."""
        value = self.text(key)
        if value not in choices:
            raise self.wrong(f"{key} must be one of: {', '.join(choices)}.", key)
        return value

    def day(self, key: str) -> str:
        """Return a day as ``2026-11-30``."""
        value = self.values.get(key)
        if key not in self.values:
            raise self.toml.wrong(f"{key} is missing.", *self.path)
        if not isinstance(value, date) or isinstance(value, datetime):
            raise self.wrong(f"{key} must be a day, such as 2026-11-30, without quotes.", key)
        return value.isoformat()

    def flag(self, key: str, default: bool) -> bool:
        """Return true or false."""
        value = self.values.get(key, default)
        if not isinstance(value, bool):
            raise self.wrong(f"{key} must be true or false.", key)
        return value

    def number(self, key: str) -> int:
        """Return a whole number from 1 to 10,000, or 0 where none is given."""
        value = self.values.get(key, 0)
        if key in self.values and (type(value) is not int or not 0 < value <= 10_000):
            raise self.wrong(f"{key} must be a whole number from 1 to 10000.", key)
        return int(value)

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts, without repetition; an empty one where none is given."""
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
            raise self.wrong(f"{key} must be a list of texts.", key)
        if len(set(value)) < len(value) or len(value) > _MOST_LIST:
            raise self.wrong(f"{key} must have up to {_MOST_LIST} different texts.", key)
        return tuple(value)

    def known_texts(self, key: str, known: Collection[str], what: str) -> tuple[str, ...]:
        """Return a list of texts that are all known.

        Raises:
            UsageError: for an unknown one, with the nearest known one.
        """
        found = self.texts(key)
        for name in found:
            if name not in known:
                raise self.unknown(key, name, known, what)
        return found

    def unknown(self, key: str, name: str, known: Collection[str], what: str) -> UsageError:
        """Return the error for an unknown name in the value of a key."""
        reason, hint = no_such(name[:80], known, what)
        return self.wrong(reason, key, hint=hint)


def rows(
    toml: TomlText, key: str, known: Collection[str], *, required: bool = True
) -> Iterator[TableFields]:
    """Yield the tables of an array (``[[sections]]``).

    Raises:
        UsageError: when it is no array of tables, has none or more than 500.
    """
    value = toml.values.get(key, [])
    if not isinstance(value, list) or (required and not value):
        raise toml.wrong(f"it needs an array of tables, [[{key}]].", key)
    if len(value) > MOST_ROWS:
        raise toml.wrong(f"it has more than {MOST_ROWS} [[{key}]].", key)
    for index in range(len(value)):
        yield TableFields(toml, (key, index), known)


def read_toml(file: Path) -> TomlText:
    """Return a file of at most 256 KB as TOML.

    Raises:
        UsageError: when it is no such file, or no TOML.
    """
    try:
        if file.exists() and not file.is_file():  # a pipe would never end
            raise UsageError(f"{file} is not a file.")
        with file.open("rb") as opened:
            content = opened.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise UsageError(f"{file} is larger than {MOST_BYTES // 1024} KB.")
        return TomlText.read(content.decode("utf-8"), file.name)
    except UnicodeDecodeError:
        raise UsageError(f"{file} is not UTF-8 text.") from None
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror or error}.") from None
